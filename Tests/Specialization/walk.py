"""Follows every instruction that can be reached from a root."""
import re

import rules

TARGET = re.compile(r"^([0-9a-f]+)(?: <(.+)>)?$")
SLOT = re.compile(r"#\s*([0-9a-f]+)")
JUMP = re.compile(r"^(?:bnd )?(?:notrack )?(j\w+|call)\s+(.*)$")


class Report:
    """What was found from one root."""

    def __init__(self):
        self.faults = set()  # (category, where, what)
        self.instructions = 0
        self.functions = set()
        self.system_calls = 0
        self.cold = set()

    def categories(self):
        return {category for category, _, _ in self.faults}


class Walk:
    def __init__(self, binary):
        self.binary = binary
        self.report = Report()
        self.seen = set()

    def from_root(self, address):
        todo = [(address, address, ())]
        self.report.functions.add(address)
        while todo:
            place, function, history = todo.pop()
            todo += self._run(place, function, list(history))
        self.report.instructions = len(self.seen)
        return self.report

    def _fault(self, category, function, what):
        self.report.faults.add((category, self.binary.name(function), what))

    def _run(self, place, function, history):
        """Runs from one address until the path ends; returns where other paths begin."""
        others = []
        while place is not None and place not in self.seen:
            text = self.binary.code.get(place)
            if text is None:
                self._fault("code that cannot be read", function, hex(place))
                return others
            self.seen.add(place)
            history.append(place)
            match = JUMP.match(text)
            if text.startswith("syscall"):
                self.report.system_calls += 1
            if re.match(r"(repz )?ret|ud2|hlt|int3", text):
                return others
            if not match:
                place = self.binary.following.get(place)
                continue
            kind, operand = match.groups()
            goes_on = True
            if operand.startswith("*"):
                goes_on = self._indirect(kind, operand, place, function, history, others)
            else:
                target = int(TARGET.match(operand.split(" #")[0].strip())[1], 16)
                goes_on = self._direct(kind, target, function, history, others)
            if kind == "jmp" or not goes_on:
                return others
            place = self.binary.following.get(place)
        return others

    def _direct(self, kind, target, function, history, others):
        """True when the instruction after a call can be reached."""
        label = self.binary.labels.get(target, "")
        if label.endswith("@plt"):
            return self._external(label.removesuffix("@plt"), function)
        if kind != "call" and not self.binary.is_start(target):
            others.append((target, function, tuple(history[-16:])))
            return True
        names = self.binary.names(target)
        reason = rules.cold_reason(names)
        if reason:
            self.report.cold.add(reason)
            return True
        for name in names:
            category = rules.fault(name)
            if category:
                self._fault(category, function, name)
                return True
        if self.binary.is_unspecialized(target):
            self._fault("unspecialized generic", function, self.binary.name(target))
            return True
        self.report.functions.add(target)
        others.append((target, target, ()))
        return True

    def _external(self, name, function):
        if name not in rules.EXTERNAL:
            self._fault(rules.fault(name) or "external call", function, name)
        return name not in rules.NO_RETURN

    def _indirect(self, kind, operand, place, function, history, others):
        slot = SLOT.search(operand) or SLOT.search(self.binary.code[place])
        if slot and "(%rip)" in operand and int(slot[1], 16) in self.binary.imports:
            return self._external(self.binary.imports[int(slot[1], 16)], function)
        if kind == "jmp":
            targets = self.binary.table_targets(place, history)
            if targets is not None:
                others += [(target, function, ()) for target in targets]
                return False
        self._fault("indirect call", function, f"{kind} {operand}")
        return True
