internal import SocketKitToolSupport

extension Command {
  static let vscp = Command(
    name: "vscp", summary: "copy files over vsock, like mdlayher's vscp, or over any stream transport",
    help: """
      usage: socketkit vscp -r [-v] [-h] [-p PORT] [-t DURATION] [FILE]
             socketkit vscp -s [-v] [-h] -c CID -p PORT [FILE]
             socketkit vscp --listen ADDRESS [-r|-s] [OPTION…] [FILE…]
             socketkit vscp --to ADDRESS [-s|-r] [OPTION…] [FILE…]

      The first two forms have the same command line, output and wire format as vscp of github.com/mdlayher/vsock, so
      either end may be that program. A connection transfers the bytes of one file and nothing else. Delivery is not
      confirmed: compare the checksums of -h. (A receiver detects that the sender aborted a transfer only over TCP and
      SCTP.) A receiver first truncates the file, and keeps the received bytes if the transfer is interrupted. A
      receiver listens on every context ID of its machine.

        -r                   receive; without FILE, write to standard output
        -s                   send; without FILE, or with "-", read from standard input
        -c CID               send only: the context ID of the other machine: 2 is the host, 1 is this machine
        -p PORT              the port; when receiving, 0 or no -p selects any free port
        -v                   log the steps of the transfer to standard error
        -h                   print the SHA-256 checksum of the transferred bytes
        -t DURATION          limit the duration of the transfer: 300ms, 1.5h, 1h30m. The time until the peer has
                             connected does not count. With -c, the sender ignores this option, like mdlayher's vscp

      Additional options:

        --listen ADDRESS     listen on an address; receives by default
        --to ADDRESS         connect to an address; sends by default
        --verify             confirm delivery; both ends must be socketkit vscp --verify. The files are stored under
                             their own names with their permission bits, or under the name FILE. Each file is stored
                             completely and with a correct checksum, or not at all; exit status 0 of the sender
                             confirms that all files are stored. The receiver's FILE is a directory or a file name.
                             The next run resumes an interrupted transfer
        --hidden             with --verify: also receive files whose names begin with a dot
        --idle-timeout D     abort if no data is transferred for this time; also applies to pipes and terminals. With
                             --verify, use at least half a second, or more if the disk of the other end is slow
        --connect-timeout D  abort if the connection is not established in this time; default 10s

      Addresses: tcp://HOST:PORT (HOST is a name, an IPv4 address, an IPv6 address in brackets, or * to listen on all
      addresses), unix:/path, unix:@abstract-name, vsock://CID:PORT (CID is a number, host, local or any),
      sctp://HOST:PORT and sctp://ADDRESS,ADDRESS:PORT.
      Options begin with one dash or two, and precede the files. Data goes to standard output, messages go to standard
      error.

      Exit status: 0 on success; 1 if an operation failed; 2 if the command line is invalid.

      """,
    helpWords: ["--help", "-help"]
  ) { arguments in
    var console = VscpConsole(say: { Terminal.say($0) })
    console.isWatched = Terminal.isWatched
    return VscpCommand.run(arguments.all, console: console)
  }
}
