"""Breaks one line of Sources at a time, builds, and requires that the test which the stanza names fails."""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from stanzas import StanzaError, check, read_stanzas

here = pathlib.Path(__file__).resolve().parent
package = here.parent.parent


def run(words, folder, limit, **variables):
    """Runs a command in its own process group; returns its exit status (None if it was killed) and its output."""
    process = subprocess.Popen(
        words, cwd=folder, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        # The child processes are in the same process group. SIGTERM lets a guest command stop its virtual machine.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        return None, ""
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


class Trial:
    """The copy of the package to which mutations are applied."""

    def __init__(self, folder, options):
        self.folder, self.options = folder, options
        self.target = None

    def update(self):
        """Copies the files that git would track. Skips unchanged files, so that incremental builds still work."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=package, check=True,
            stdout=subprocess.PIPE).stdout.decode().split("\0")
        wanted = {name for name in listed if name and (package / name).is_file()}
        for old in self.folder.rglob("*"):
            name = str(old.relative_to(self.folder))
            if old.is_file() and not name.startswith(".build") and name not in wanted:
                old.unlink()
        for name in wanted:
            source, copy = package / name, self.folder / name
            if not copy.is_file() or copy.read_bytes() != source.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)

    def write(self, file, text):
        (self.folder / file).write_text(text)
        if file.startswith("Sources/CSocketKit/"):
            # SwiftPM does not notice a changed header of a module map, so touch every source file that may include it.
            for folder in ("Sources", f"Tests/{self.target}", "Tests/TestSupport"):
                for source in (self.folder / folder).rglob("*.swift"):
                    source.touch()

    def swift(self, *words):
        return [*self.options.prefix.split(), "swift", *words]

    def build(self):
        """Builds the package; returns None, or the reason for a failure."""
        # ToolTests run the tool's program; the other targets need only their test bundle. The index is kept, because it
        # is used to find the tests.
        what = ["--build-tests"] if self.target == "ToolTests" else ["--product", "SocketKitPackageTests"]
        status, output = run(
            self.swift("build", *what, "-j", "2"), self.folder, self.options.build_limit,
            SOCKETKIT_TEST_TARGETS=self.target)
        if status == 0:
            return None
        errors = [line for line in output.split("\n") if "error:" in line]
        return (errors or output.strip().split("\n")[-1:] or ["it does not end"])[0]

    def bundle(self):
        return next((self.folder / ".build/debug").glob("*.xctest"))

    def test(self, stanza, is_mutated):
        """Runs the stanza's test: returns passed, failed, or none. The mutation of a rule must break that rule."""
        if stanza.where == "guest":
            return self.test_in_guest(stanza)
        words = [
            *self.options.prefix.split(), str(self.bundle()), "--testing-library", "swift-testing", "--filter",
            stanza.filter]
        status, output = run(words, self.folder, self.options.test_limit, SWIFT_BACKTRACE="enable=no")
        if status is None:
            return "failed", "it did not end"
        ran = re.search(r"Test run with (\d+) tests?.* (passed|failed)", output)
        if status == 0:
            return ("passed" if ran and int(ran.group(1)) > 0 else "none"), ""
        if not ran and "No matching test cases" in output:
            return "none", ""
        if not ran:
            return "failed", f"it ended with status {status}"
        failed = [match.group(1) for match in re.finditer(r"Test (\S+) (?:recorded an issue|failed after)", output)]
        if stanza.rule and is_mutated:
            broken = re.search(rf"recorded an issue.* {re.escape(stanza.rule)}[ :]", output)
            return ("failed", stanza.rule) if broken else ("passed", "")
        return "failed", failed[0] if failed else ""

    def test_in_guest(self, stanza):
        words = [
            *self.options.prefix.split(), "Tests/Guest/run", "--skip-build", "--kernel", "6.12", "--time-limit",
            str(2 * self.options.test_limit), "--filter", stanza.filter]
        status, output = run(words, self.folder, 2 * self.options.test_limit + 60)
        if status is None:
            return "failed", "it did not end"
        if re.search(r"no test ran|no test for", output):
            return "none", ""
        return ("passed" if status == 0 else "failed"), ""


def main():
    parser = argparse.ArgumentParser(
        prog="Tests/Long/run mutants", description=__doc__,
        epilog="Exit status: 0 when every test failed as it must, 1 otherwise.")
    parser.add_argument("pattern", nargs="?", default="", help="only stanzas whose place, title or file matches this")
    parser.add_argument("--check", action="store_true", help="builds nothing: checks files, lines, targets and tests")
    parser.add_argument("--list", action="store_true", help="lists the stanzas")
    parser.add_argument("--sample", type=int, metavar="SECONDS", help="begins no further stanza after so long")
    parser.add_argument("--seed", type=int, help="the order of a sample")
    parser.add_argument("--target", help="only those with a test in this target")
    parser.add_argument("--where", choices=["host", "guest"],
                        help="only those for this machine, or for the guest kernel")
    parser.add_argument("--scratch", type=pathlib.Path, default=package / ".build-mutants",
                        help="where the copy is kept")
    parser.add_argument("--build-limit", type=int, default=3600, metavar="SECONDS", help="for one build (3600)")
    parser.add_argument("--test-limit", type=int, default=60, metavar="SECONDS",
                        help="for one test, which has failed when it takes longer (60; in the guest twice that)")
    parser.add_argument("--prefix", default="", help="a command that runs the builds and tests, on a shared machine")
    options = parser.parse_args()
    try:
        stanzas = read_stanzas(here / "mutants")
        faults = check(stanzas, package)
    except StanzaError as error:
        faults = [str(error)]
    for fault in faults:
        print(f"FAIL {fault}")
    if faults:
        return 1
    if options.check:
        print(f"ok   {len(stanzas)} stanzas of mutations fit the sources")
        return 0
    chosen = [
        stanza for stanza in stanzas
        if re.search(options.pattern, f"{stanza.place} {stanza.title} {stanza.file}")
        and options.where in (None, stanza.where) and options.target in (None, stanza.target)]
    if options.sample is not None:
        seed = options.seed if options.seed is not None else random.randrange(1 << 32)
        print(f"a sample with --seed {seed}")
        random.Random(seed).shuffle(chosen)
    else:
        # Sort by target and then by file, headers last, because this order requires the least rebuilding.
        chosen.sort(key=lambda stanza: (stanza.target, "CSocketKit/" in stanza.file, stanza.file, stanza.place))
    if not chosen:
        print("no stanza matches")
        return 1
    if options.list:
        for stanza in chosen:
            print(f"{stanza.place}: {stanza.title} [{stanza.target}/{stanza.filter}, {stanza.where}]")
        return 0
    return try_all(chosen, options)


def try_all(stanzas, options):
    options.scratch.mkdir(exist_ok=True)
    trial = Trial(options.scratch, options)
    trial.update()
    begun, passed, failed, proved = time.monotonic(), 0, [], {}

    def report(stanza, word, cause):
        nonlocal passed
        passed += word == "ok"
        if word != "ok":
            failed.append(stanza)
        seconds = int(time.monotonic() - began)
        print(f"{word:4} {stanza.place}: {stanza.title}: {cause} ({seconds} s)", flush=True)

    def prove(wanted):
        """Builds without a mutation and runs the tests, which must pass; returns None, or why the build failed."""
        if fault := trial.build():
            return fault
        for stanza in wanted:
            key = (stanza.target, stanza.filter, stanza.where)
            if stanza.target == trial.target and key not in proved:
                proved[key] = trial.test(stanza, is_mutated=False)
        return None

    for stanza in stanzas:
        if options.sample is not None and time.monotonic() - begun > options.sample:
            break
        began = time.monotonic()
        key = (stanza.target, stanza.filter, stanza.where)
        if stanza.target != trial.target or key not in proved:
            trial.target = stanza.target
            # Test all stanzas of the target at once: later builds still contain the previous mutation.
            if fault := prove([stanza] if options.sample is not None else stanzas):
                print(f"FAIL the package cannot be built without any mutation: {fault}")
                return 1
            seconds = int(time.monotonic() - began)
            print(f"     {stanza.target} is built and passes what it must: {seconds} s", flush=True)
            began = time.monotonic()
        if proved[key][0] != "passed":
            word = {"none": "no test matches", "failed": "the test fails without the mutation"}
            report(stanza, "FAIL", f"{word.get(proved[key][0], proved[key][0])} {proved[key][1]}")
            continue
        original = (trial.folder / stanza.file).read_text()
        trial.write(stanza.file, stanza.mutated(original))
        try:
            if fault := trial.build():
                report(stanza, "FAIL", f"the mutation cannot be built: {fault}")
                continue
            outcome, detail = trial.test(stanza, is_mutated=True)
            if outcome == "failed":
                report(stanza, "ok", f"{stanza.target}/{stanza.filter} fails{': ' if detail else ''}{detail}")
            else:
                what = "passes all the same" if outcome == "passed" else "does not run"
                report(stanza, "FAIL", f"{stanza.target}/{stanza.filter} {what}")
        finally:
            trial.write(stanza.file, original)
    print(f"{passed} passed, {len(failed)} failed, in {int(time.monotonic() - begun)} s")
    for stanza in failed:
        print(f"  {stanza.place}: {stanza.title}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
