#!/usr/bin/env python3
"""surface.py --package FOLDER --build FOLDER [--report]: the public surface of the package's library modules, from the
symbol graphs of its debug build. Prints the counts, then a line for each breach: file, line, symbol. Exit status 1 when
there are breaches, unless --report is given; 2 when there is no build."""
import argparse
import json
import os
import sys
import tempfile
from collections import Counter

from graph import TYPES, Failed, Graph, extract, output
from rules import LIMITS, LIMITS_OF_TODAY, RULES, declarations, forms, implementations, method_names, protocols

# The types whose names every run prints.
SHOWN = ["TCPSocket", "UDPSocket", "UnixStreamSocket"]


def libraries(package):
    """The Swift modules that the package's library products contain, each with the modules that it sees."""
    with tempfile.TemporaryDirectory() as scratch:
        # A folder of its own: the package's may be in use by a build.
        data = json.loads(output("swift", "package", "--package-path", package, "--scratch-path", scratch,
                                 "dump-package"))
    targets = {target["name"]: target for target in data["targets"]}
    direct = {}
    for name, target in targets.items():
        parts = [part for dependency in target["dependencies"] for part in dependency.values()]
        direct[name] = [part[0] for part in parts if part[0] in targets]

    def all_of(names):
        found, rest = {}, list(names)
        while rest:
            name = rest.pop()
            if name not in found:
                found[name] = None
                rest += direct[name]
        return set(found)
    roots = [name for product in data["products"] if "library" in product["type"] for name in product["targets"]]
    modules = [name for name in all_of(roots) if targets[name]["type"] == "regular"]
    return {name: all_of(direct[name]) for name in sorted(modules)}


def show(graph):
    """The counts behind the rules."""
    found = protocols(graph)
    core = [symbol for symbol in found if symbol.module == "SocketKitCore"]
    print(f"protocols with requirements: {len(core)} of {LIMITS['protocols of SocketKitCore']} in SocketKitCore, "
          f"{len(found)} of {LIMITS['protocols']} in all")
    counts = Counter(symbol.module for symbol in declarations(graph))
    known = len(implementations(graph))
    print(f"methods, initializers and subscripts: {sum(counts.values()) - known} of {LIMITS['declarations']}, "
          f"and {known} that implement a requirement; with them: "
          + ", ".join(f"{module} {count}" for module, count in counts.most_common()))
    for concrete in sorted(graph.declared(TYPES), key=lambda symbol: symbol.path):
        if concrete.path[-1] in SHOWN:
            names = forms(graph, concrete)
            print(f"{concrete.path[-1]}: methods of {len(method_names(names))} names "
                  f"(of {LIMITS['names of one type']}), declarations of each: "
                  + ", ".join(f"{name} {len(group)}" for name, group in sorted(names.items())))


def show_all(graph):
    """What a person wants to see who makes the surface smaller."""
    print("\nprotocols with requirements:", ", ".join(sorted(str(symbol) for symbol in protocols(graph))))
    counts = Counter()
    for symbol in declarations(graph):
        counts[(symbol.module, ".".join(symbol.path[:-1]))] += 1
    print("\ndeclarations of each type:")
    for (module, path), count in counts.most_common():
        print(f"{count:5} {module}.{path}")
    print("\nnames of methods, and the name with most declarations, of each type:")
    rows = []
    for concrete in graph.declared(TYPES):
        names = forms(graph, concrete)
        longest = max(names.items(), key=lambda entry: len(entry[1]), default=("", []))
        rows.append((len(method_names(names)), str(concrete), longest[0], len(longest[1])))
    for count, name, longest, most in sorted(rows, reverse=True):
        if count > 10 or most > 2:
            print(f"{count:5} {name}: {longest} {most}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    root = os.path.realpath(options.package)
    try:
        modules = libraries(root)
        built = os.path.join(options.build, "Modules")
        missing = [name for name in modules if not os.path.exists(f"{built}/{name}.swiftmodule")]
        if missing:
            print(f"no build in {options.build} of {', '.join(missing)}: run `swift build`", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as folder:
            extract(modules, folder, [built, f"{root}/Sources/CSocketKit"])
            graph = Graph(folder, modules)
    except Failed as reason:
        print(f"FAIL {reason}")
        return 1
    show(graph)
    if options.report:
        show_all(graph)
    breaches = [(place.removeprefix(root + "/"), text)
                for rule in RULES for place, text in rule(graph, LIMITS_OF_TODAY)]
    print()
    for place, text in breaches:
        print(f"{place}: {text}" if place else text)
    print(f"{len(breaches)} breaches" if breaches else "ok   the surface is within its limits")
    return 1 if breaches and not options.report else 0


if __name__ == "__main__":
    sys.exit(main())
