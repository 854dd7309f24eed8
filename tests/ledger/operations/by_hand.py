"""The arguments that every operation by hand has, and checks that are the same for all of them."""

from __future__ import annotations

from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError

from .steps import AT, NAIVE, SHOP

WHY: dict[str, Any] = {"program": SHOP, "reason": "typed by mistake", "by": "desk-3", "event": "E-1", "at": AT}

UNREADABLE = [({"reason": ""}, "reason"), ({"by": "x" * 129}, "by"), ({"event": " "}, "event"), ({"at": NAIVE}, "at")]


def named_by_error(operation: type, **arguments: Any) -> str:
    """Return the argument that the error of the constructor names."""
    with pytest.raises(InvalidValueError) as error:
        operation(**{**WHY, **arguments})
    return error.value.name
