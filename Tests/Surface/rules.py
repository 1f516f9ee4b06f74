"""The rules of the public surface. Each returns its findings, as (place, text); the report is beside it."""
import re

from graph import CALLABLE, METHODS, PROTOCOL, TYPES

LIMITS = {
    # What a reader must learn in order to write a transport or a poller. Empty markers need no learning.
    "protocols of SocketKitCore": 18,
    "protocols": 26,
    # What a reader must find the right one among. Options, constants, fields and codes are found by their names, and
    # what implements a requirement is known from the protocol. The plan counted those too: see the next limit.
    "declarations": 520,
    "declarations with implementations": 520,
    # More forms of one verb than these, and a reader cannot choose without the reference.
    "declarations of one name": 4,
    # What a completion list shows on one line each.
    "names of one type": 30,
}

# One count is still above its limit. It must not grow: lower the number when the count falls.
LIMITS_OF_TODAY = LIMITS | {"declarations with implementations": 733}

# What Equatable, Comparable and Hashable describe already.
STANDARD = {"==", "!=", "<", "<=", ">", ">=", "hash(into:)", "hashValue"}

# Public signatures that name a C type, and why they may.
C_TYPES_ALLOWED = {}


def protocols(graph):
    """The public protocols with at least one requirement, by module."""
    found = []
    for symbol in graph.declared({PROTOCOL}):
        if any(graph.symbols[key].path[:-1] == symbol.path for key in graph.requirements if key in graph.symbols):
            found.append(symbol)
    return found


def check_protocols(graph, limits):
    found = protocols(graph)
    core = [symbol for symbol in found if symbol.module == "SocketKitCore"]
    for name, symbols in (("protocols of SocketKitCore", core), ("protocols", found)):
        if len(symbols) > limits[name]:
            titles = ", ".join(sorted(symbol.path[-1] for symbol in symbols))
            yield "", f"{len(symbols)} public {name} with requirements: {limits[name]} are allowed: {titles}"


def declarations(graph):
    """The public methods, initializers and subscripts, each once. What the compiler has made has no place."""
    return [symbol for symbol in graph.declared(CALLABLE) if symbol.place]


def implementations(graph):
    """Those of the declarations that implement a requirement: a reader knows them from the protocol."""
    return [symbol for symbol in declarations(graph)
            if symbol.id not in graph.requirements and graph.implements(symbol)]


def check_declarations(graph, limits):
    total = len(declarations(graph))
    count = total - len(implementations(graph))
    if count > limits["declarations"]:
        yield "", (f"{count} public methods, initializers and subscripts that implement no requirement: "
                   f"{limits['declarations']} are allowed")
    limit = limits["declarations with implementations"]
    if total > limit:
        yield "", f"{total} public methods, initializers and subscripts in all: {limit} are allowed"


def forms(graph, concrete):
    """The declarations of each base name, {name: [declaration]}: a try form and its waiting form are one. The first
    label of an initializer is a part of its name."""
    groups = {}
    for symbol in graph.callables(concrete):
        parameters = [(label, resolved(kind, graph, concrete)) for label, kind in symbol.parameters]
        limit = next((kind for label, kind in parameters if label == "until"), "")
        rest = tuple(part for part in parameters if part[0] != "until")
        is_static = symbol.kind.startswith("swift.type.")
        # A declaration of the type hides an extension's with the same parameters; so does one extension another's.
        name = f"init({parameters[0][0]}:)" if symbol.base_name == "init" and parameters else symbol.base_name
        found = groups.setdefault((name, is_static, rest), {})
        if limit not in found or found[limit].is_inherited or found[limit].module != concrete.module:
            found[limit] = symbol
    names = {}
    for (name, _, _), found in groups.items():
        waiting = [symbol for limit, symbol in found.items() if limit]
        names.setdefault(name, []).extend(waiting if len(waiting) > 1 or "" not in found else [found[""]])
    return names


def resolved(text, graph, concrete):
    """A parameter's type as the concrete type has it: `Self.Address` and `IPSocketAddress` may be the same."""
    def value(match):
        return graph.alias(concrete, match.group(1)) or match.group(0)
    text = re.sub(r"\bSelf\.(\w+)", value, text)
    return re.sub(r"\bSelf\b", concrete.path[-1], text)


def method_names(names):
    return {name for name, found in names.items() if any(symbol.kind in METHODS for symbol in found)}


def check_types(graph, limits):
    for concrete in graph.declared(TYPES):
        names = forms(graph, concrete)
        for name, found in names.items():
            if len(found) > limits["declarations of one name"]:
                titles = ", ".join(sorted(symbol.title for symbol in found))
                yield concrete.place, (f"{concrete} has {len(found)} declarations of {name}: "
                                       f"{limits['declarations of one name']} are allowed: {titles}")
        count = len(method_names(names))
        if count > limits["names of one type"]:
            yield concrete.place, (f"{concrete} has methods of {count} names: "
                                   f"{limits['names of one type']} are allowed")


def is_documented(graph, symbol):
    """Whether a symbol, or a requirement that it implements, has a comment."""
    if symbol.is_documented:
        return True
    # The standard library documents its requirements.
    return any(requirement is None or is_documented(graph, requirement) for requirement in graph.implements(symbol))


def check_documentation(graph, _):
    for symbol in graph.declared():
        is_standard = symbol.base_name in STANDARD or symbol.title in STANDARD
        # What the compiler has made has no place.
        if symbol.place and not is_standard and not is_documented(graph, symbol):
            yield symbol.place, f"{symbol} has no documentation"


def c_types(symbol):
    """The C types that a declaration names, as the compiler identifies them."""
    fragments = list(symbol.data.get("declarationFragments", []))
    names = {part["spelling"] for part in fragments if part.get("preciseIdentifier", "").startswith("c:")}
    text = " ".join([symbol.declaration] + [part[2] for part in symbol.constraints])
    return sorted(names | set(re.findall(r"\bcsk_\w+", text)))


def check_c_types(graph, _):
    for symbol in graph.declared():
        for name in c_types(symbol):
            if (str(symbol), name) not in C_TYPES_ALLOWED:
                yield symbol.place, f"{symbol} has the C type {name} in its signature"


RULES = [check_protocols, check_declarations, check_types, check_documentation, check_c_types]
