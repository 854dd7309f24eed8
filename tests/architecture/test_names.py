"""Public names exist, are sorted and have docstrings; a module is one concept and is named after it."""

from __future__ import annotations

import ast

import pytest

from .source import PACKAGE, Module, control, definitions, modules, public_names

each_module = pytest.mark.parametrize("module", list(modules().values()), ids=lambda module: module.name or PACKAGE)


def sorted_names(names: list[str]) -> list[str]:
    """Return names in the linter's order: constants, classes, functions, each from A to Z."""
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
def test_public_names_exist_are_sorted_and_have_docstrings(module: Module) -> None:
    assert name_faults(module) == []


@each_module
def test_a_module_has_a_docstring_and_lists_its_public_names(module: Module) -> None:
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
def test_a_missing_unsorted_or_undocumented_name_is_seen(text: str) -> None:
    assert len(name_faults(control(text))) == 1


def test_sorted_names_with_docstrings_are_allowed() -> None:
    text = (
        "__all__ = ['ONE', 'A', 'Y', 'Z', 'b']\nfrom x import A, Z\nONE = 1\ndef b():\n    'Be.'\n"
        "if TYPE_CHECKING:\n    from y import Y"
    )
    assert name_faults(control(text)) == []


MAX_LINES = 600
NO_CONCEPTS = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "managers", "misc", "tools"}


def module_faults(module: Module) -> list[str]:
    count = len(module.text.splitlines())
    found = [f"{count} lines: two concepts in one module"] if count > MAX_LINES else []
    return found + [f"{part} is no concept" for part in module.name.split(".") if part in NO_CONCEPTS]


@each_module
def test_a_module_is_one_concept_and_named_after_it(module: Module) -> None:
    assert module_faults(module) == []


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
def test_a_module_that_is_too_long_or_names_no_concept_is_seen(module: Module) -> None:
    assert len(module_faults(module)) == 1


@pytest.mark.parametrize(
    "module", [control("x = 1\n" * 600, "dates"), control("", "base_values")], ids=lambda m: m.name
)
def test_a_module_of_one_concept_is_allowed(module: Module) -> None:
    assert module_faults(module) == []
