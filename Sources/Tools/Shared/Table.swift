/// A text table. Each column is as wide as its widest cell; numbers are right-aligned.
public struct Table: Sendable {
  public enum Alignment: Sendable { case left, right }
  private let alignments: [Alignment]
  private var rows: [[String]]

  public init(_ columns: [(title: String, Alignment)]) {
    rows = [columns.map(\.title)]
    alignments = columns.map(\.1)
  }

  /// Adds a row. Missing cells at its end are left empty. If cells are missing, the last cell of the row may be wider
  /// than its column.
  public mutating func add(_ cells: [String]) { rows.append(cells) }

  public var text: String {
    var widths = alignments.map { _ in 0 }
    for row in rows {
      // A note that fills the rest of its row does not widen a column.
      for (column, cell) in row.enumerated() where column + 1 < row.count || row.count == widths.count {
        widths[column] = max(widths[column], cell.count)
      }
    }
    var text = ""
    for row in rows {
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
        if column > 0 { line += "  " }
        line += row.count == widths.count && alignments[column] == .right ? padding + cell : cell + padding
      }
      while line.last == " " { line.removeLast() }
      text += line + "\n"
    }
    return text
  }
}
