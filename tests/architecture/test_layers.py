"""Imports go down: each module imports from lower layers and from its own wing, and never a private name."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from .layers import LEVELS, layers_table, upward_imports
from .source import PACKAGE, ROOT, Module, absolute, control, dependencies, modules

each_module = pytest.mark.parametrize("module", list(modules().values()), ids=lambda module: module.name or PACKAGE)


def test_the_modules_are_found() -> None:
    assert {"", "values.amounts", "rules.expiry", "engine.evaluation", "program", "testing.vectors"} <= set(modules())


# -- down ------------------------------------------------------------------------------------------------------------


@each_module
def test_imports_go_down(module: Module) -> None:
    assert upward_imports(module, modules()) == []


def test_every_wing_has_a_layer_and_every_layer_a_wing() -> None:
    assert {module.wing for module in modules().values()} == set(LEVELS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values.amounts", "from loyalty_rules.engine.evaluation import Evaluator"),
        ("values.amounts", "import loyalty_rules.engine.evaluation"),
        ("values.amounts", "from loyalty_rules.engine import evaluation"),
        ("values.amounts", "from ..engine import evaluation"),
        ("values.amounts", "from ..engine.evaluation import Evaluator"),
        ("values.amounts", "def f():\n    from loyalty_rules.rules.expiry import Never"),
        ("values.amounts", "import loyalty_rules"),
        ("engine.plan", "from loyalty_rules.documents.structuring import unstructure"),
        ("lifecycle.returns", "from loyalty_rules.ledger import MemoryLedger"),
        ("lifecycle.returns", "from ..ledger.memory import MemoryLedger"),
        ("utilities", ""),
    ],
)
def test_an_upward_import_is_seen(name: str, text: str) -> None:
    assert len(upward_imports(control(text, name), modules())) == 1


def test_a_downward_import_is_allowed() -> None:
    text = "from loyalty_rules.values.amounts import micros\nimport json"
    assert upward_imports(control(text, "engine.evaluation"), modules()) == []


# -- no circle -------------------------------------------------------------------------------------------------------


def cycle(known: dict[str, Module]) -> list[str]:
    """Return the modules of an import circle; an empty list if there is none."""
    try:
        TopologicalSorter({name: dependencies(module, known) for name, module in known.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_is_circular() -> None:
    assert cycle(modules()) == []


def test_a_circular_import_is_seen() -> None:
    known = {
        "lifecycle.a": control("from loyalty_rules.lifecycle.b import x", "lifecycle.a"),
        "lifecycle.b": control("from .a import y", "lifecycle.b"),
    }
    assert sorted(set(cycle(known))) == ["lifecycle.a", "lifecycle.b"]


# -- no private names ------------------------------------------------------------------------------------------------


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_imports(module: Module, known: dict[str, Module]) -> list[str]:
    """Return the private names of other modules that a module imports, or reads as attributes of them."""
    found, bound = [], set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            source = absolute(module, node)
            if source.partition(".")[0] != PACKAGE:
                continue
            below = source.removeprefix(PACKAGE).removeprefix(".")
            for alias in node.names:
                if is_private(alias.name):
                    found.append(f"{module.name} imports {alias.name} from {below}")
                if f"{below}.{alias.name}".removeprefix(".") in known:
                    bound.add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            bound |= {alias.asname for alias in node.names if alias.asname and alias.name.startswith(PACKAGE)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = ast.unparse(node.value)
            if owner in bound or owner.startswith(PACKAGE + "."):
                found.append(f"{module.name} reads {owner}.{node.attr}")
    return found


@each_module
def test_no_private_name_of_another_module_is_used(module: Module) -> None:
    assert private_imports(module, modules()) == []


@pytest.mark.parametrize(
    "text",
    [
        "from loyalty_rules.values.identifiers import _MAX_LIST",
        "from ..values.identifiers import _MAX_LIST",
        "from loyalty_rules.values import identifiers\nx = identifiers._MAX_LIST",
        "from loyalty_rules.values import identifiers as ids\nx = ids._MAX_LIST",
        "import loyalty_rules.values.identifiers as ids\nx = ids._MAX_LIST",
        "import loyalty_rules.values.identifiers\nx = loyalty_rules.values.identifiers._MAX_LIST",
    ],
)
def test_a_private_name_of_another_module_is_seen(text: str) -> None:
    assert len(private_imports(control(text, "schema.control"), modules())) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from loyalty_rules.values.identifiers import read_id",
        "class A:\n    def f(self):\n        return self._own",
        "import attrs\nx = attrs._make",
        "def f(other):\n    return other._same_class",
    ],
)
def test_own_private_names_and_those_of_other_packages_are_allowed(text: str) -> None:
    assert private_imports(control(text, "schema.control"), modules()) == []


# -- the page --------------------------------------------------------------------------------------------------------


def test_the_page_about_the_architecture_shows_the_layers_of_the_code() -> None:
    """If this fails, replace the table by the output of `python tests/architecture/layers.py`."""
    assert layers_table() in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
