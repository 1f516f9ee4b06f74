internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Command {
  static let bench = Command(
    name: "bench", summary: "measure every transport with every poller, beside a C server",
    help: """
      usage: socketkit bench [OPTION…]

      Measures echo servers of SocketKit beside one in plain C over glibc and epoll, which is compiled into this tool.
      Every server is a process of its own; the clients, the same for both, are in this one. Rounds are interleaved.

        --load LIST         pingpong (1 connection), fan (64), hold (10 000 at once), idle (1 000, one second),
                            same-thread (both ends in one thread), udp-echo (datagrams a second by recvfrom, by
                            recvmmsg, and with GSO and GRO); default pingpong,fan,udp-echo
        --transport LIST    tcp, udp, unix, vsock, sctp; default all but vsock, which is measured over the
                            loopback of this machine only. udp-echo is over udp
        --poller LIST       epoll, poll, spin, io_uring; default all, of udp-echo epoll
        --size LIST         bytes in a message, 1 to 1048576; default 64, of udp-echo 64,1200
        --messages N        messages in a run; at least one for each connection. udp-echo runs for a quarter of
                            a second without it. A run too short for a number shows "-" in its place
        --connections N     connections for fan, hold and idle
        --pairs N           rounds of C, ours and C again, of hold and idle C and ours; default 3, of hold and
                            idle 2. The order changes from round to round
        --pin [S,C]         pin the server to cpu S and the client to cpu C; 0,1 when it stands alone.
                            udp-echo puts both on the first cpu without it
        --json              the results as JSON
        --help              this text

      Lists have commas. A default run takes about a minute. Each message has a number; each reply is compared with it.
      A server that dies, or does not answer in time, fails its row, and the next row follows. hold and idle say ok or
      FAILED.

      Exit status: 0; 1 when a row failed, a load measured nothing, a transport or poller that the command line names
      was measured under no load, or the output could not be written; 2 for a wrong command line.

      """
  ) { arguments in
    // Do this before a socket can get the descriptor number of a closed standard stream.
    try checked(bench_occupy_standard_streams(), "opening /dev/null")
    let options = try BenchOptions(arguments)
    // Check this now, rather than after a minute of measuring.
    try checked(bench_can_write(1), "standard output cannot be written to")
    var run = BenchRun(options, print: Terminal.print)
    return try run.run()
  }
}
