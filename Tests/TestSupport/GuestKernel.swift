internal import Glibc
public import Testing

/// The kernel that `Tests/Guest/run` boots: the only place where tests open vsock connections, because the vsock of the
/// machine itself, when it is a virtual machine, belongs to whoever runs it.
public enum GuestKernel {
  /// Whether this process runs there: its init says so, and so does its kernel's command line, which no variable can
  /// forge.
  public static let isRunning: Bool = isGuest(
    hasVariable: environmentVariable("SOCKETKIT_GUEST") != nil, commandLine: kernelCommandLine())

  /// The judgement of ``isRunning`` on its two signs, of which neither is enough.
  public static func isGuest(hasVariable: Bool, commandLine: String) -> Bool {
    hasVariable && commandLine.split(whereSeparator: \.isWhitespace).contains("socketkit.guest")
  }

  /// What the kernel was started with (/proc/cmdline); empty when it does not say.
  public static func kernelCommandLine() -> String {
    String(decoding: contents(ofFile: "/proc/cmdline") ?? [], as: UTF8.self)
  }

  /// Whether this is the older of the guest's two kernels.
  public static let isLinux61: Bool = {
    contents(ofFile: "/proc/sys/kernel/osrelease")?.starts(with: "6.1.".utf8) ?? false
  }()

  /// Whether the kernel, asked by the C library, lets a message be peeked at that waits or comes soon.
  public static func peeks(_ descriptor: Int32) -> Bool {
    var bytes: [UInt8] = [0, 0]
    for _ in 0..<2000 {
      // The array outlives the call.
      let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_PEEK | MSG_DONTWAIT))
      if count > 0 { return true }
      if errno != EAGAIN { return false }
      usleep(5000)
    }
    return false
  }

  /// Whether the kernel can make sockets of its connection multiplexer.
  public static let hasKCM: Bool = {
    let number = socket(41, Int32(SOCK_DGRAM.rawValue), 0)
    if number >= 0 { close(number) }
    return number >= 0
  }()

  /// Whether the kernel can make SCTP sockets.
  public static let hasSCTP: Bool = {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 132)
    if number >= 0 { close(number) }
    return number >= 0
  }()
}

extension Trait where Self == ConditionTrait {
  /// For whatever opens vsock connections. There, what is unavailable fails.
  public static var guestOnly: Self {
    .enabled(if: GuestKernel.isRunning, "unavailable: vsock is only for the guest kernel, Tests/Guest/run")
  }

  /// For SCTP, which needs the kernel's module. In the guest kernel it must be there.
  public static var needsSCTP: Self {
    .enabled(
      if: GuestKernel.isRunning || GuestKernel.hasSCTP,
      "unavailable: no SCTP in this kernel (modprobe sctp); Tests/Guest/run boots one that has it")
  }

  /// For the Kernel Connection Multiplexer. In the guest kernel it must be there.
  public static var needsKCM: Self {
    .enabled(
      if: GuestKernel.isRunning || GuestKernel.hasKCM,
      "unavailable: no KCM in this kernel (modprobe kcm); Tests/Guest/run boots one that has it")
  }
}
