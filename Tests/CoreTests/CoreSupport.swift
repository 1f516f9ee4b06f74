/// The error that the body threw.
func failure<E: Error>(_ type: E.Type = E.self, _ body: () throws(E) -> Void) -> E? {
  do throws(E) {
    try body()
    return nil
  } catch {
    return error
  }
}
