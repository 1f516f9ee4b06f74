internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Command {
  static let bench = Command(
    name: "bench", summary: "measure every transport with every poller, compared with a C server",
    help: """
      usage: socketkit bench [OPTION…]

      Measures SocketKit's echo servers and compares them with a server in plain C that uses glibc and epoll and is
      compiled into this tool. Every server runs in its own process. The clients run in this process and are the same
      for both servers. The rounds of the servers are interleaved.

        --load LIST         the loads: pingpong (1 connection), fan (64 connections), hold (10 000 simultaneous
                            connections), idle (1 000 connections for one second), same-thread (both ends on one
                            thread), udp-echo (datagrams per second with recvfrom, with recvmmsg, and with GSO and
                            GRO); default pingpong,fan,udp-echo
        --transport LIST    tcp, udp, unix, vsock, sctp; default all except vsock. vsock is measured over the
                            loopback of this machine only. udp-echo uses udp only
        --poller LIST       epoll, poll, spin, io_uring; default all, for udp-echo epoll
        --size LIST         the sizes of a message in bytes, 1 to 1048576; default 64, for udp-echo 64,1200
        --messages N        the number of messages in a run, at least one for each connection. Without this option,
                            udp-echo runs for a quarter of a second. If a run is too short for a number, the table
                            contains "-" instead of the number
        --connections N     the number of connections for fan, hold and idle
        --pairs N           the number of rounds; default 3, for hold and idle 2. A round runs the C server,
                            SocketKit's server and the C server again; for hold and idle, only the C server and
                            SocketKit's server. The order changes with each round
        --pin [S,C]         pin the server to cpu S and the client to cpu C; without a value 0,1. Without this
                            option, udp-echo pins both sides to the first cpu
        --json              write the results as JSON
        --help              write this text

      A LIST is separated by commas. A default run takes about a minute. Each message has a number, and each reply is
      compared with its message. If a server exits or does not answer in time, its row fails, and the measurement
      continues with the next row. Rows of hold and idle end with ok or FAILED.

      Exit status: 0 on success; 1 if a row failed, if a load measured nothing, if no load measured one of the
      transports or pollers on the command line, or if the output could not be written; 2 if the command line is
      invalid.

      """
  ) { arguments in
    // Call this before any socket is opened: a socket could otherwise get the descriptor number of a closed standard
    // stream.
    try checked(bench_occupy_standard_streams(), "opening /dev/null")
    let options = try BenchOptions(arguments)
    // Check this before the measurement, which may take a minute.
    try checked(bench_can_write(1), "standard output cannot be written to")
    var run = BenchRun(options, print: Terminal.print)
    return try run.run()
  }
}
