"""Symbol graphs of several modules, read as one. `swift symbolgraph-extract` writes for each module M the file
M.symbols.json, and M@N.symbols.json for what M adds to the types of N."""
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

METHODS = {"swift.method", "swift.type.method"}
# Methods, initializers and subscripts.
CALLABLE = METHODS | {"swift.init", "swift.subscript", "swift.type.subscript"}
TYPES = {"swift.struct", "swift.class", "swift.enum"}
PROTOCOL = "swift.protocol"
SYNTHESIZED = "::SYNTHESIZED::"


class Failed(Exception):
    pass


def output(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise Failed(f"{words[0]}: {reason}") from None
    if done.returncode:
        raise Failed(f"{' '.join(words[:4])} failed with status {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def extract(modules, folder, search):
    """Writes the graphs of built modules into a folder. `search` is where the modules and headers are."""
    target = json.loads(output("swiftc", "-print-target-info"))["target"]["triple"]
    paths = [word for path in search for word in ("-I", path)]

    def one(module):
        output("swift", "symbolgraph-extract", "-module-name", module, "-target", target, "-output-dir", folder,
               "-minimum-access-level", "public", *paths)
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(one, modules))


class Symbol:
    def __init__(self, data, module):
        self.data = data
        self.module = module
        self.kind = data["kind"]["identifier"]
        self.id = data["identifier"]["precise"]
        self.title = data["names"]["title"]
        self.path = tuple(data["pathComponents"])

    def __str__(self):
        return f"{self.module}.{'.'.join(self.path)}"

    @property
    def is_inherited(self):
        """Whether the graph repeats a protocol extension's member for a type that conforms."""
        return SYNTHESIZED in self.id

    @property
    def origin(self):
        """The declaration of what may be inherited."""
        return self.id.split(SYNTHESIZED)[0]

    @property
    def is_documented(self):
        return bool(self.data.get("docComment"))

    @property
    def base_name(self):
        return self.title.split("(")[0]

    @property
    def parameters(self):
        """(label, type) of each, without what says only who owns the value."""
        found = re.search(r"\((.*)\)$", self.title)
        labels = found.group(1).split(":")[:-1] if found else []
        types = []
        for part in self.data.get("functionSignature", {}).get("parameters", []):
            text = "".join(piece["spelling"] for piece in part["declarationFragments"])
            types.append(re.sub(r"\b(consuming|borrowing|inout|@escaping) ", "", text.split(": ", 1)[-1]))
        types += [""] * (len(labels) - len(types))
        return list(zip(labels, types))

    @property
    def result(self):
        parts = self.data.get("functionSignature", {}).get("returns", [])
        return "".join(piece["spelling"] for piece in parts)

    @property
    def declaration(self):
        return "".join(part["spelling"] for part in self.data.get("declarationFragments", []))

    @property
    def constraints(self):
        """What the extension and the declaration demand: (kind, left, right)."""
        found = self.data.get("swiftExtension", {}).get("constraints", [])
        found = found + self.data.get("swiftGenerics", {}).get("constraints", [])
        return [(part["kind"], part["lhs"], part["rhs"]) for part in found]

    @property
    def generic_parameters(self):
        return {part["name"] for part in self.data.get("swiftGenerics", {}).get("parameters", [])}

    @property
    def place(self):
        """The file and line; empty for what the compiler has made."""
        location = self.data.get("location")
        if not location:
            return ""
        return f"{location['uri'].removeprefix('file://')}:{location['position']['line'] + 1}"


class Graph:
    """`sees` names for each module those that it imports, also through others."""

    def __init__(self, folder, sees):
        self.sees = sees
        self.symbols = {}
        # The symbols that belong to one; sets in the order of the file.
        self.members = {}
        self.conformances = {}
        self.requirements = {}
        # The requirement, of another module perhaps, that a symbol implements.
        self.implemented = {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".symbols.json"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    self._read(json.load(file), name.removesuffix(".symbols.json").split("@")[0])
        self._types = {}
        for symbol in self.symbols.values():
            if symbol.kind in TYPES or symbol.kind == PROTOCOL:
                self._types[symbol.path] = symbol
        self._associated = {symbol.path[-1] for symbol in self.symbols.values()
                            if symbol.kind == "swift.associatedtype"}
        self._extension_members = {}
        for symbol in self.declared(CALLABLE):
            owner = self.owner(symbol)
            if owner and owner.kind == PROTOCOL and symbol.id not in self.requirements:
                self._extension_members.setdefault(owner.id, []).append(symbol)

    def _read(self, data, module):
        for symbol in data["symbols"]:
            found = Symbol(symbol, module)
            self.symbols.setdefault(found.id, found)
        for part in data["relationships"]:
            kind, source, target = part["kind"], part["source"], part["target"]
            if kind == "memberOf":
                self.members.setdefault(target, {})[source] = None
            elif kind in ("requirementOf", "optionalRequirementOf", "overrides"):
                self.requirements[source] = None
            elif kind in ("conformsTo", "inheritsFrom"):
                self.conformances.setdefault(source, {})[target] = None
            if kind in ("defaultImplementationOf", "overrides"):
                self.implemented[source] = target
            elif "sourceOrigin" in part and kind == "memberOf":
                self.implemented.setdefault(source, part["sourceOrigin"]["identifier"])

    def declared(self, kinds=None):
        """The symbols that a source declares, each once."""
        return [s for s in self.symbols.values() if not s.is_inherited and (kinds is None or s.kind in kinds)]

    def owner(self, symbol):
        """The type or protocol of these modules that a symbol is a member of."""
        return self._types.get(symbol.path[:-1])

    def all_conformances(self, type_id):
        found, rest = {}, [type_id]
        while rest:
            for target in self.conformances.get(rest.pop(), {}):
                if target not in found:
                    found[target] = None
                    rest.append(target)
        return found

    def implements(self, symbol):
        """The requirements that a member implements; None stands for one of another package."""
        target = self.implemented.get(symbol.id)
        if target and target not in self.symbols:
            return [None]
        found = self._namesakes(symbol) + ([self.symbols[target]] if target else [])
        return [requirement for requirement in found if self._has_types_of(symbol, requirement)]

    def _has_types_of(self, symbol, requirement):
        """Whether the types are the requirement's. What names Self, an associated type or a generic parameter may be
        any type: the compiler's own relation, and the names of a graph, look at the labels alone."""
        named = self._associated | requirement.generic_parameters | {"Self", "some"}
        mine, wanted = [[kind for _, kind in each.parameters] + [each.result] for each in (symbol, requirement)]
        return len(mine) == len(wanted) and all(
            mine_type == type_ or named & set(re.findall(r"\w+", type_)) for mine_type, type_ in zip(mine, wanted))

    def _namesakes(self, symbol):
        """The requirements that a member may implement, where the graph does not say so: of an associated type, or
        in an extension of another protocol than the requirement's."""
        owner = self.owner(symbol)
        if not owner:
            return []
        protocols = self.all_conformances(owner.id)
        for kind, left, right in symbol.constraints:
            other = self._types.get(tuple(right.split(".")))
            if kind == "conformance" and left == "Self" and other:
                protocols[other.id] = None
                protocols.update(self.all_conformances(other.id))
        found = [self.symbols[key] for key in self.requirements if key in self.symbols]
        return [requirement for requirement in found if requirement.path[-1] == symbol.path[-1]
                and requirement.id != symbol.id and getattr(self.owner(requirement), "id", None) in protocols]

    def callables(self, concrete):
        """The methods, initializers and subscripts of a type, those of protocol extensions of these modules included.

        A module's graph has the members that it inherits from extensions that the module sees. Others, of extensions in
        modules beside it, are added here: a program may import both.
        """
        found = {}
        for identifier in self.members.get(concrete.id, {}):
            symbol = self.symbols.get(identifier)
            if symbol and symbol.kind in CALLABLE and symbol.origin in self.symbols:
                found[symbol.origin] = symbol
        for protocol in self.all_conformances(concrete.id):
            for symbol in self._extension_members.get(protocol, []):
                is_seen = symbol.module == concrete.module or symbol.module in self.sees.get(concrete.module, ())
                if not is_seen and symbol.id not in found and self._holds(symbol, concrete):
                    found[symbol.id] = symbol
        return list(found.values())

    def _holds(self, symbol, concrete):
        # Only the mangled name says whether an extension is for noncopyable types too: "Ri_z" is `Self: ~Copyable`.
        if "Ri_z" not in symbol.id and "s:s8CopyableP" not in self.all_conformances(concrete.id):
            return False
        return all(self._is_met(part, concrete) for part in symbol.constraints if part[1].split(".")[0] == "Self")

    def _is_met(self, constraint, concrete):
        kind, left, right = constraint
        subject = concrete
        text = ".".join(concrete.path)
        if left != "Self":
            name = left.removeprefix("Self.")
            if name in concrete.generic_parameters:
                return False
            text = self.alias(concrete, name)
            # An associated type that no public typealias names: it may be the one.
            if text is None:
                return True
            subject = self._types.get(tuple(text.split(".")))
        if kind == "sameType":
            return text == right
        return bool(subject) and any(self._is_named(target, right) for target in self.all_conformances(subject.id))

    def alias(self, concrete, name):
        """What an associated type is: of a public typealias, or of a protocol's where clause; None if neither says."""
        for identifier in self.members.get(concrete.id, {}):
            symbol = self.symbols.get(identifier)
            if symbol and symbol.kind == "swift.typealias" and symbol.path[-1] == name:
                return symbol.declaration.split(" = ", 1)[-1]
        for key in self.all_conformances(concrete.id):
            clause = self.symbols[key].declaration if key in self.symbols else ""
            found = re.search(rf"\bSelf\.{name} == ([\w.]+)", clause)
            if found:
                return found.group(1)
        return None

    def _is_named(self, protocol, name):
        known = self.symbols.get(protocol)
        if known:
            return ".".join(known.path) == name
        # Of the standard library: s:s8CopyableP.
        found = re.fullmatch(r"s:s\d+(\w+)P", protocol)
        return bool(found) and found.group(1) == name
