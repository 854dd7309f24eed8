"""The views for people who have only SQL: one row an entry, one row a coupon. Source: ledger 3."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, inspect, text

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.ledger.sql.views import create_views
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    serial_of,
    shop,
)


@pytest.fixture
def busy(bind: Engine) -> Till:
    """Ten points and a half in S1 to a gold member, of which four pay in S9; a coupon that takes off 15 in S2."""
    ledger = SQLLedger(bind, serials=SERIALS)
    ledger.create_all()
    till = Till(ledger)
    till.runs(shop(earn(fixed("10.5")), hand_out(), coupon_types=coupon_type()))
    sale = {"type": "transaction", "id": "T1", "amount": "100", "store": "S1", "channel": "pos"}
    sold = till.process({**sale, "member": {"id": "anna", "tier": "gold"}})
    till.on(1, 12, 30, 5)
    bill = till.bill("T2", store="S9")
    ledger.spend(till.program, ANNA, "anna", "points", Decimal(4), event="T2", at=till.now, bill=bill)
    till.redeem(serial_of(sold), "T3", store="S2")
    return till


def queried(bind: Engine, query: str) -> list[tuple[Any, ...]]:
    with bind.connect() as connection:
        return [
            tuple(str(each) if each is not None else None for each in row) for row in connection.execute(text(query))
        ]


def test_a_row_of_currency_facts_is_an_entry_with_its_issue_and_its_redemption(busy: Till, bind: Engine) -> None:
    found = queried(
        bind,
        "SELECT program, currency, from_bucket, to_bucket, amount, micros, member, tier, store, channel, promotion, "
        "redeemed_store, reason FROM loyalty_currency_facts ORDER BY at",
    )
    sale = ("anna", "gold", "S1", "pos", "p")
    assert found == [
        ("acme", "points", "issued", "available", "10.500000", "10500000", *sale, None, "acme/T1/p/earn"),
        ("acme", "points", "available", "spent", "4.000000", "4000000", *sale, "S9", "acme/T2/spend/points"),
    ]


def test_a_row_of_coupon_facts_is_a_coupon_with_its_redemption(busy: Till, bind: Engine) -> None:
    found = queried(
        bind,
        "SELECT coupon_type, promotion, member, tier, store, channel, state, redeemed_store, redeemed_member, "
        "redeemed_event, discount, remaining FROM loyalty_coupon_facts",
    )
    sale = ("anna", "gold", "S1", "pos")
    assert found == [("next-visit", "p", *sale, "redeemed", "S2", "anna", "T3", "15.000000", None)]


def test_instants_are_in_utc(busy: Till, bind: Engine) -> None:
    days = "CAST(at AS date)" if bind.dialect.name == "postgresql" else "date(at)"
    assert queried(bind, f"SELECT DISTINCT {days} FROM loyalty_currency_facts ORDER BY 1") == [
        ("2025-01-15",),
        ("2025-01-16",),
    ]
    seconds = "EXTRACT(EPOCH FROM max(at))::int" if bind.dialect.name == "postgresql" else "strftime('%s', max(at))"
    assert queried(bind, f"SELECT {seconds} FROM loyalty_currency_facts") == [("1737030605",)]  # 16 January, 12:30:05


def test_the_views_come_and_go_with_the_tables_of_their_prefix(bind: Engine) -> None:
    metadata = MetaData()
    tables = [Tables(metadata, prefix=each) for each in ("one_", "two_")]
    metadata.create_all(bind, tables=[*tables[0].log, *tables[0].state])
    assert sorted(inspect(bind).get_view_names()) == ["one_coupon_facts", "one_currency_facts"]
    metadata.create_all(bind)
    metadata.create_all(bind)  # nothing is new
    assert len(inspect(bind).get_view_names()) == 4
    metadata.drop_all(bind)
    assert inspect(bind).get_view_names() == []


def test_views_of_an_older_database_are_created_by_hand(busy: Till, bind: Engine) -> None:
    tables = Tables()
    with bind.begin() as connection:
        connection.execute(text("DROP VIEW loyalty_coupon_facts"))
        create_views(connection, tables)
    assert queried(bind, "SELECT count(*) FROM loyalty_coupon_facts") == [("1",)]
