import NameService

/// Makes the name service answer with an address of this family (AF_INET or AF_INET6) after so many milliseconds; with
/// a negative number, when the test releases the lookups.
func answerNames(_ family: Int32, with address: String, after delay: Int32) {
  // The name service copies the text during the call.
  unsafe name_service_answer(family, 0, address, delay)
}
