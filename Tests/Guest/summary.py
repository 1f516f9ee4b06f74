"""summary.py NAME STATUS EVENTS LOG [FILTER…]: summarizes a Swift Testing run in the guest and lists its failures.

EVENTS is the event stream of the run, LOG its output. The exit status is 0 only if tests ran, every filter matched at
least one of them, and all of them ended and passed.
"""
import json
import re
import sys

SHOWN = 150


def read_events(path):
    """Returns the names of the test functions, the tests for each kind of event, and whether the run has ended."""
    functions, seen, ended = {}, {}, False
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            break  # The guest ended while it was writing this line.
        payload = record["payload"]
        if record["kind"] == "test":
            if payload["kind"] == "function":
                functions[payload["id"]] = payload["id"].split("/")
            continue
        kind = payload["kind"]
        if kind == "issueRecorded" and payload.get("issue", {}).get("isKnown"):
            continue
        ended = ended or kind == "runEnded"
        seen.setdefault(kind, set()).add(payload.get("testID"))
    return functions, seen, ended


def main(name, status, events, log, filters):
    functions, seen, ended = read_events(events)
    # An issue may belong to a suite or, if a test left a thread running, to no test.
    elsewhere = {test for test in seen.get("issueRecorded", set()) if test not in functions}
    ran = {test for test in seen.get("testStarted", set()) if test in functions}
    failed = ran & seen.get("issueRecorded", set())
    unfinished = ran - seen.get("testEnded", set()) - failed
    unavailable = {test for test in functions if test not in ran}
    passed = len(ran) - len(failed) - len(unfinished)
    with open(log, encoding="utf-8", errors="replace") as file:
        output = file.read().splitlines()
    raced = any("WARNING: ThreadSanitizer" in line for line in output)

    causes = []
    if status != 0:
        causes.append(f"exit status {status}")
    if not ran:
        causes.append("no test ran")
    # Detect renamed tests that a filter no longer matches.
    causes += [f"no test for {wish}" for wish in filters if not any(re.search(wish, test) for test in ran)]
    if not ended:
        causes.append("the run has no end")
    if elsewhere:
        causes.append("an issue outside the tests")
    if raced:
        causes.append("a data race")
    print(
        f"{name}: {len(ran)} tests run, {passed} passed, {len(failed)} failed, {len(unavailable)} unavailable"
        + (f", {len(unfinished)} unfinished" if unfinished else "")
        + "".join(f"; {cause}" for cause in causes),
        flush=True,
    )
    for word, tests in ("failed", failed), ("unavailable", unavailable), ("unfinished", unfinished):
        for test in sorted(tests):
            print(f"  {word}: {'/'.join(functions[test][:2])}")
    if not (failed or unavailable or unfinished or causes):
        return 0
    telling = [line for line in output if line[:1] not in "◇✔" or not line] if ended else output
    print(f"  --- output of {name}" + (f", the last {SHOWN} lines" if len(telling) > SHOWN else ""))
    print("\n".join(f"  {line}" for line in telling[-SHOWN:]))
    return 1


sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]))
