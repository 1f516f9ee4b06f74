"""Counts what one message costs: the same run with N and with 2N messages, and the difference divided by N."""
import os
import re
import subprocess
import sys
import tempfile

PATIENCE = 120  # seconds for one run


class Failed(Exception):
    pass


class Measure:
    def __init__(self, program, folder):
        # Without debug information, because valgrind gives up on some of what the compiler writes (seen with 3.19).
        self.program = os.path.join(folder, "program")
        self._run(["objcopy", "--strip-debug", program, self.program])
        self.folder = folder
        self.counter = os.path.join(folder, "count_allocations.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "count_allocations.c")
        self._run(["cc", "-O2", "-shared", "-fPIC", "-o", self.counter, source, "-ldl"])
        names = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
        self.symbols = [line.split()[-1] for line in names.splitlines() if line]

    @staticmethod
    def _run(command, **more):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **more)
        except subprocess.TimeoutExpired:
            raise Failed(f"no end within {PATIENCE} s: {' '.join(command)}") from None
        if done.returncode != 0:
            raise Failed(f"exit status {done.returncode}: {' '.join(command)}\n{done.stdout}{done.stderr}")
        return done

    def per_message(self, count, messages):
        return (count(2 * messages) - count(messages)) / messages

    def arguments(self, case, messages):
        return [self.program, "count", *case, str(messages)]

    def function(self, case):
        """The symbol of the loop that is counted: the hot root itself, or the C function."""
        loop, transport, poller = case
        # The same loop over a batch that is told to join what it sends.
        loop = loop.replace("joined", "batch")
        if loop == "c":
            return "counter_loop_turns"
        if loop.startswith("c-"):
            return f"counter_{loop[2:]}_turns"
        if loop == "wasteful":
            # The only one that is called; as a specialization it has no plain symbol.
            return "*wasteful*"
        # A root's symbol begins with the module, the length of its name, and its name.
        wanted = re.compile(rf"^\$s7outside\d+hot_{loop}_{transport}_{poller}")
        plain = [s for s in self.symbols if wanted.match(s) and re.search(r"F$", s)]
        if len(plain) != 1:
            raise Failed(f"{len(plain)} symbols for hot_{loop}_{transport}_{poller}")
        return plain[0]

    def instructions(self, case, messages=1000):
        def count(number):
            out = os.path.join(self.folder, "callgrind.out")
            self._run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                       f"--toggle-collect={self.function(case)}", *self.arguments(case, number)])
            with open(out, encoding="utf-8") as file:
                return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)[1])
        return self.per_message(count, messages)

    def system_calls(self, case, messages=1000):
        def count(number):
            out = os.path.join(self.folder, "strace.out")
            # Without -f: the peer is another process and not looked at.
            self._run(["strace", "-qq", "-o", out, "-e", "signal=none", *self.arguments(case, number)])
            with open(out, encoding="utf-8", errors="replace") as file:
                return sum(1 for line in file if re.match(r"\w+\(", line))
        return self.per_message(count, messages)

    def allocations(self, case, messages=5000):
        def count(number):
            with tempfile.NamedTemporaryFile(dir=self.folder) as out:
                environment = dict(os.environ, LD_PRELOAD=self.counter, COUNT_ALLOCATIONS_TO=out.name,
                                   SWIFT_DETERMINISTIC_HASHING="1")
                self._run(self.arguments(case, number), env=environment)
                return int(open(out.name, encoding="utf-8").read())
        # A program sets itself up with a few allocations more or less from run to run, so the fewest of several runs
        # are compared. A loop that allocates has more in the longer run: the runs are so long that one allocation in
        # 200 messages exceeds the variation of the set-up.
        shorter = longer = sys.maxsize
        for _ in range(10):
            shorter = min(shorter, count(messages))
            longer = min(longer, count(2 * messages))
            if longer <= shorter:
                return 0.0
        return (longer - shorter) / messages
