internal import SocketKitCore

extension PollerSuite where P: ~Copyable {
  var cancelRules: [ConformanceRule] {
    rule("cancel.before", "With a control that was cancelled before, a wait does not wait.") { poller in
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
      + rule("cancel.any-moment", "Cancelling at any moment of a wait's beginning ends it at once.") { poller in
        try atAnyMoment(seed: 24) {
          $0.cancel()
        } _: { control in
          let deadline = Deadline.after(Times.patience)
          try requireError(.cancelled, in: "a wait") {
            // The wake-up of an earlier cancel may also end a wait.
            while !deadline.hasPassed { _ = try poller.wait(until: deadline.cancellable(by: control)) }
          }
        }
      }
      + rule("cancel.deadline-any-moment", "A deadline set into the past at any moment of a wait's beginning ends it.")
    {
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
