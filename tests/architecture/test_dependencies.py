"""Each dependency is imported by one wing, so that replacing it changes one place."""

from __future__ import annotations

import sys

import pytest

from .source import PACKAGE, Module, control, modules, top_packages

each_module = pytest.mark.parametrize("module", list(modules().values()), ids=lambda module: module.name or PACKAGE)


OWNERS = {
    "cattrs": "documents",
    "dateutil": "values",
    "hypothesis": "testing",
    "sqlalchemy": "ledger",
    "psycopg": "ledger",
    "rich": "cli",
    "pytest": "testing",
}
FREE = {"attrs", "attr", PACKAGE}


def misplaced_dependencies(module: Module) -> list[str]:
    """Return the dependencies that a module imports and another wing owns."""
    return sorted(each for each in top_packages(module) if each in OWNERS and OWNERS[each] != module.wing)


@each_module
def test_a_dependency_is_imported_by_its_wing_alone(module: Module) -> None:
    assert misplaced_dependencies(module) == []


@pytest.mark.parametrize("dependency", sorted(OWNERS))
def test_a_dependency_imported_elsewhere_is_seen(dependency: str) -> None:
    for text in (
        f"import {dependency}",
        f"import {dependency}.inner as x",
        f"def f():\n    from {dependency}.inner import x",
    ):
        assert misplaced_dependencies(control(text, "engine.evaluation")) == [dependency]
        assert misplaced_dependencies(control(text, OWNERS[dependency])) == []


@each_module
def test_every_dependency_has_an_owner(module: Module) -> None:
    assert top_packages(module) - set(sys.stdlib_module_names) - set(OWNERS) - FREE == set()
