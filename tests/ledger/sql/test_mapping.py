"""The mapping of amounts, instants, dates, documents and lots to rows and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from loyalty_rules.intents import SpendCurrency
from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.kinds import PAYMENTS, SHORTFALLS
from loyalty_rules.ledger.sql import AmountOutOfRangeError
from loyalty_rules.ledger.sql.mapping import (
    bounded,
    day_of,
    day_text,
    draw_row,
    instant_of,
    json_of,
    microseconds,
    record_of,
    record_row,
    text_of_json,
    version_row,
)
from loyalty_rules.ledger.sql.unit_of_work import CounterDraw, RecordVersion
from loyalty_rules.lifecycle.records import Payment, Shortfall
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    Till,
    earn,
    fixed,
    moment,
    shop,
)

OWED = Shortfall(
    "acme/R1/p/earn/reverse", "acme/T1/p/earn", ANNA, "points", moment(0), Decimal(2), Decimal(2), carried=True
)


def test_an_amount_beyond_64_bits_is_refused_and_not_recorded(till: Till, ledger: SQLLedger) -> None:
    till.runs(shop(earn(fixed("999999999999999"))))
    with pytest.raises(AmountOutOfRangeError, match="acme/T1/p/earn"):
        till.sell("T1")
    assert ledger.reconcile("acme", ["T1"]) == ["T1"]
    assert till.points() == 0


# -- instants, dates, documents, amounts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1970-01-01T00:00:00+00:00", 0),
        ("1970-01-01T00:00:00.000001+00:00", 1),
        ("1969-12-31T23:59:59.999999+00:00", -1),
        ("1970-01-01T01:00:00+02:00", -3_600_000_000),
        ("1970-01-02T00:00:00+00:00", 86_400_000_000),
        ("2000-01-01T00:00:00+00:00", 946_684_800_000_000),
    ],
)
def test_an_instant_is_a_number_of_microseconds_since_1970(text: str, number: int) -> None:
    instant = datetime.fromisoformat(text)
    assert microseconds(instant) == number
    assert instant_of(number) == instant
    assert instant_of(number).utcoffset() == timedelta(0)


@pytest.mark.parametrize("instant", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_first_and_the_last_instant_have_a_number(instant: datetime) -> None:
    assert instant_of(microseconds(instant)) == instant


def test_a_date_is_an_iso_text() -> None:
    assert day_text(date(2025, 2, 3)) == "2025-02-03"
    assert day_of("2025-02-03") == date(2025, 2, 3)
    assert (day_text(None), day_of(None)) == (None, None)


def test_a_document_is_compact_json_in_ascii() -> None:
    document = {"name": "é\0\ud800", "list": [1, None, True]}
    assert text_of_json(document) == '{"name":"\\u00e9\\u0000\\ud800","list":[1,null,true]}'
    assert json_of(text_of_json(document)) == document


@pytest.mark.parametrize("amount", [0, 1, -1, 2**63 - 1, 1 - 2**63])
def test_an_amount_within_64_bits_is_unchanged(amount: int) -> None:
    assert bounded(amount, "the amount") == amount


@pytest.mark.parametrize("amount", [2**63, -(2**63), 10**30])
def test_an_amount_beyond_64_bits_is_refused(amount: int) -> None:
    with pytest.raises(AmountOutOfRangeError, match="the amount"):
        bounded(amount, "the amount")


# -- records -----------------------------------------------------------------------------------------------------------


def test_a_draw_without_a_day_and_a_maximum_has_the_empty_day() -> None:
    row = draw_row(CounterDraw("acme", "cap", None, 5, None), 7)
    assert row == {"batch": 7, "program": "acme", "name": "cap", "day": "", "amount": 5, "most": None}


@pytest.mark.parametrize(("most", "column"), [(2**63 - 1, 2**63 - 1), (2**63, None)])
def test_a_maximum_beyond_64_bits_is_no_maximum(most: int, column: int | None) -> None:
    assert draw_row(CounterDraw("acme", "cap", date(2025, 1, 15), 5, most), 7)["most"] == column


def test_the_version_of_a_record_is_a_row_with_its_document() -> None:
    assert version_row(RecordVersion(SHORTFALLS, "acme", OWED, moment(0)), 7) == {
        "batch": 7,
        "kind": "shortfalls",
        "key": "acme/R1/p/earn/reverse",
        "at": 1_736_935_200_000_000,  # 2025-01-15T10:00:00Z
        "document": '{"key":"acme/R1/p/earn/reverse","lot":"acme/T1/p/earn","account":{"kind":"member","id":"anna"},'
        '"currency":"points","at":"2025-01-15T10:00:00+00:00","amount":"2","open":"2","carried":true}',
    }


def test_the_row_of_a_record_has_the_values_by_which_it_is_found() -> None:
    row = record_row(SHORTFALLS, OWED, moment(1))
    assert (row["balance"], row["debtor"]) == ("member/anna/points", "member/anna/points")
    assert record_row(SHORTFALLS, attrs.evolve(OWED, open=Decimal(0)), moment(1))["debtor"] is None
    assert record_of(SHORTFALLS, row["document"]) == OWED


def test_a_spend_is_read_as_it_was_written(till: Till) -> None:
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1")
    (spend,) = till.ledger.spend(till.program, ANNA, "anna", "points", Decimal("2.5"), event="S1", at=till.now).intents
    assert isinstance(spend, SpendCurrency)
    payment = Payment(spend, till.now)
    row = record_row(PAYMENTS, payment, till.now)
    assert row["event"] == "S1"
    assert record_of(PAYMENTS, row["document"]) == payment
