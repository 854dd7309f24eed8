"""Shared codes: a redemption costs the same whether a code was given once or a thousand times. Source: ledger 2."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, insert, select

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.sql import storage
from loyalty_rules.ledger.sql.dialects import SQLite
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.testing.ledgers.facts.till import Till, coupon_type, hand_out, shop

GIVEN = 1_000


class Work:
    """The coupons that are read, and the locks that are taken, by redemptions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read = 0
        self.locks: list[LockKey] = []
        coupon_of = storage.coupon_of

        def counted(*given: Any) -> Any:
            self.read += 1
            return coupon_of(*given)

        monkeypatch.setattr(storage, "coupon_of", counted)
        monkeypatch.setattr(SQLite, "lock", lambda _, __, keys: self.locks.extend(keys))


@pytest.fixture
def given(till: Till, ledger: SQLLedger, engine: Engine) -> Till:
    """Return a till whose shop has given one code to anna once, and to others a thousand times."""
    till.runs(shop(hand_out(), coupon_types=coupon_type(serial_managed=False, code="SUMMER")))
    till.sell("T1")
    coupons = ledger.tables.coupons
    with engine.begin() as connection:
        (row,) = connection.execute(select(coupons)).mappings()
        others = [
            {**row, "number": None, "key": f"acme/C{n}/p/thanks/1", "event": f"C{n}", "member": f"M{n}"}
            for n in range(GIVEN)
        ]
        connection.execute(insert(coupons), [{k: v for k, v in each.items() if k != "number"} for each in others])
    return till


def test_a_holder_redeems_without_the_coupons_of_others(given: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch)

    assert given.redeem("summer", "T2").status == "recorded"
    assert work.read < 15
    assert len(work.locks) < 15


def test_a_guess_of_a_stranger_costs_no_more(given: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch)

    receipt = given.redeem("summer", "T2", member="mallory")
    assert receipt.refusal is not None
    assert receipt.refusal.reasons == ("wrong_member",)
    assert work.read < 15
    assert len(work.locks) < 15


def test_a_look_up_of_every_coupon_of_the_code_would_read_them_all(
    given: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    def every(it: SQLStorage, program: str, code: str, *_: Any) -> list[Any]:
        coupons = it._statements.tables.coupons
        found = select(coupons).where(coupons.c.program == program, coupons.c.code == code)
        return [it._track_coupon(row) for row in it._rows(found)]

    work = Work(monkeypatch)
    monkeypatch.setattr(SQLStorage, "coupons_to_redeem", every)
    given.redeem("summer", "T2", member="mallory")

    assert work.read > GIVEN
