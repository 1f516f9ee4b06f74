internal import Glibc

/// The current date and time in a time zone.
public struct CalendarTime: Sendable {
  public let year, month, day, hour, minute, second: Int32

  public enum Zone: Sendable { case local, universal }

  public static func now(_ zone: Zone) -> CalendarTime {
    var seconds = Glibc.time(nil)
    // The calls fill the structure. The name of the time zone, which is a pointer, is not used.
    var parts = unsafe tm()
    switch zone {
    case .local: unsafe localtime_r(&seconds, &parts)
    case .universal: unsafe gmtime_r(&seconds, &parts)
    }
    return unsafe CalendarTime(
      year: parts.tm_year + 1900, month: parts.tm_mon + 1, day: parts.tm_mday, hour: parts.tm_hour,
      minute: parts.tm_min, second: parts.tm_sec)
  }

  /// The date in the form `2006/01/02`, with the given separator.
  public func date(_ separator: String) -> String {
    [Self.padded(year, 4), Self.padded(month, 2), Self.padded(day, 2)].joined(separator: separator)
  }

  /// The time in the form `15:04:05`.
  public var time: String { [hour, minute, second].map { Self.padded($0, 2) }.joined(separator: ":") }

  private static func padded(_ number: Int32, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}
