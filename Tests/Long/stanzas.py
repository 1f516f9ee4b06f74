"""The stanzas of Tests/Long/mutants: the parser, and the checks that do not require a build."""

import pathlib
import re


class StanzaError(Exception):
    """An invalid stanza; the text describes the error."""


class Stanza:
    """One mutation: a line of a file, its replacement, and the test that must then fail."""

    def __init__(self, source, number, lines):
        self.place = f"{source.name}:{number}"
        self.title = lines[0][1:].strip()
        fields, old, new = {}, None, None
        for line in lines[1:]:
            if line.startswith("- "):
                old = self.only(old, line[2:].strip(), "a line that begins with -")
            elif line == "+" or line.startswith("+ "):
                new = self.only(new, line[2:].strip(), "a line that begins with +")
            elif match := re.fullmatch(r"(file|test|where|rule):\s*(.*\S)\s*", line):
                name = match.group(1)
                fields[name] = self.only(fields.get(name), match.group(2), f"{name}:")
            elif not line.startswith("#"):
                raise StanzaError(f"{self.place}: not understood: {line}")
        missing = [name for name in ("file", "test", "where") if name not in fields]
        if old is None:
            missing.append("-")
        if new is None:
            missing.append("+")
        if missing:
            raise StanzaError(f"{self.place}: {self.title}: without {', '.join(missing)}")
        self.file, self.old, self.new, self.where = fields["file"], old, new, fields["where"]
        # The rule of the conformance kit that must fail.
        self.rule = fields.get("rule")
        self.target, _, self.filter = fields["test"].partition("/")
        if self.where not in ("host", "guest"):
            raise StanzaError(f"{self.place}: where: is host or guest, not {self.where}")
        if not self.filter:
            raise StanzaError(f"{self.place}: test: is TARGET/FILTER, not {fields['test']}")

    def only(self, before, now, what):
        if before is not None:
            raise StanzaError(f"{self.place}: {self.title}: two of {what}")
        return now

    def mutated(self, text):
        """Returns the text of the file with the mutation applied."""
        lines = text.split("\n")
        places = [index for index, line in enumerate(lines) if line.strip() == self.old]
        if len(places) != 1:
            raise StanzaError(
                f"{self.place}: {self.title}: the line occurs {len(places)} times in {self.file}, not once: {self.old}")
        if self.new == self.old:
            raise StanzaError(f"{self.place}: {self.title}: the mutation changes nothing")
        line = lines[places[0]]
        lines[places[0]] = line[: len(line) - len(line.lstrip())] + self.new if self.new else ""
        return "\n".join(lines)


def read_stanzas(folder):
    """Returns all stanzas in the text files of a folder, sorted by file name."""
    stanzas = []
    for source in sorted(folder.glob("*.txt")):
        block, begun = [], 0
        for number, line in enumerate(source.read_text().split("\n") + [""], 1):
            if line.strip():
                if not block:
                    begun = number
                block.append(line.rstrip())
            elif block:
                if not block[0].startswith("#"):
                    raise StanzaError(f"{source.name}:{begun}: a stanza begins with # and a sentence")
                # A block that consists only of comments is not a stanza.
                if any(not line.startswith("#") for line in block):
                    stanzas.append(Stanza(source, begun, block))
                block = []
    return stanzas


def test_names(folder):
    """Returns the names of the tests below a folder, as used by `swift test --filter`: Target.Suite/test()."""
    names = []
    for source in sorted(folder.rglob("*.swift")):
        suites, waiting = [], False
        for line in source.read_text().split("\n"):
            indent = len(line) - len(line.lstrip())
            if match := re.match(
                    r"\s*(?:@[\w.]+(?:\(.*\))?\s+)*(?:(?:public|private|final|fileprivate)\s+)*"
                    r"(?:struct|class|enum|actor|extension)\s+([\w.]+)", line):
                suites = [(depth, name) for depth, name in suites if depth < indent] + [(indent, match.group(1))]
            if re.match(r"\s*@Test\b", line):
                waiting = True
            match = re.search(r"\bfunc\s+`?([^`(]+?)`?\s*[(<]", line)
            if match and waiting:
                path = [name.replace(".", "/") for depth, name in suites if depth < indent]
                names.append(f"{folder.name}.{'/'.join(path + [match.group(1)])}()")
                waiting = False
    return names


def check(stanzas, package):
    """Validates stanzas; returns a list of errors, one line each."""
    faults, names, titles = [], {}, {}
    for stanza in stanzas:
        try:
            path = package / stanza.file
            if not path.is_file():
                raise StanzaError(f"{stanza.place}: {stanza.title}: there is no {stanza.file}")
            if not stanza.file.startswith("Sources/"):
                raise StanzaError(f"{stanza.place}: {stanza.title}: {stanza.file} is not in Sources")
            stanza.mutated(path.read_text())
            folder = package / "Tests" / stanza.target
            if not folder.is_dir():
                raise StanzaError(f"{stanza.place}: {stanza.title}: there is no test target {stanza.target}")
            if stanza.target not in names:
                names[stanza.target] = test_names(folder)
            # A filter may contain a test's arguments; they are not checked here.
            wanted = re.sub(r"\\?\(.*$", "", stanza.filter)
            if not any(re.search(wanted, name) for name in names[stanza.target]):
                raise StanzaError(f"{stanza.place}: {stanza.title}: no test of {stanza.target} matches {stanza.filter}")
            if stanza.title in titles:
                raise StanzaError(f"{stanza.place}: {stanza.title}: {titles[stanza.title]} has the same title")
            titles[stanza.title] = stanza.place
        except re.error as error:
            faults.append(f"{stanza.place}: {stanza.title}: the filter is no regular expression: {error}")
        except StanzaError as error:
            faults.append(str(error))
    return faults
