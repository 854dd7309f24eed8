"""The cost of rolling expiry: rows written, statements and instructions do not depend on the number of lots.

Source: ledger 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.ledgers.facts.till import ANNA, Till, earn, fixed, moment, shop

ROLLING = {"type": "rolling", "after": {"days": 30}}


def visits(till: Till, first: int, last: int) -> None:
    """Record a visit a day, each with a lot of its own, which extends all lots before it."""
    for number in range(first, last + 1):
        till.on(number)
        till.sell(f"T{number}")


@pytest.fixture
def regular(till: Till) -> Till:
    """Return a till of a program whose points last 30 days after a visit, after two visits."""
    till.runs(shop(earn(fixed("10"), expiry=ROLLING)))
    visits(till, 1, 2)
    return till


def rows(ledger: SQLLedger) -> dict[str, int]:
    """Return the number of rows of each table of the log."""
    with ledger._bind.connect() as connection:
        counts = [(table.name, select(func.count()).select_from(table)) for table in ledger.tables.log]
        return {name: connection.execute(count).scalar_one() for name, count in counts}


@contextmanager
def statements(ledger: SQLLedger) -> Iterator[list[str]]:
    """Collect the statements that a block runs."""
    run: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        run.append(statement)

    event.listen(ledger._bind, "before_cursor_execute", note)
    yield run
    event.remove(ledger._bind, "before_cursor_execute", note)


def cost_of_a_visit(till: Till, number: int) -> tuple[dict[str, int], list[str], int]:
    """Return the rows that a visit adds to the log, its statements, and the rows that it changes."""
    ledger = till.ledger
    assert isinstance(ledger, SQLLedger)
    before = rows(ledger)
    with statements(ledger) as run:
        visits(till, number, number)
    added = {name: count - before[name] for name, count in rows(ledger).items()}
    return added, run, sum(each.startswith("UPDATE") for each in run)


def test_a_visit_costs_the_same_with_two_live_lots_and_with_twenty(regular: Till) -> None:
    with_two = cost_of_a_visit(regular, 3)
    visits(regular, 4, 20)
    with_twenty = cost_of_a_visit(regular, 21)
    assert with_two == with_twenty
    added, _, updates = with_two
    assert (added["loyalty_extensions"], added["loyalty_lot_changes"], added["loyalty_entries"]) == (1, 0, 1)
    assert updates == 0
    assert regular.points() == 210
    assert {str(lot.expires_on) for lot in regular.lots()} == {"2025-03-07"}  # 30 days after day 21, 5 February


def instructions(till: Till) -> int:
    """Return the instructions of SQLite's machine that a balance and a spend take."""
    ledger, count = till.ledger, 0
    assert isinstance(ledger, SQLLedger)

    def tick() -> None:
        nonlocal count
        count += 1

    def connected(connection: object, _record: object) -> None:
        connection.set_progress_handler(tick, 1)  # type: ignore[attr-defined]

    ledger._bind.dispose()  # type: ignore[union-attr]
    event.listen(ledger._bind, "connect", connected)
    ledger.balance(till.program, ANNA, "points", till.now)
    till.spend("10")
    event.remove(ledger._bind, "connect", connected)
    ledger._bind.dispose()  # type: ignore[union-attr]
    return count


def test_a_balance_and_a_spend_read_live_lots_only(regular: Till) -> None:
    """The instructions grow by a search in a larger index, not by a row for each lot that was ever there."""
    costs = []
    for first, last in ((3, 14), (15, 60)):
        visits(regular, first, last)
        for _ in range(last - first + 1):
            regular.spend("10")
        costs.append(instructions(regular))
        regular.sell(f"again-{last}")
        assert regular.points() == 20
    few, many = costs
    assert many < 1.2 * few, (few, many)


def test_the_extensions_of_a_ledger_are_rebuilt_and_verified(regular: Till) -> None:
    visits(regular, 3, 5)
    regular.spend("15")
    ledger = regular.ledger
    assert isinstance(ledger, SQLLedger)
    before = ledger.lots(regular.program, ANNA, "points", moment(5))
    assert (ledger.check_invariants(), ledger.verify()) == ([], [])
    ledger.rebuild()
    assert ledger.lots(regular.program, ANNA, "points", moment(5)) == before
    assert ledger.check_invariants() == []
