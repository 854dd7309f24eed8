"""Lots and a program for the tests of decisions about an account."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.lifecycle import Account, Lot
from loyalty_rules.program import Program
from shop import program

AT = datetime(2025, 1, 20, 12, tzinfo=UTC)
ANNA, BEN = Account("member", "anna"), Account("member", "ben")
WHY = {"reason": "typed by mistake", "by": "desk-3", "event": "E-1", "at": AT}


def shop(**parts: Any) -> Program:
    return lr.load_program(program(**parts))


def lot(name: str, outstanding: int, expires_on: date | None = None, account: Account = ANNA, order: int = 1) -> Lot:
    """Return a lot of points with some units; it expires at the end of its last day, in UTC."""
    ends = datetime.combine(expires_on + timedelta(days=1), datetime.min.time(), UTC) if expires_on else None
    units, issued_on = Decimal(outstanding), date(2025, 1, 15)
    issue = IssueCurrency(
        f"acme/{name}/p/earn",
        "p",
        "earn",
        name,
        account.id,
        None,
        "points",
        units,
        "issued",
        issued_on,
        None,
        None,
        expires_on,
        ends,
        (),
        (),
    )
    return Lot(issue, order, units, outstanding=units, issue_on=issued_on, expires_on=expires_on, expires_at=ends)


def drawn(draws: Any) -> list[tuple[str, Decimal]]:
    """Return the sale and the amount of each draw."""
    return [(each.lot.split("/")[1], each.amount) for each in draws]
