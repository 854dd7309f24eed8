"""The kinds of state: names, look-ups, and which records are possible."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from loyalty_rules.ledger.kinds import KINDS, PAYMENTS, SHORTFALLS, Kind, balance_name
from loyalty_rules.lifecycle.records import Account, Shortfall

AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
FAMILY = Account("group", "family")
REVERSAL, LOT = "acme/R-1/p/earn/reverse", "acme/T-1/p/earn"
OWED = Shortfall(REVERSAL, LOT, FAMILY, "points", AT, Decimal(5), Decimal(2), carried=True)


def values(kind: Kind[Any], record: Any) -> dict[str, str | None]:
    return {name: value_of(record) for name, value_of in kind.found_by.items()}


def test_each_kind_has_a_name_of_its_own() -> None:
    assert sorted({each.name for each in KINDS}) == sorted(each.name for each in KINDS)
    assert {PAYMENTS, SHORTFALLS} <= {*KINDS}


def test_the_name_of_a_balance_tells_a_member_from_a_group() -> None:
    assert balance_name(FAMILY, "points") == "group/family/points"
    assert balance_name(Account("member", "family"), "points") == "member/family/points"


@pytest.mark.parametrize(
    ("changes", "debtor"),
    [
        ({}, "group/family/points"),
        ({"open": Decimal(0)}, None),
        ({"carried": False}, None),
    ],
)
def test_a_shortfall_is_found_by_its_debtor_while_a_part_of_it_is_owed(
    changes: dict[str, Any], debtor: str | None
) -> None:
    assert values(SHORTFALLS, attrs.evolve(OWED, **changes)) == {"balance": "group/family/points", "debtor": debtor}


@pytest.mark.parametrize(("units", "valid"), [("0", True), ("5", True), ("-0.000001", False), ("5.000001", False)])
def test_the_open_part_of_a_shortfall_is_between_nothing_and_all_of_it(units: str, valid: bool) -> None:
    assert SHORTFALLS.is_valid(attrs.evolve(OWED, open=Decimal(units))) is valid
