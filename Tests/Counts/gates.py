#!/usr/bin/env python3
"""gates.py PROGRAM: what a 64-byte ping-pong message costs the server, against the same loop in C. Counts, not times, so
that they are the same on every run. Prints a table; exit status 1 beyond a limit."""
import shutil
import sys
import tempfile

from measure import Failed, Measure

INSTRUCTION_LIMIT = 1.10  # times C's
TRANSPORTS = ["tcp", "unix", "mptcp"]
POLLERS = ["epoll", "poll", "spin"]
# Nothing but the message may count; a wake-up without one, on a busy machine, is worth a few calls in all.
CALL_TOLERANCE = 0.01


def missing_tools():
    tools = {"valgrind": "valgrind", "strace": "strace", "nm": "binutils", "cc": "gcc"}
    return sorted({package for tool, package in tools.items() if not shutil.which(tool)})


def measure_all(measure):
    """One line per case; the number of limits that were passed."""
    bad = 0
    print(f"{'loop':10} {'transport':9} {'poller':6} {'instructions':>12} {'to C':>6} {'calls':>7} {'allocations':>11}")
    for transport in TRANSPORTS:
        c_instructions = c_calls = None
        cases = [("c", transport, "epoll")]
        cases += [(loop, transport, poller) for loop in ("readWrite", "wrapper") for poller in POLLERS]
        for case in cases:
            loop, _, poller = case
            spins = poller == "spin"
            # A spinning poller asks as often as there is time to: only its allocations are the same on every run.
            instructions = None if spins else measure.instructions(case)
            calls = None if spins else measure.system_calls(case)
            allocations = measure.allocations(case)
            faults = []
            ratio = None
            if loop == "c":
                c_instructions, c_calls = instructions, calls
            if instructions is not None:
                ratio = instructions / c_instructions
                if loop == "readWrite" and poller == "epoll" and ratio > INSTRUCTION_LIMIT:
                    faults.append(f"more than {INSTRUCTION_LIMIT:.2f} times C's instructions")
            if calls is not None and abs(calls - c_calls) > CALL_TOLERANCE:
                faults.append(f"C makes {c_calls:.2f} system calls")
            if allocations != 0:
                faults.append("allocates")
            cells = [f"{instructions:12.1f}" if instructions is not None else f"{'-':>12}",
                     f"{ratio:6.2f}" if ratio is not None else f"{'-':>6}",
                     f"{calls:7.2f}" if calls is not None else f"{'-':>7}", f"{allocations:11.2f}"]
            print(f"{loop:10} {transport:9} {poller:6} {' '.join(cells)}  {'FAIL ' + '; '.join(faults) if faults else 'ok'}",
                  flush=True)
            bad += bool(faults)
    return bad


def main():
    missing = missing_tools()
    if missing:
        print(f"missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 2
    if len(sys.argv) == 2 and sys.argv[1] == "--tools":
        return 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            bad = measure_all(Measure(sys.argv[1], folder))
        except Failed as reason:
            print(f"FAIL {reason}")
            return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
