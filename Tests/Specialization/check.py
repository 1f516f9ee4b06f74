#!/usr/bin/env python3
"""check.py BINARY: fails on anything in the hot path that a C compiler would not have put there.

From every root (a function named hot_<shape>_<transport>_<poller>) all code that can be reached in the binary is read.
Prints one line per composition. Exit status: 0 all are clean, 1 faults, 2 cannot be checked here.

check.py --any BINARY: the same for a program of your own: whatever functions it has that are named hot_…, at least
one.

check.py --must-fail LIST BINARY: the check's own test. Every root of LIST must be reported, with the category given
there.
"""
import argparse
import itertools
import re
import sys

from binary import Binary, Unsupported, require_machine
from walk import Walk

# Shapes of loops, and the sockets that each is made over, with every poller.
COMPOSITIONS = [
    (["readWrite", "catching", "accept", "server", "wrapper"], ["tcp", "unix", "mptcp", "sctp", "vsock"]),
    (["packet"], ["vsock"]),
    (["datagram", "batch", "offload"], ["udp", "metered"]),
    (["endpoint", "messaging", "packet"], ["sctp"]),
]
POLLERS = ["epoll", "poll", "spin"]
EXPECTED = 105
# A root itself, or the body that the optimizer made of it; not the thunks of closures that mention it.
ROOT = re.compile(r"^(?:function signature specialization <[^<]*> of )?\w+\.((?:hot|fail)_\w+)\(")


def roots(binary):
    """{name: addresses}"""
    found = {}
    for address, names in binary.aliases.items():
        for mangled in names:
            match = ROOT.match(binary.readable[mangled])
            if match:
                found.setdefault(match[1], []).append(address)
    return found


def examine(binary, addresses):
    reports = [Walk(binary).from_root(address) for address in addresses]
    total = reports[0]
    for report in reports[1:]:
        total.faults |= report.faults
        total.cold |= report.cold
        total.functions |= report.functions
        total.instructions = max(total.instructions, report.instructions)
        total.system_calls = max(total.system_calls, report.system_calls)
    return total


def check_root(binary, name, addresses, out):
    """Prints one line, and the faults; whether there are any."""
    report = examine(binary, addresses)
    size = f"{report.instructions} instructions, {report.system_calls} system calls, {len(report.functions)} functions"
    out(f"{'FAIL' if report.faults else 'ok  '} {name}: {size}")
    for category, where, what in sorted(report.faults):
        out(f"       {category}: {what}\n         in {where}")
    return bool(report.faults)


def hot_roots(binary):
    return {name: places for name, places in roots(binary).items() if name.startswith("hot_")}


def check_any(binary, out=print):
    """The number of faulty roots, whatever they are."""
    found = hot_roots(binary)
    if not found:
        out("FAIL no function is named hot_…: mark the roots @inline(never)")
        return 1
    return sum(check_root(binary, name, places, out) for name, places in sorted(found.items()))


def check_compositions(binary, expected_count, out=print):
    """The number of faulty or missing compositions."""
    found = hot_roots(binary)
    wanted = [f"hot_{s}_{t}_{p}" for shapes, transports in COMPOSITIONS
              for s, t, p in itertools.product(shapes, transports, POLLERS)]
    bad = 0
    for name in wanted:
        if name in found:
            bad += check_root(binary, name, found[name], out)
        else:
            out(f"FAIL {name}: not in the binary (inlined away or renamed?)")
            bad += 1
    for name in sorted(set(found) - set(wanted)):
        out(f"FAIL {name}: no composition of this name is expected")
        bad += 1
    if len(found) != expected_count:
        out(f"FAIL {len(found)} roots, expected {expected_count}")
        bad += 1
    return bad


def check_failures(binary, list_path, out=print):
    """The number of roots that were not reported as they must be."""
    found = roots(binary)
    bad = 0
    wanted = {}
    for line in open(list_path, encoding="utf-8"):
        line = line.split("#")[0].strip()
        if line:
            name, category = line.split(":")
            wanted[name.strip()] = category.strip()
    for name, category in wanted.items():
        if name not in found:
            out(f"FAIL {name}: not in the binary")
            bad += 1
            continue
        categories = examine(binary, found[name]).categories()
        if category == "clean":
            good = not categories
        else:
            good = category in categories
        reported = ", ".join(sorted(categories)) or "nothing"
        out(f"{'ok  ' if good else 'FAIL'} {name}: wanted {category}; reported {reported}")
        bad += not good
    for name in sorted(set(found) - set(wanted)):
        out(f"FAIL {name}: not in {list_path}")
        bad += 1
    # A build that lacks the compositions must not pass, nor one with a root too many or too few.
    if check_compositions(binary, EXPECTED, out=lambda _: None) == 0:
        out("FAIL a binary without compositions passed")
        bad += 1
    return bad


def main():
    parser = argparse.ArgumentParser(description="Checks that a release binary's hot paths are specialized.")
    parser.add_argument("--must-fail", metavar="LIST", help="the check's own test: roots and how each must be reported")
    parser.add_argument("--any", action="store_true", help="check the hot_… functions that there are")
    parser.add_argument("--count", type=int, default=EXPECTED, help="how many roots there must be")
    parser.add_argument("binary")
    options = parser.parse_args()
    try:
        require_machine()
        binary = Binary(options.binary)
    except Unsupported as reason:
        print(reason, file=sys.stderr)
        return 2
    if options.must_fail:
        return 1 if check_failures(binary, options.must_fail) else 0
    if options.any:
        return 1 if check_any(binary) else 0
    return 1 if check_compositions(binary, options.count) else 0


if __name__ == "__main__":
    sys.exit(main())
