internal import SocketKitToolSupport

extension Command {
  static let vscp = Command(
    name: "vscp", summary: "copy files over vsock, as mdlayher's vscp does, or over any stream",
    help: """
      usage: socketkit vscp -r [-v] [-h] [-p PORT] [-t DURATION] [FILE]
             socketkit vscp -s [-v] [-h] -c CID -p PORT [FILE]
             socketkit vscp --listen ADDRESS [-r|-s] [OPTION…] [FILE…]
             socketkit vscp --to ADDRESS [-s|-r] [OPTION…] [FILE…]

      The first two have the command line, the output and the wire format of vscp of github.com/mdlayher/vsock, so
      either end may be that program: one file per connection, its bytes and nothing else. Nothing proves delivery:
      compare the checksums of -h. (Only over TCP and SCTP does a receiver learn that the sender gave up.) A received
      file is emptied first, and keeps what arrived when the transfer breaks off. A receiver listens at every context
      ID of its machine.

        -r                   receive; without FILE to standard output
        -s                   send; without FILE, or with "-", from standard input
        -c CID               send: the other machine's context ID: 2 is the host, 1 this machine
        -p PORT              the port; when receiving, 0 or nothing is any that is free
        -v                   tell what happens
        -h                   print the SHA-256 checksum of what was transferred
        -t DURATION          end the transfer after a time: 300ms, 1.5h, 1h30m; waiting for the peer is not counted.
                             The reference sender ignores this flag, and so does this one with -c

      Beyond vscp:

        --listen ADDRESS     wait at an address, by default to receive
        --to ADDRESS         connect to an address, by default to send
        --verify             both ends are socketkit: FILE… arrive under their own names with their permission bits,
                             checksum and all, or not at all, and the sender's exit status proves it. Received into the
                             directory FILE, or under the name FILE. A transfer that broke off is resumed by the next.
        --hidden             with --verify: receive files too whose names begin with a dot
        --idle-timeout D     give up when nothing has moved for this time, also on a pipe or terminal; with --verify
                             half a second at least, more when the other end's disk is slow
        --connect-timeout D  give up when nobody answers; 10s

      Addresses: tcp://HOST:PORT (a name, an IPv4 address, an IPv6 address in brackets, * to listen everywhere),
      unix:/path, unix:@abstract-name, vsock://CID:PORT (or host, local, any for a number), sctp://HOST:PORT and
      sctp://ADDRESS,ADDRESS:PORT.
      Options have one dash or two, and stand before the files. Data goes to standard output, talk to standard error.

      Exit status: 0; 1 when something failed; 2 for a wrong command line.

      """,
    helpWords: ["--help", "-help"]
  ) { arguments in
    var console = VscpConsole(say: { Terminal.say($0) })
    console.isWatched = Terminal.isWatched
    return VscpCommand.run(arguments.all, console: console)
  }
}
