"""Programs of one action, and the results that the tests of rules look at."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.facts import Facts
from shop import earn, fixed, issued, program, proportional

SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}
MONEY = {"money": "USD"}
DAY = {"days": 1}
ACTION = "$.promotions[0].actions[0]"
"""The path of the only action of a program."""


def whole(base: str, **parts: Any) -> dict:
    """A proration that issues a base as it is: 100 % of it."""
    return proportional("100", {"type": base, **parts})


def expiring(**expiry: Any) -> dict:
    """An action that issues one point with an expiry."""
    return earn(fixed("1"), expiry=expiry)


def amount(document: dict, event: dict, snapshot: dict | None = None) -> str:
    """The amount of the only issue."""
    [intent] = issued(document, event, snapshot)
    return intent["amount"]


def problem_of(document: dict) -> tuple[str, str, str]:
    """The path, the code and the message of the only problem of a program."""
    with pytest.raises(lr.DocumentError) as caught:
        lr.load_program(document)
    [problem] = caught.value.problems
    return problem.path, problem.code, problem.message


def facts_of(event: dict, snapshot: dict | None = None, **parts: Any) -> Facts:
    """The facts of an event for a program with these parts."""
    plan = lr.load_program(program(earn(fixed("1")), **parts)).plan
    return plan.facts(lr.load_event(event), lr.load_snapshot(snapshot or {}))
