"""Small programs for the tests of the linter, and their findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import loyalty_rules as lr
from loyalty_rules.linting import lint
from shop import earn, fixed, program, proportional


def findings(document: dict, as_of: datetime | None = None) -> list[tuple[str, str]]:
    """The code and the path of each finding."""
    return [(finding.code, finding.path) for finding in lint(lr.load_program(document), as_of=as_of)]


def when(condition: Any, **parts: Any) -> dict:
    """A program of one promotion under a condition."""
    return promoted({"when": condition}, **parts)


def promoted(*promotions: dict, **parts: Any) -> dict:
    """A program of promotions p0, p1, …, each of which issues one point by default."""
    numbered = [{"id": f"p{number}", "actions": [earn(fixed("1"))], **each} for number, each in enumerate(promotions)]
    return program(promotions=numbered, **parts)


def action(**parts: Any) -> dict:
    """A program of one action that issues 10 points by default."""
    return program(earn(parts.pop("proration", fixed("10")), **parts))


def coupon(coupon_type: dict, **parts: Any) -> dict:
    """A program of one coupon type and an action that issues one coupon."""
    issue = {"type": "issue_coupon", "id": "c", "coupon_type": "gift", **parts}
    return program(issue, coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "1"}, **coupon_type}})


def limited(*limits: dict, proration: dict | None = None) -> dict:
    """A program with limits l0, l1, … on points."""
    named = {f"l{number}": {"currency": "points", "per": "member", **each} for number, each in enumerate(limits)}
    return program(earn(proration or proportional("10")), limits=named)


def period(**parts: int) -> dict:
    return {"type": "event_date", "after": parts}


def window(unit: str) -> dict:
    return {"type": "calendar", "unit": unit}


DELAYED = {"type": "delayed", "days": 30}
ON = "$.promotions[0].actions[0]"
LINE = {"type": "line_item_value"}
SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}
UP = {"currency": "up"}
