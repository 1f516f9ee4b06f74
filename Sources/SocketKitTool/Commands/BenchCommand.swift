internal import CSocketKitBaseline
internal import SocketKitToolSupport

extension Command {
  static let bench = Command(
    name: "bench", summary: "measure every transport with every poller, beside a C server",
    help: """
      usage: socketkit bench [OPTION…]

      Measures echo servers of SocketKit beside one in plain C over glibc and epoll, which is compiled into this tool.
      Every server is a process of its own; the clients, the same for both, are in this one. Rounds are interleaved.

        --load LIST         pingpong (1 connection), fan (64), hold (10 000 at once), idle (1 000, 2 s),
                            same-thread (both ends in one thread), udp-echo (datagrams a second by recvfrom, by
                            recvmmsg, and with GSO and GRO); default pingpong,fan,udp-echo
        --transport LIST    tcp, udp, unix, vsock, sctp; default all but vsock, which is measured over the
                            loopback of this machine only
        --poller LIST       epoll, poll, spin, io_uring; default all
        --size LIST         bytes in a message, 1 to 1048576; default 64, of udp-echo 64,1200
        --messages N        messages in a run; at least one for each connection. udp-echo runs for a quarter of
                            a second without it
        --connections N     connections for fan, hold and idle
        --pairs N           rounds of C, ours and C again; default 3
        --pin [S,C]         pin the server to cpu S and the client to cpu C; 0,1 when it stands alone.
                            udp-echo puts both on the first cpu without it
        --json              the results as JSON
        --help              this text

      Lists have commas. A run under a minute is the default. hold and idle say ok or FAILED. Exit status: 0; 1 when
      something failed or could not be measured; 2 for a wrong command line.

      """
  ) { arguments in
    let options = try BenchOptions(arguments)
    if let pins = options.pins { try checked(bench_pin(Int32(pins.client)), "pinning to cpu \(pins.client)") }
    _ = bench_raise_descriptor_limit()
    let conditions = Conditions(options)
    if !options.json { Terminal.print(conditions.text) }
    var sections: [Section] = []
    for load in options.loads {
      for size in options.sizes(load) {
        let section: Section =
          switch load {
          case .pingpong, .fan, .sameThread: .latency(load, size: size, options)
          case .hold: .hold(size: size, options)
          case .idle: .idle(size: size, options)
          case .udpEcho: try .datagramEcho(size: size, options)
          }
        Terminal.endProgress()
        if !options.json { Terminal.print(section.text) }
        sections.append(section)
      }
    }
    if options.json {
      Terminal.print((["conditions": conditions.json, "loads": .array(sections.map(\.json))] as JSON).text + "\n")
    }
    return sections.contains(where: \.failed) ? 1 : 0
  }
}
