"""The methods for asyncio are those for threads, awaited; `test_methods` calls them both ways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from loyalty_rules.ledger import AsyncLedgerMethods, LedgerMethods


def methods(cls: type) -> Mapping[str, Callable[..., Any]]:
    """Return the public methods that a class itself defines, by name."""
    return {name: each for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")}


def shape(function: Callable[..., Any]) -> list[tuple[str, Any, Any, Any]]:
    """Return the name, kind, default and type of every parameter, and the type of the result."""
    signature = inspect.signature(function, eval_str=True)
    parameters = [(each.name, each.kind, each.default, each.annotation) for each in signature.parameters.values()]
    return [*parameters, ("return", None, None, signature.return_annotation)]


NAMES = [*methods(LedgerMethods)]


def test_both_classes_have_the_same_methods_in_the_same_order() -> None:
    assert [*methods(AsyncLedgerMethods)] == NAMES
    assert len(NAMES) > 15


@pytest.mark.parametrize("name", NAMES)
def test_each_method_has_the_same_signature_and_docstring_awaited_or_not(name: str) -> None:
    one, other = methods(LedgerMethods)[name], methods(AsyncLedgerMethods)[name]

    assert shape(one) == shape(other)
    assert inspect.getdoc(one) == inspect.getdoc(other) is not None
    assert not inspect.iscoroutinefunction(one)
    assert inspect.iscoroutinefunction(other)
