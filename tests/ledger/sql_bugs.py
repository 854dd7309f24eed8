"""Bugs to plant in the ledger in a database, each with the tests, by name, that must fail with it.

They are faults of SQL and of who runs it, such as have been made: a key that is not unique, a transaction that begins
by reading, a number of rows that nobody looks at, a lock that is not taken. Those of what is decided are in `bugs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from sqlalchemy import ColumnElement, Table, UniqueConstraint, Update, bindparam, false, or_, select, update
from sqlalchemy.dialects import sqlite

from loyalty_rules.ledger.sql import audit as sql_log
from loyalty_rules.ledger.sql import dialects
from loyalty_rules.ledger.sql import flush as writing
from loyalty_rules.ledger.sql import hash_chain as chain
from loyalty_rules.ledger.sql import mapping as rows
from loyalty_rules.ledger.sql.dialects import PostgreSQL, SQLite
from loyalty_rules.ledger.sql.flush import Flush
from loyalty_rules.ledger.sql.history import HistoryReader
from loyalty_rules.ledger.sql.ledger import SQLLedger
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import CHANGING_OF_COUPON, CHANGING_OF_LOT, Statements
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import NO_DAY, Tables
from loyalty_rules.values.amounts import MICRO

Patch = pytest.MonkeyPatch


@attrs.frozen
class SQLBug:
    """How a bug is planted, and the tests of this folder that fail with it."""

    plant: Callable[[Patch], None]
    killed_by: tuple[str, ...]

    def __str__(self) -> str:
        return self.plant.__name__


SQL_BUGS: list[SQLBug] = []


def bug(*killed_by: str) -> Callable[[Callable[[Patch], None]], None]:
    return lambda plant: SQL_BUGS.append(SQLBug(plant, killed_by))


def contract(name: str) -> str:
    """A fact of the contract, on SQLite."""
    return f"test_sql.py::TestOnSQLite::test_{name}"


def log(name: str) -> str:
    return f"test_sql_log.py::test_{name}"


def together(name: str) -> str:
    return f"test_tills_together.py::test_{name}"


def statements(patch: Patch, change: Callable[[Statements], None]) -> None:
    """Let every ledger's statements be other ones."""
    right = Statements.__init__

    def wrong(self: Statements, *given: Any) -> None:
        right(self, *given)
        change(self)

    patch.setattr(Statements, "__init__", wrong)


def tables(patch: Patch, change: Callable[[Tables], None]) -> None:
    """Let every ledger's tables be other ones."""
    right = Tables.__init__

    def wrong(self: Tables, *given: Any, **named: Any) -> None:
        right(self, *given, **named)
        change(self)

    patch.setattr(Tables, "__init__", wrong)


# -- once, and whole -------------------------------------------------------------------------------------------------


@bug(
    contract("a_sale_processed_twice_is_recorded_once"),
    together("the_same_sale_from_a_second_till_waits_for_the_first_and_is_recorded_already"),
)
def batches_have_no_unique_key(patch: Patch) -> None:
    def forget(t: Tables) -> None:
        t.batches.constraints -= {each for each in t.batches.constraints if isinstance(each, UniqueConstraint)}

    tables(patch, forget)


@bug(contract("a_refusal_is_no_record"))
def a_refusal_is_committed(patch: Patch) -> None:
    """What was claimed stays claimed, and the next try finds it."""
    patch.setattr(SQLStorage, "doomed", property(lambda _: False, lambda _, _doomed: None), raising=False)


@bug(contract("a_conflict_that_the_host_catches_takes_nothing_else_with_it"))
def operations_in_one_transaction_have_no_savepoints(patch: Patch) -> None:
    storage = SQLLedger._storage

    def unsaved(self: SQLLedger, connection: Any, *, reading: bool = False, **_: Any) -> SQLStorage:
        return storage(self, connection, reading=reading)

    patch.setattr(SQLLedger, "_storage", unsaved)


@bug(contract("a_spend_is_undone_once"))
def what_was_undone_is_not_looked_up(patch: Patch) -> None:
    patch.setattr(SQLStorage, "is_undone", lambda *_: False)


@bug(log("every_connection_is_safe"))
def a_commit_does_not_wait_for_the_disk(patch: Patch) -> None:
    patch.setattr(dialects, "_SET_UP", (*dialects._SET_UP, "PRAGMA synchronous = OFF"))


# -- many at once ----------------------------------------------------------------------------------------------------


@bug(together("who_looks_first_may_write_then_whatever_others_do_meanwhile"))
def a_transaction_begins_by_reading(patch: Patch) -> None:
    """BEGIN DEFERRED: it takes the lock when it writes, and by then somebody else has written."""
    patch.setattr(SQLite, "begin", SQLite.begin_to_read)


@bug(together("a_second_spend_waits_for_the_first_and_is_refused"))
def nothing_is_held(patch: Patch) -> None:
    patch.setattr(dialects, "_lock_numbers", lambda _: [])


@bug(together("a_failure_to_serialise_and_a_deadlock_are_tried_again"), together("so_are_they_for_asyncio"))
def nothing_is_tried_again(patch: Patch) -> None:
    patch.setattr(PostgreSQL, "is_worth_another_try", lambda *_: False)


@bug(together("nothing_else_that_the_server_refuses_is_tried_again"))
def everything_is_tried_again(patch: Patch) -> None:
    patch.setattr(PostgreSQL, "is_worth_another_try", lambda *_: True)


@bug(together("a_connection_that_is_lost_at_the_commit_loses_nothing_and_doubles_nothing"))
def a_lost_connection_is_given_up(patch: Patch) -> None:
    pause = SQLLedger.pause_after
    patch.setattr(SQLLedger, "pause_after", lambda *given: None if given[1].connection_invalidated else pause(*given))


CHANGED_MEANWHILE = (
    log("a_lot_that_changes_between_the_look_and_the_leap_stops_the_spend"),
    log("a_coupon_that_changes_between_the_look_and_the_leap_stops_the_redemption"),
    log("a_counter_that_fills_between_the_look_and_the_leap_stops_the_issue"),
)


@bug(*CHANGED_MEANWHILE)
def the_number_of_rows_is_ignored(patch: Patch) -> None:
    """A change that finds no row is taken for made."""
    patch.setattr(Flush, "_change", lambda self, statement, rows, _: self._write(statement, rows))


@bug(CHANGED_MEANWHILE[0])
def a_lot_is_changed_whatever_has_become_of_it(patch: Patch) -> None:
    def by_key(run: Statements) -> None:
        run.change_lots = _by_key_alone(run.tables.lots, "lot", CHANGING_OF_LOT)

    statements(patch, by_key)


@bug(CHANGED_MEANWHILE[1])
def a_coupon_is_changed_whatever_has_become_of_it(patch: Patch) -> None:
    statements(
        patch,
        lambda run: setattr(run, "change_coupons", _by_key_alone(run.tables.coupons, "coupon", CHANGING_OF_COUPON)),
    )


def _by_key_alone(table: Table, key: str, changing: Sequence[str]) -> Update:
    values = {name: bindparam(f"new_{name}") for name in changing}
    return update(table).where(table.c.key == bindparam(key)).values(values)


@bug(CHANGED_MEANWHILE[2])
def a_counter_is_drawn_on_past_its_limit(patch: Patch) -> None:
    def unlimited(run: Statements) -> None:
        counters = run.tables.counters.c
        adding = sqlite.insert(run.tables.counters)
        run.draw = adding.on_conflict_do_update(
            index_elements=[counters.program, counters.name, counters.day],
            set_={"value": counters.value + adding.excluded.value},
        )

    statements(patch, unlimited)


# -- what is asked for -----------------------------------------------------------------------------------------------


def narrower(patch: Patch, name: str, condition: Callable[[Tables], ColumnElement[bool]]) -> None:
    """Let a statement find less than it should."""
    statements(patch, lambda run: setattr(run, name, getattr(run, name).where(condition(run.tables))))


@bug(contract("a_sweep_leaves_what_lives"))
def a_lot_is_swept_after_its_end_alone(patch: Patch) -> None:
    """`<` where `<=` is meant."""
    narrower(patch, "expiring", lambda t: t.lots.c.expires_at < bindparam("at"))


@bug(contract("a_sweep_writes_down_that_a_coupon_has_expired"))
def a_coupon_is_swept_after_its_end_alone(patch: Patch) -> None:
    narrower(patch, "expiring_coupons", lambda t: t.coupons.c.expires_at < bindparam("at"))


@bug(contract("a_promise_is_settled_at_the_instant_that_it_is_due"))
def a_promise_is_settled_after_it_is_due_alone(patch: Patch) -> None:
    narrower(patch, "due", lambda t: t.lots.c.due_at < bindparam("at"))


@bug(contract("a_statement_ends_at_its_instant"))
def a_statement_ends_before_its_instant(patch: Patch) -> None:
    narrower(patch, "statement", lambda t: t.entries.c.at < bindparam("at"))


@bug(contract("a_rolling_cap_counts_the_days_that_end_with_the_sale"))
def a_window_has_no_first_day(patch: Patch) -> None:
    narrower(patch, "counters", lambda t: or_(t.counters.c.day == NO_DAY, t.counters.c.day > bindparam("first")))


@bug(contract("a_member_and_a_group_of_one_name_are_two_accounts"))
def a_member_is_taken_for_a_group_of_that_name(patch: Patch) -> None:
    def by_name(run: Statements) -> None:
        lots = run.tables.lots
        named = (lots.c.program == bindparam("program"), lots.c.account == bindparam("account"))
        run.lots_of_account = (
            select(lots).where(*named, lots.c.currency == bindparam("currency")).order_by(lots.c.number)
        )

    statements(patch, by_name)


@bug(contract("a_debt_is_of_one_account_and_one_currency"))
def what_is_owed_is_owed_in_every_currency(patch: Patch) -> None:
    def of_all(run: Statements) -> None:
        debts = run.tables.debts
        of = (debts.c[name] == bindparam(name) for name in ("program", "kind", "account"))
        run.debt_at = select(debts.c.amount).where(*of, debts.c.at <= bindparam("at"))

    statements(patch, of_all)


@bug(contract("the_balance_of_the_day_before_had_the_old_end"))
def what_was_is_what_is(patch: Patch) -> None:
    """The history of a lot is never read."""
    patch.setattr(HistoryReader, "_as_of", lambda _self, found, _at: [rows.lot_of(row) for row in found])


@bug(log("a_serial_that_is_taken_is_derived_again"))
def no_serial_is_ever_taken(patch: Patch) -> None:
    narrower(patch, "is_serial_taken", lambda _: false())


# -- what is written -------------------------------------------------------------------------------------------------


@bug(contract("a_sweep_writes_down_what_is_left_of_a_lot"))
def a_sweep_drops_what_was_spent(patch: Patch) -> None:
    parts = rows.lot_parts

    def dropping(*given: Any) -> dict[str, Any]:
        row = parts(*given)
        return {**row, "expired": row["expired"] + row["spent"], "spent": 0} if row["expired"] else row

    patch.setattr(writing, "lot_parts", dropping)


@bug(contract("what_is_taken_back_no_longer_counts"))
def what_is_given_back_is_not_written(patch: Patch) -> None:
    change = Flush._change

    def forgetful(self: Flush, statement: Any, *given: Any) -> None:
        if statement is not self._run.give_back:
            change(self, statement, *given)

    patch.setattr(Flush, "_change", forgetful)


@bug(contract("amounts_are_kept_to_the_sixth_decimal"))
def amounts_are_hundredths(patch: Patch) -> None:
    patch.setattr(rows, "micros", lambda amount: int(amount * 100) * MICRO // 100)


@bug(contract("amounts_of_fifteen_digits_add_up_exactly"))
def amounts_go_through_a_float(patch: Patch) -> None:
    patch.setattr(rows, "micros", lambda amount: round(float(amount) * MICRO))


@bug(log("no_serial_stands_in_the_file"))
def a_serial_is_written_down(patch: Patch) -> None:
    hidden = SerialsAtRest.hidden

    def told(self: SerialsAtRest, program: str, issue: Any) -> Any:
        document, fingerprint = hidden(self, program, issue)
        document["serial"]["for_support"] = issue.serial
        return document, fingerprint

    patch.setattr(SerialsAtRest, "hidden", told)


# -- the proof -------------------------------------------------------------------------------------------------------


@bug(log("the_log_refuses_change_and_removal"))
def the_log_has_no_triggers(patch: Patch) -> None:
    patch.setattr(Tables, "triggers", lambda *_: [])


@bug(log("what_is_forged_is_found"))
def amounts_are_not_hashed(patch: Patch) -> None:
    patch.setattr(chain, "_NOT_CONTENT", chain._NOT_CONTENT | {"amount"})


@bug(log("what_is_forged_with_its_digest_and_its_link_breaks_the_next"))
def links_do_not_hang_together(patch: Patch) -> None:
    for room in (writing, sql_log):
        patch.setattr(room, "link_of", lambda _previous, digest: digest)


@bug(log("a_state_that_drifts_from_the_log_is_found_and_rebuilt"))
def what_returns_have_claimed_is_not_rebuilt(patch: Patch) -> None:
    narrower(patch, "changes_of_lots", lambda t: t.lot_changes.c.change != "taken_back")
