"""Sums near 64 bits: added in halves they are exact, and an amount beyond is told as such."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Connection, Engine, MetaData, Table, create_engine, func, insert, literal, select, update
from sqlalchemy.exc import OperationalError

from loyalty_rules.ledger import AmountOutOfRangeError, ConcurrentChangeError, SQLLedger
from loyalty_rules.ledger.sql.flush import Flush
from loyalty_rules.ledger.sql.sums import differs_from_sum, is_negative_sum, sum_of_halves, whole
from loyalty_rules.ledger.sql.tables import _WHOLE
from loyalty_rules.testing.ledgers.facts.till import SERIALS, Till, earn, fixed, shop

MOST = 2**63 - 1
AMOUNTS = Table("amounts", MetaData(), Column("amount", _WHOLE))

GROUPS = [
    ([1, 2, 3], 6),
    ([MOST, MOST, -MOST], MOST),
    ([-MOST, -MOST, MOST], -MOST),
    ([MOST, -MOST], 0),
    ([2**32, -1], 2**32 - 1),
    ([-(2**32), 1], -(2**32) + 1),
    ([-1], -1),
    ([2**31, 2**31, -(2**32)], 0),
    ([], 0),
]


def answers(connection: Connection, amounts: list[int], total: int) -> tuple[int, bool, bool, bool]:
    """Return the sum of amounts, whether it differs from its value and from another, and whether it is negative."""
    AMOUNTS.metadata.drop_all(connection)
    AMOUNTS.metadata.create_all(connection)
    if amounts:
        connection.execute(insert(AMOUNTS), [{"amount": each} for each in amounts])
    amount = AMOUNTS.c.amount
    upper, lower = connection.execute(select(*sum_of_halves(amount))).one()
    same, other, negative = (
        connection.execute(select(func.count()).select_from(select(func.count(amount)).having(condition).subquery()))
        for condition in (
            differs_from_sum(literal(total), amount),
            differs_from_sum(literal(total - 1 if total > 0 else total + 1), amount),
            is_negative_sum(amount),
        )
    )
    return whole(upper, lower), bool(same.scalar()), bool(other.scalar()), bool(negative.scalar())


@pytest.mark.parametrize(("amounts", "total"), GROUPS)
def test_amounts_near_64_bits_are_added_exactly(engine: Engine, amounts: list[int], total: int) -> None:
    with engine.connect() as connection:
        assert answers(connection, amounts, total) == (total, False, True, total < 0)


def test_amounts_near_64_bits_are_added_exactly_on_postgresql(postgres_url: str) -> None:
    server = create_engine(postgres_url)
    with server.connect() as connection:
        for amounts, total in GROUPS:
            assert answers(connection, amounts, total) == (total, False, True, total < 0)
    server.dispose()


def test_a_plain_sum_of_sqlite_would_end_the_query(engine: Engine) -> None:
    with engine.connect() as connection:
        AMOUNTS.metadata.create_all(connection)
        connection.execute(insert(AMOUNTS), [{"amount": each} for each in (MOST, MOST, -MOST)])
        with pytest.raises(OperationalError, match="integer overflow"):
            connection.execute(select(func.sum(AMOUNTS.c.amount))).scalar_one()


# -- trackers ----------------------------------------------------------------------------------------------------------

COUNTING = shop(earn(fixed("1")), trackers={"spent": {"measure": {"type": "transaction_value"}, "target": "1000"}})
HUGE = "6000000000000"  # twice this is more than 9,223,372,036,854


def grow(ledger: SQLLedger) -> Till:
    """Record a sale that fills a half of a tracker."""
    till = Till(ledger)
    till.runs(COUNTING)
    till.sell("T1", HUGE)
    return till


def test_a_tracker_beyond_64_bits_is_told_as_such(database: str) -> None:
    ledger = SQLLedger.open(database, serials=SERIALS)
    till = grow(ledger)
    with pytest.raises(AmountOutOfRangeError, match="spent"):
        till.sell("T2", HUGE)

    assert till.take_back("T1", HUGE).status == "recorded"
    assert till.sell("T3", HUGE).status == "recorded"
    assert ledger.check_invariants() == []
    ledger.rebuild()
    assert ledger.check_invariants() == []
    ledger.close()


def test_otherwise_a_tracker_beyond_64_bits_would_look_like_a_concurrent_change(
    ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = grow(ledger)
    monkeypatch.setattr(Flush, "_check_sums", lambda *_: None)
    with pytest.raises(ConcurrentChangeError):
        till.sell("T2", HUGE)


def test_a_forged_amount_that_sqlite_cannot_add_is_found(ledger: SQLLedger, engine: Engine) -> None:
    till = grow(ledger)
    entries = ledger.tables.entries
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER loyalty_entries_no_update")
        connection.execute(update(entries).values(amount=MOST))
        (row,) = connection.execute(select(entries)).mappings()
        connection.execute(insert(entries), [{**row, "number": row["number"] + 1}])

    assert "the sums of entries cannot be read" in ledger.check_invariants()
    assert till.ledger is ledger
