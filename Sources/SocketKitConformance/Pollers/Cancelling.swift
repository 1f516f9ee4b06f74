internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var cancelRules: [ConformanceRule] {
    rule("cancel.before", "If the control is already cancelled, a wait fails without waiting.") { poller in
      let control = WaitControl()
      control.cancel()
      let watch = Stopwatch()
      for _ in 0..<3 {
        try requireError(.cancelled, in: "a wait") {
          try poller.wait(until: .after(Times.patience).cancellable(by: control))
        }
      }
      try watch.requirePrompt("the waits")
    }
      + rule("cancel.any-moment", "Cancelling ends a wait immediately, even while the wait is starting.") { poller in
        try atAnyMoment(seed: 24) {
          $0.cancel()
        } _: { control in
          let deadline = Deadline.after(Times.patience)
          try requireError(.cancelled, in: "a wait") {
            // A wake-up that an earlier cancellation caused can end a wait, too.
            while !deadline.hasPassed { _ = try poller.wait(until: deadline.cancellable(by: control)) }
          }
        }
      }
      + rule(
        "cancel.deadline-any-moment",
        "Setting a past deadline ends a wait immediately, even while the wait is starting."
      ) {
        poller in
        try atAnyMoment(seed: 25) {
          $0.setDeadline(.past)
        } _: { control in
          while !control.deadline.hasPassed {
            _ = try poller.wait(until: .after(Times.patience).cancellable(by: control))
          }
        }
      }
  }
}
