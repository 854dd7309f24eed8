"""The layers of the package, from the bottom up, and the table of them in docs/architecture.md.

`python tests/architecture/layers.py` prints the table.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from architecture.source import PACKAGE, Module, dependencies, modules

LAYERS = [
    ["errors"],
    ["serials", "values"],
    ["events", "keys"],
    ["rules"],
    ["intent_parts"],
    ["account_intents"],
    ["intents"],
    ["documents", "engine"],
    ["program"],
    ["adapters", "lifecycle", "loading", "paths", "reports", "schema"],
    ["linting"],
    ["ledger"],
    ["reporting"],
    [""],
    ["testing"],
    ["cli"],
    ["__main__"],
]
"""The wings by layer. A module imports from lower layers and from its own wing, and no import is circular."""

LEVELS = {wing: number for number, layer in enumerate(LAYERS, 1) for wing in layer}


def upward_imports(module: Module, known: dict[str, Module]) -> list[str]:
    """Return the imports of a module that do not go down, as sentences."""
    if module.wing not in LEVELS:
        return [f"{module.name} belongs to no layer"]
    level = LEVELS[module.wing]
    return [
        f"{module.name or PACKAGE} imports {each or PACKAGE}, which is not in a lower layer"
        for each in sorted(dependencies(module, known))
        if each.partition(".")[0] != module.wing and LEVELS.get(each.partition(".")[0], 99) >= level
    ]


def layers_table() -> str:
    """Return the layers as a Markdown table: wing, modules, purpose, and the wings it imports from."""
    lines = ["| layer | wing | modules | holds | imports from |", "|---|---|---|---|---|"]
    known = modules()
    for number, layer in enumerate(LAYERS, 1):
        for wing in layer:
            members = [each for each in known.values() if each.wing == wing]
            lines.append(
                f"| {number} | `{_shown(wing)}` | {len(members)} | {_purpose(known[wing])} "
                f"| {', '.join(f'`{_shown(each)}`' for each in _imports_of(members)) or '–'} |"
            )
    return "\n".join(lines)


def _imports_of(members: list[Module]) -> list[str]:
    known = modules()
    wings = {each.partition(".")[0] for member in members for each in dependencies(member, known)}
    return sorted(wings - {members[0].wing}, key=lambda wing: (LEVELS[wing], wing))


def _shown(wing: str) -> str:
    return wing or PACKAGE


def _purpose(module: Module) -> str:
    docstring = ast.get_docstring(module.tree) or ""
    return docstring.split("\n\n")[0].replace("\n", " ").partition(" Source:")[0].rstrip(".")


if __name__ == "__main__":
    sys.stdout.write(layers_table() + "\n")
