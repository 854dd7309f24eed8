"""The house rules that a reader relies on, checked in the syntax trees of the source; nothing is imported for it.

Each check is a function from a module to what is wrong with it, and has controls: small sources that it must flag,
and some that it must not. A check sees what is written plainly; who wants to hide a call from it can.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "loyalty_rules"
PACKAGE = "loyalty_rules"


@dataclass(frozen=True)
class Module:
    """One file: its name below the package (`dates`, `lifecycle.returns`; a package by itself), and its text."""

    name: str
    text: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        """The room that the module is in: `dates`, `lifecycle`, `ledger`…"""
        return self.name.partition(".")[0]


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = list(path.relative_to(SOURCE).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = Module(name, path.read_text(encoding="utf-8"), is_package)
    return found


def control(text: str, name: str = "control") -> Module:
    return Module(name, text)


each_module = pytest.mark.parametrize("module", list(modules().values()), ids=lambda module: module.name or "__init__")


def test_the_modules_are_found() -> None:
    assert {"", "values.amounts", "rules.expiry", "engine.evaluation", "program", "testing.vectors"} <= set(modules())


# -- imports -----------------------------------------------------------------------------------------------------------


def imported(module: Module) -> Iterator[tuple[str, str]]:
    """Every import, wherever in the file: from where, and what (or nothing, for a module as a whole)."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((absolute(module, node), alias.name) for alias in node.names)


def absolute(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = [PACKAGE, *module.name.split(".")] if module.name else [PACKAGE]
    kept = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def tops(module: Module) -> set[str]:
    return {source.partition(".")[0] for source, _ in imported(module)}


def ours(module: Module, known: dict[str, Module]) -> set[str]:
    """The modules of the package that a module imports."""
    found = set()
    for source, name in imported(module):
        if source == PACKAGE or source.startswith(PACKAGE + "."):
            below = source.removeprefix(PACKAGE).removeprefix(".")
            inner = f"{below}.{name}".removeprefix(".") if name else below
            found.add(inner if inner in known else below)
    return found - {module.name}


# -- the ladder --------------------------------------------------------------------------------------------------------

LADDER = [
    ["errors"],
    ["serials", "values"],
    ["events", "keys"],
    ["rules"],
    ["intents"],
    ["documents", "engine"],
    ["program"],
    ["lifecycle", "loading", "paths", "schema"],
    ["linting"],
    ["ledger"],
    [""],
    ["testing"],
    ["cli"],
    ["__main__"],
]
"""The layers, from the bottom up. A module imports from lower layers and from its own wing; no import is circular.

The lower layers know nothing of the higher ones: no module of the engine imports a ledger.
"""

RUNGS = {name: number for number, rung in enumerate(LADDER) for name in rung}


def climbs(module: Module, known: dict[str, Module]) -> list[str]:
    """The imports of a module that do not go down."""
    if module.package not in RUNGS:
        return [f"{module.name} stands on no rung of the ladder"]
    rung = RUNGS[module.package]
    return [
        f"{module.name or PACKAGE} imports {each or PACKAGE}, which is no lower"
        for each in sorted(ours(module, known))
        if each.partition(".")[0] != module.package and RUNGS.get(each.partition(".")[0], 99) >= rung
    ]


def cycle(known: dict[str, Module]) -> list[str]:
    try:
        TopologicalSorter({name: ours(module, known) for name, module in known.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@each_module
def test_imports_go_down(module: Module) -> None:
    assert climbs(module, modules()) == []


def test_no_imports_go_round() -> None:
    assert cycle(modules()) == []


def test_the_ladder_holds_what_there_is() -> None:
    there = {module.package for module in modules().values()}
    assert set(RUNGS) - {"ledger", "cli", "__main__"} <= there <= set(RUNGS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values.amounts", "from loyalty_rules.engine.evaluation import Walk"),
        ("values.amounts", "import loyalty_rules.engine.evaluation"),
        ("values.amounts", "from loyalty_rules.engine import evaluation"),
        ("values.amounts", "from ..engine import evaluation"),
        ("values.amounts", "from ..engine.evaluation import Walk"),
        ("values.amounts", "def f():\n    from loyalty_rules.rules.expiry import Never"),
        ("values.amounts", "import loyalty_rules"),
        ("engine.plan", "from loyalty_rules.documents.structuring import unstructure"),
        ("lifecycle.returns", "from loyalty_rules.ledger import MemoryLedger"),
        ("lifecycle.returns", "from ..ledger.memory import MemoryLedger"),
        ("utilities", ""),
    ],
)
def test_an_import_that_goes_up_is_seen(name: str, text: str) -> None:
    assert len(climbs(control(text, name), {**modules(), "ledger": control("", "ledger")})) == 1


def test_an_import_that_goes_down_is_none_of_them() -> None:
    text = "from loyalty_rules.values.amounts import micros\nimport json"
    assert climbs(control(text, "engine.evaluation"), modules()) == []


def test_imports_that_go_round_are_seen() -> None:
    known = {
        "lifecycle.a": control("from loyalty_rules.lifecycle.b import x", "lifecycle.a"),
        "lifecycle.b": control("from .a import y", "lifecycle.b"),
    }
    assert sorted(set(cycle(known))) == ["lifecycle.a", "lifecycle.b"]


# -- one front door for each dependency --------------------------------------------------------------------------------

FRONT_DOORS = {
    "cattrs": "documents",
    "dateutil": "values",
    "hypothesis": "testing",
    "sqlalchemy": "ledger",
    "psycopg": "ledger",
    "rich": "cli",
    "pytest": "testing",
}
FREE = {"attrs", "attr", PACKAGE}


def wrong_doors(module: Module) -> list[str]:
    return sorted(each for each in tops(module) if each in FRONT_DOORS and FRONT_DOORS[each] != module.package)


@each_module
def test_a_dependency_comes_in_by_its_own_door(module: Module) -> None:
    assert wrong_doors(module) == []


@pytest.mark.parametrize("door", sorted(FRONT_DOORS))
def test_a_dependency_that_comes_in_elsewhere_is_seen(door: str) -> None:
    for text in (f"import {door}", f"import {door}.inner as x", f"def f():\n    from {door}.inner import x"):
        assert wrong_doors(control(text, "engine.evaluation")) == [door]
        assert wrong_doors(control(text, FRONT_DOORS[door])) == []


@each_module
def test_every_dependency_has_a_door(module: Module) -> None:
    assert tops(module) - set(sys.stdlib_module_names) - set(FRONT_DOORS) - FREE == set()


# -- a core without clock, chance, input or output ---------------------------------------------------------------------

# What reads files, writes to a terminal, keeps books or tests others, and what only says how documents look.
OUTSIDE = {"cli", "ledger", "testing", "schema", "__main__"}
OUTSIDE_MODULES = {"documents.sources"}

IMPURE_MODULES = {
    *("time", "random", "secrets", "uuid", "os", "io", "pathlib", "tempfile", "shutil", "glob", "sys", "subprocess"),
    *("logging", "warnings", "locale", "gettext", "socket", "ssl", "urllib", "http", "select", "signal", "asyncio"),
    *("threading", "multiprocessing", "concurrent", "contextvars", "sqlite3", "platform", "getpass", "tomllib"),
}
IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "breakpoint", "id"}
IMPURE_METHODS = {"now", "utcnow", "today", "getenv", "read_text", "read_bytes", "write_text", "write_bytes"}


def impurities(module: Module) -> list[str]:
    """What of a module could make the same call give something else, or leave a trace."""
    found = [f"imports {each}" for each in sorted(tops(module) & IMPURE_MODULES)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in IMPURE_CALLS and isinstance(node.ctx, ast.Load):
            found.append(f"line {node.lineno}: {node.id}")
        elif isinstance(node, ast.Attribute) and node.attr in IMPURE_METHODS:
            found.append(f"line {node.lineno}: .{node.attr}")
        elif isinstance(node, ast.Global):
            found.append(f"line {node.lineno}: global {', '.join(node.names)}")
    return found


@pytest.mark.parametrize(
    "module",
    [module for module in modules().values() if module.package not in OUTSIDE and module.name not in OUTSIDE_MODULES],
    ids=lambda m: m.name or PACKAGE,
)
def test_the_core_reads_no_clock_draws_no_chance_and_does_no_input_or_output(module: Module) -> None:
    assert impurities(module) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "from secrets import token_hex",
        "import os",
        "from os import environ",
        "import os.path as p",
        "import io",
        "import logging",
        "import locale",
        "import socket",
        "import subprocess",
        "import threading",
        "def f():\n    import time",
        "from datetime import datetime\nat = datetime.now()",
        "from datetime import datetime\nat = datetime.utcnow()",
        "from datetime import date\nday = date.today()",
        "import datetime\nclock = datetime.datetime.now",
        "def f(path):\n    return open(path)",
        "def f(path):\n    return path.read_text()",
        "print(5)",
        "say = print",
        "def f():\n    global seen\n    seen = 1",
    ],
)
def test_what_is_not_pure_is_seen(text: str) -> None:
    assert len(impurities(control(text))) == 1


def test_what_is_pure_is_none_of_it() -> None:
    text = "from datetime import UTC, datetime\nimport json\nimport hmac\nat = datetime(2025, 1, 15, tzinfo=UTC)"
    assert impurities(control(text)) == []


# -- decimal arithmetic in one room ------------------------------------------------------------------------------------

AMBIENT = {"getcontext", "setcontext", "localcontext", "quantize", "Context", "BasicContext", "ExtendedContext"}
ROUNDING_CALLS = {"sum", "round", "divmod", "pow", "abs"}


def decimal_names(tree: ast.AST) -> set[str]:
    """Names that are annotated as a Decimal somewhere in a tree: arguments and variables."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and is_decimal(node.annotation):
            names.add(node.arg)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_decimal(node.annotation):
            names.add(node.target.id)
    return names


def is_decimal(annotation: ast.expr) -> bool:
    """`Decimal` or `Decimal | None`; not a mapping or a function of Decimals."""
    text = ast.unparse(annotation).strip("'\"")
    return "Decimal" in (part.strip() for part in text.split("|"))


class DecimalArithmetic(ast.NodeVisitor):
    """Operators on what is known to be a Decimal, within the function or class that says so."""

    def __init__(self) -> None:
        self.names: list[set[str]] = [set()]
        self.fields: list[set[str]] = [set()]
        self.found: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.names.append(self.names[-1] | decimal_names(node))
        self.generic_visit(node)
        self.names.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        body = ast.Module(body=[each for each in node.body if isinstance(each, ast.AnnAssign)], type_ignores=[])
        self.fields.append(decimal_names(body))
        self.generic_visit(node)
        self.fields.pop()

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.note(node, node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if not isinstance(node.op, ast.Not):
            self.note(node, node.operand)
        else:
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.note(node, node.target, node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ROUNDING_CALLS:
            self.note(node, *node.args)
        else:
            self.generic_visit(node)

    def note(self, node: ast.stmt | ast.expr, *operands: ast.expr) -> None:
        if any(map(self.is_decimal, operands)):
            self.found.append(f"line {node.lineno}: {ast.unparse(node)}")
        self.generic_visit(node)

    def is_decimal(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.names[-1]
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self.fields[-1]
            case ast.Call(func=ast.Name(id="Decimal")):
                return True
        return False


def decimal_faults(module: Module) -> list[str]:
    found = [f"imports {source}" for source, name in imported(module) if source == "decimal" and name != "Decimal"]
    for node in ast.walk(module.tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in AMBIENT:
            found.append(f"{name}, line {node.lineno}")
    arithmetic = DecimalArithmetic()
    arithmetic.names.append(
        decimal_names(ast.Module([n for n in module.tree.body if isinstance(n, ast.AnnAssign)], []))
    )
    arithmetic.visit(module.tree)
    return found + arithmetic.found


@each_module
def test_decimals_are_reckoned_with_in_amounts_alone(module: Module) -> None:
    if module.name != "values.amounts":
        assert decimal_faults(module) == []


@pytest.mark.parametrize(
    "text",
    [
        "import decimal",
        "from decimal import ROUND_UP",
        "def f(x):\n    return x.quantize(1)",
        "def f():\n    getcontext()",
        "def f(amount: Decimal):\n    return amount + 1",
        "def f(amount: Decimal):\n    return 1 - amount",
        "def f(amount: 'Decimal'):\n    return amount * 2",
        "def f(amount: Decimal | None):\n    return amount / 2",
        "def f(*, amount: Decimal):\n    return -amount",
        "def f(amount: Decimal):\n    amount += 1",
        "def f(amount: Decimal):\n    return round(amount)",
        "def f(amount: Decimal):\n    return abs(amount)",
        "def f(amount: Decimal):\n    return lambda: amount % 2",
        "def f():\n    total: Decimal = g()\n    return total ** 2",
        "TOTAL: Decimal = g()\nTWICE = TOTAL * 2",
        "x = Decimal(5) // 2",
        "class A:\n    amount: Decimal\n    def f(self):\n        return self.amount + 1",
    ],
)
def test_arithmetic_on_decimals_is_seen(text: str) -> None:
    assert len(decimal_faults(control(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from decimal import Decimal\nZERO = Decimal(0)",
        "def f(amount: Decimal):\n    return micros(amount) + 1",
        "def f(amount: Decimal):\n    return amount > 0 and not amount",
        "def f(amount: int):\n    return amount + 1",
        "def f(of: Mapping[str, Decimal]):\n    return of | of",
        "def f(amount: Decimal): pass\ndef g(amount: int):\n    return amount + 1",
        "class A:\n    amount: Decimal\n    def f(self):\n        return self.count + 1",
    ],
)
def test_what_is_no_arithmetic_on_decimals_is_none_of_it(text: str) -> None:
    assert decimal_faults(control(text)) == []


# -- names -------------------------------------------------------------------------------------------------------------


def public_names(module: Module) -> list[str] | None:
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return list(ast.literal_eval(node.value))
    return None


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def definitions(module: Module) -> dict[str, ast.AST]:
    """What a module defines or imports at its top level, by name."""
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


def sorted_names(names: list[str]) -> list[str]:
    """Constants first, then classes, then functions, each from A to Z: the order that the linter keeps."""
    return sorted(
        names, key=lambda name: (2 if not name[:1].isupper() else 0 if name.isupper() and len(name) > 1 else 1, name)
    )


def name_faults(module: Module) -> list[str]:
    names = public_names(module)
    if names is None:
        return []
    defined = definitions(module)
    found = [f"{name} is not there" for name in names if name not in defined]
    found += ["__all__ is not sorted"] if names != sorted_names(names) else []
    found += [
        f"{name} has no docstring"
        for name in names
        if isinstance(defined.get(name), (ast.FunctionDef, ast.ClassDef)) and not ast.get_docstring(defined[name])
    ]
    return found


@each_module
def test_public_names_exist_are_sorted_and_say_what_they_are(module: Module) -> None:
    assert name_faults(module) == []


@each_module
def test_a_module_says_what_it_is_and_which_names_are_public(module: Module) -> None:
    assert ast.get_docstring(module.tree)
    assert module.name == "__main__" or not definitions(module) or public_names(module) is not None


@pytest.mark.parametrize(
    "text",
    [
        "__all__ = ['a']",
        "__all__ = ['a']\ndef a(): pass",
        "__all__ = ['A']\nclass A: pass",
        "__all__ = ['b', 'a']\nfrom x import a, b",
        "__all__ = ['a', 'A']\nfrom x import a, A",
    ],
)
def test_a_name_that_is_missing_unsorted_or_unexplained_is_seen(text: str) -> None:
    assert len(name_faults(control(text))) == 1


def test_names_in_order_with_docstrings_are_none_of_it() -> None:
    text = (
        "__all__ = ['ONE', 'A', 'Y', 'Z', 'b']\nfrom x import A, Z\nONE = 1\ndef b():\n    'Be.'\n"
        "if TYPE_CHECKING:\n    from y import Y"
    )
    assert name_faults(control(text)) == []


# -- sizes and rooms ---------------------------------------------------------------------------------------------------

MAX_LINES = 600
NO_ROOMS = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "managers", "misc", "tools"}


def room_faults(module: Module) -> list[str]:
    count = len(module.text.splitlines())
    found = [f"{count} lines: two concepts in one room"] if count > MAX_LINES else []
    return found + [f"{part} is no concept" for part in module.name.split(".") if part in NO_ROOMS]


@each_module
def test_a_module_is_one_concept_and_named_after_it(module: Module) -> None:
    assert room_faults(module) == []


@pytest.mark.parametrize(
    "module",
    [
        control("x = 1\n" * 601, "dates"),
        control("", "utils"),
        control("", "ledger.helpers"),
        control("", "core"),
        control("", "lifecycle.manager"),
    ],
    ids=lambda module: f"{module.name}-{len(module.text)}",
)
def test_a_room_that_is_too_large_or_has_no_name_is_seen(module: Module) -> None:
    assert len(room_faults(module)) == 1


@pytest.mark.parametrize(
    "module", [control("x = 1\n" * 600, "dates"), control("", "base_values")], ids=lambda m: m.name
)
def test_a_room_with_a_name_and_a_size_is_none_of_it(module: Module) -> None:
    assert room_faults(module) == []


CHECKS: list[Callable[..., list[str]]] = [wrong_doors, impurities, decimal_faults, name_faults, room_faults]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_empty_module_has_no_fault(check: Callable[..., list[str]]) -> None:
    assert check(control("")) == []
