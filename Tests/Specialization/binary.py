"""A release binary as a table of instructions by address, with the names of its functions.

Functions are found by following control flow, not by symbols: the compiler merges equal functions into ones that have
none.
"""
import bisect
import platform
import re
import shutil
import subprocess
import sys


class Unsupported(Exception):
    """This machine cannot run the check; the text says why."""


def require_machine():
    if platform.machine() not in ("x86_64", "AMD64"):
        raise Unsupported(f"unsupported: the check reads x86-64 instructions, and this machine is {platform.machine()}")
    if not shutil.which("objdump"):
        raise Unsupported("objdump is missing: apt-get install binutils")
    for tool in ("swift-demangle",):
        if not shutil.which(tool):
            raise Unsupported(f"{tool} is missing: it comes with the Swift toolchain; put its folder into PATH")


def output(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


LABEL = re.compile(r"^([0-9a-f]+) <(.+)>:$")
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")
RELOCATION = re.compile(r"^([0-9a-f]+)\s+R_\S+\s+(\S+)")


class Binary:
    def __init__(self, path):
        self.path = path
        self.code = {}  # address: text
        self.following = {}  # address: the next one
        self.labels = {}  # address: mangled name
        self.imports = {}  # address of a slot that the loader fills: name
        previous = None
        for line in output("objdump", "-d", "-w", "--no-show-raw-insn", path).splitlines():
            match = INSTRUCTION.match(line)
            if match:
                address = int(match[1], 16)
                self.code[address] = match[2].strip()
                if previous is not None:
                    self.following[previous] = address
                previous = address
                continue
            match = LABEL.match(line)
            if match:
                self.labels[int(match[1], 16)] = match[2]
        for line in output("objdump", "-R", path).splitlines():
            match = RELOCATION.match(line)
            if match:
                self.imports[int(match[1], 16)] = re.sub(r"@.*", "", match[2])
        self.aliases = {}  # address: every mangled name there
        for line in output("nm", path).splitlines():
            parts = line.split()
            if len(parts) == 3 and parts[1] in "tTwW":
                self.aliases.setdefault(int(parts[0], 16), []).append(parts[2])
        if not self.aliases:
            raise Unsupported(f"{path} is stripped: build it without stripping")
        self.starts = sorted(set(self.labels) | set(self.aliases))
        names = [n for n in list(self.labels.values()) + [a for l in self.aliases.values() for a in l]]
        self.readable = self._demangle(sorted(set(names)))
        self._generic = {}

    @staticmethod
    def _demangle(names):
        text = output("swift-demangle", "--compact", input="\n".join(names) + "\n")
        return dict(zip(names, text.splitlines()))

    def mangled(self, address):
        """The name that begins exactly here, or None."""
        if address in self.aliases:
            return self.aliases[address][0]
        return self.labels.get(address)

    def name(self, address):
        """A readable name; code without a symbol is named by its address."""
        mangled = self.mangled(address)
        return self.readable.get(mangled, mangled) if mangled else f"merged code at {address:#x}"

    def names(self, address):
        return [self.readable.get(n, n) for n in self.aliases.get(address, [])] or [self.name(address)]

    def is_start(self, address):
        return address in self.labels or address in self.aliases

    def end_of(self, address):
        """Where the next symbol begins."""
        place = bisect.bisect_right(self.starts, address)
        return self.starts[place] if place < len(self.starts) else sys.maxsize

    def is_unspecialized(self, address):
        """Whether the function here takes type parameters at run time."""
        mangled = self.mangled(address)
        if not mangled or not mangled.startswith("$s"):
            return False
        if mangled not in self._generic:
            tree = output("swift-demangle", "--tree-only", mangled)
            specialized = "GenericSpecialization" in tree or "GenericPartialSpecialization" in tree
            generic = "DependentGenericParamType" in tree or "DependentGenericSignature" in tree
            self._generic[mangled] = generic and not specialized
        return self._generic[mangled]

    def table_targets(self, jump, history):
        """The targets of a jump table (switch), or None when the jump is none: `history` is what ran before it."""
        loads = [h for h in history[-12:] if re.match(r"movslq \(%\w+,%\w+,4\)", self.code[h])]
        bases = [h for h in history[-16:] if re.match(r"lea .*\(%rip\)", self.code[h]) and "#" in self.code[h]]
        if not loads or not bases:
            return None
        base = int(re.search(r"#\s*([0-9a-f]+)", self.code[bases[-1]])[1], 16)
        raw = self._bytes(base, 4 * 512)
        targets = []
        low = self.starts[max(0, bisect.bisect_right(self.starts, jump) - 1)]
        for i in range(0, len(raw) - 3, 4):
            target = base + int.from_bytes(raw[i:i + 4], "little", signed=True)
            # A table ends where its entries leave the function.
            if target not in self.code or not low <= target < self.end_of(jump):
                break
            targets.append(target)
        return targets or None

    def _bytes(self, address, count):
        text = output("objdump", "-s", f"--start-address={address}", f"--stop-address={address + count}", self.path)
        data = bytearray()
        for line in text.splitlines():
            match = re.match(r"^ ([0-9a-f]+) ((?:[0-9a-f]{2,8} ){1,4})", line)
            if match:
                data += bytes.fromhex(match[2].replace(" ", ""))
        return bytes(data)
