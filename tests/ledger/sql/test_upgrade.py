"""The upgrade of tables of version 0.1: every answer stays, and nothing that was changed is upgraded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text

import loyalty_rules as lr
from loyalty_rules.ledger import SQLLedger, UpgradeError
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.testing.ledgers.facts.till import ANNA, BEN, SERIALS, Till, moment

from .first_edition import EXPECTED, FIRST, PROGRAM, fill


def upgraded(engine: Engine) -> Till:
    ledger = SQLLedger(engine, serials=SERIALS)
    ledger.upgrade()
    till = Till(ledger)
    till.runs(PROGRAM)
    return till


def test_every_answer_stays_as_it_was(first: Engine) -> None:
    till = upgraded(first)
    ledger = till.ledger
    accounts = {"anna": ANNA, "ben": BEN}
    for member, day, available, promised, debt in EXPECTED["balances"]:
        found = ledger.balance("acme", accounts[member], "points", moment(day))
        assert [str(found.available), str(found.promised), str(found.debt)] == [available, promised, debt], day
    coupons = [each for account in (ANNA, BEN) for each in ledger.coupons("acme", account.id)]
    told = [(each.key, each.state, str(each.remaining) if each.remaining is not None else None) for each in coupons]
    assert [each[:2] for each in told] == [tuple(each[:2]) for each in EXPECTED["coupons"]]
    till.on(41)
    entries = [each for account in (ANNA, BEN) for each in till.statement(account)]
    assert [[e.lot, e.source, e.target, str(e.amount), e.at.isoformat()] for e in entries] == EXPECTED["statement"]
    assert ledger.snapshot(PROGRAM, till.bill("x")).trackers == {"spent": Decimal("42.5")}
    assert [*ledger.check_invariants()] == []


def test_a_retry_after_the_upgrade_writes_nothing(first: Engine) -> None:
    till = upgraded(first)
    ends = till.ledger.ends()  # type: ignore[attr-defined]
    statuses = {
        till.ledger.process(PROGRAM, lr.load_event(each), serials=SERIALS).status for each in EXPECTED["events"]
    }
    assert statuses == {"already_recorded"}
    assert till.ledger.ends() == ends  # type: ignore[attr-defined]


def test_the_upgraded_ledger_goes_on(first: Engine) -> None:
    till = upgraded(first)
    till.on(42)
    assert till.sell("T7", "60").status == "recorded"
    assert till.debt() == 0  # 37.5 were owed, and 60 + 3 in two days come
    assert till.take_back("T6", "12.5").status == "recorded"
    assert till.redeem(till.ledger.coupons("acme", "anna")[-2].issue.serial or "", "T8", "4").status == "recorded"
    assert [*till.ledger.check_invariants()] == []


def test_the_earlier_tables_stay_and_stay_append_only(first: Engine) -> None:
    upgraded(first)
    with first.connect() as connection:
        (kept,) = connection.execute(text("SELECT count(*) FROM loyalty_edition_1_entries")).scalars()
        with pytest.raises(Exception, match="only ever added to"):
            connection.execute(text("DELETE FROM loyalty_edition_1_entries"))
    assert kept == len(FIRST["rows"]["loyalty_entries"])


def test_the_migration_tool_finds_no_difference_after_an_upgrade(first: Engine) -> None:
    upgraded(first)
    with first.connect() as connection:
        found = {*inspect(connection).get_table_names()}
    assert {each.name for each in Tables().every} <= found


@pytest.mark.parametrize("change", ["amount = 1000000", "reason = 'forged'"])
def test_a_changed_log_of_edition_1_is_not_upgraded(engine: Engine, change: str) -> None:
    with engine.begin() as connection:
        fill(connection)
        connection.exec_driver_sql("DROP TRIGGER loyalty_entries_no_update")
        connection.exec_driver_sql(f"UPDATE loyalty_entries SET {change} WHERE number = 1")
    with pytest.raises(UpgradeError, match="batch acme/T1#event is not as it was recorded"):
        SQLLedger(engine, serials=SERIALS).upgrade()
    assert inspect(engine).has_table("loyalty_entries")
    assert not inspect(engine).has_table("loyalty_versions")


def test_an_incomplete_edition_1_is_not_upgraded(engine: Engine) -> None:
    with engine.begin() as connection:
        fill(connection)
        connection.exec_driver_sql("DROP TABLE loyalty_undone")
    with pytest.raises(UpgradeError, match="the table loyalty_undone of edition 1 is missing"):
        SQLLedger(engine, serials=SERIALS).upgrade()
    unknown: Any = UpgradeError([str(number) for number in range(12)])
    assert str(unknown).endswith("; 9; and 2 more")
