"""The source of the package as syntax trees, read without an import: modules, imports and public names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "loyalty_rules"
PACKAGE = "loyalty_rules"


@dataclass(frozen=True)
class Module:
    """One file: its dotted name below the package (`rules.expiry`; empty for the package itself), and its text."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def wing(self) -> str:
        """The module or package right below the root: `events`, `rules`, `ledger`…"""
        return self.name.partition(".")[0]


@cache
def modules() -> dict[str, Module]:
    """Return all modules of the package by name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = list(path.relative_to(SOURCE).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = Module(name, path.read_text(encoding="utf-8"), is_package)
    return found


def control(text: str, name: str = "control") -> Module:
    """Build a module for a control: a small source that a check must flag, or must not."""
    return Module(name, text)


def imported(module: Module) -> Iterator[tuple[str, str]]:
    """Yield every import anywhere in the file: the source, and the name or an empty text for a whole module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((absolute(module, node), alias.name) for alias in node.names)


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """Return the absolute source of a `from … import`."""
    if node.level == 0:
        return node.module or ""
    parts = [PACKAGE, *module.name.split(".")] if module.name else [PACKAGE]
    kept = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def top_packages(module: Module) -> set[str]:
    """Return the top-level packages that a module imports."""
    return {source.partition(".")[0] for source, _ in imported(module)}


def dependencies(module: Module, known: dict[str, Module]) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = set()
    for source, name in imported(module):
        if source == PACKAGE or source.startswith(PACKAGE + "."):
            below = source.removeprefix(PACKAGE).removeprefix(".")
            inner = f"{below}.{name}".removeprefix(".") if name else below
            found.add(inner if inner in known else below)
    return found - {module.name}


def public_names(module: Module) -> list[str] | None:
    """Return `__all__`; None if the module has none."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return list(ast.literal_eval(node.value))
    return None


def is_type_checking(test: ast.expr) -> bool:
    """Return whether a condition holds for type checkers only."""
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def definitions(module: Module) -> dict[str, ast.AST]:
    """Return the names that a module defines or imports at its top level, for type checkers too."""
    found: dict[str, ast.AST] = {}
    blocks = [each for each in module.tree.body if isinstance(each, ast.If) and is_type_checking(each.test)]
    for node in [*module.tree.body, *(inner for block in blocks for inner in block.body)]:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found.update({each.id: node for each in ast.walk(target) if isinstance(each, ast.Name)})
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update({alias.asname or alias.name: node for alias in node.names})
    return found
