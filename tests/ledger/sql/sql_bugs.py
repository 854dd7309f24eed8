"""Bugs to plant in the ledger in a database, each with the names of the tests that must fail with it.

They are common faults of SQL and its callers: a key that is not unique, a transaction that begins by reading, a change
without its condition, a missing lock. Bugs of the decisions are in `tests/ledger/bugs.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import attrs
import pytest
from sqlalchemy import ColumnElement, Table, UniqueConstraint, Update, bindparam, false, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger.sql import audit, flush, hash_chain, mapping
from loyalty_rules.ledger.sql import ledger as sql_ledger
from loyalty_rules.ledger.sql.dialects import PostgreSQL, SQLite, postgresql, sqlite
from loyalty_rules.ledger.sql.flush import Flush
from loyalty_rules.ledger.sql.history import HistoryReader
from loyalty_rules.ledger.sql.ledger import SQLLedger
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import COUPON_COLUMNS, LOT_COLUMNS, Statements
from loyalty_rules.ledger.sql.storage import SQLStorage
from loyalty_rules.ledger.sql.tables import NO_DAY, Tables
from loyalty_rules.lifecycle import undoing
from loyalty_rules.values.amounts import MICRO

Patch = pytest.MonkeyPatch


@attrs.frozen
class SQLBug:
    """A bug: the function that plants it, and the tests of this folder that fail with it."""

    plant: Callable[[Patch], None]
    killed_by: tuple[str, ...]

    def __str__(self) -> str:
        return self.plant.__name__


SQL_BUGS: list[SQLBug] = []


def bug(*killed_by: str) -> Callable[[Callable[[Patch], None]], None]:
    return lambda plant: SQL_BUGS.append(SQLBug(plant, killed_by))


def contract(name: str) -> str:
    """Return the test of a fact of the contract, on SQLite."""
    return f"test_ledger.py::TestOnSQLite::test_{name}"


def test_of(module: str, name: str) -> str:
    """Return a test of a module of the ledger, such as `storage` or `dialects/sqlite`."""
    *folders, file = module.split("/")
    return "/".join([*folders, f"test_{file}.py::test_{name}"])


def together(name: str) -> str:
    """Return a test of two tills at one database."""
    return test_of("tills_together", name)


def statements(patch: Patch, change: Callable[[Statements], None]) -> None:
    """Change the statements of every ledger."""
    original = Statements.__init__

    def changed(self: Statements, *given: Any) -> None:
        original(self, *given)
        change(self)

    patch.setattr(Statements, "__init__", changed)


def tables(patch: Patch, change: Callable[[Tables], None]) -> None:
    """Change the tables of every ledger."""
    original = Tables.__init__

    def changed(self: Tables, *given: Any, **named: Any) -> None:
        original(self, *given, **named)
        change(self)

    patch.setattr(Tables, "__init__", changed)


# -- once, and whole -------------------------------------------------------------------------------------------------


@bug(
    contract("a_sale_processed_twice_is_recorded_once"),
    together("the_same_sale_at_a_second_till_waits_and_is_already_recorded"),
)
def batches_have_no_unique_key(patch: Patch) -> None:
    def forget(t: Tables) -> None:
        t.batches.constraints -= {each for each in t.batches.constraints if isinstance(each, UniqueConstraint)}

    tables(patch, forget)


@bug(contract("a_refusal_records_nothing"))
def a_refusal_is_committed(patch: Patch) -> None:
    """Commit the claim of a refused operation, so that the next attempt finds a recorded batch."""
    patch.setattr(SQLStorage, "doomed", property(lambda _: False, lambda _, _doomed: None), raising=False)


@bug(contract("a_caught_conflict_does_not_roll_the_block_back"))
def operations_in_one_transaction_have_no_savepoints(patch: Patch) -> None:
    storage = SQLLedger._storage

    def unsaved(self: SQLLedger, connection: Any, *, read_only: bool = False, **_: Any) -> SQLStorage:
        return storage(self, connection, read_only=read_only)

    patch.setattr(SQLLedger, "_storage", unsaved)


@bug(contract("a_spend_is_undone_once"))
def an_undone_operation_is_not_looked_up(patch: Patch) -> None:
    undo = undoing.undo_spend
    patch.setattr(undoing, "undo_spend", lambda each, *rest: undo(attrs.evolve(each, undone=Decimal(0)), *rest))


@bug(test_of("dialects/sqlite", "every_connection_is_durable"))
def a_commit_does_not_wait_for_the_disk(patch: Patch) -> None:
    patch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, "PRAGMA synchronous = OFF"))


# -- many at once ----------------------------------------------------------------------------------------------------


@bug(together("a_transaction_that_begins_by_reading_may_write_later"))
def a_transaction_begins_by_reading(patch: Patch) -> None:
    """Begin with BEGIN DEFERRED: the write lock is taken with the first write, after another connection has written."""
    patch.setattr(SQLite, "begin", SQLite.begin_to_read)


@bug(together("a_second_spend_waits_for_the_first_and_is_refused"))
def no_lock_is_taken(patch: Patch) -> None:
    patch.setattr(postgresql, "_lock_numbers", lambda _: [])
    patch.setattr(sql_ledger, "_MAX_RETRIES_AFTER_A_CHANGE", 0)  # a retry would hide it


@bug(together("a_serialization_failure_and_a_deadlock_are_retried"), together("they_are_retried_with_asyncio"))
def no_error_is_retried(patch: Patch) -> None:
    patch.setattr(PostgreSQL, "is_retryable", lambda *_: False)


@bug(together("no_other_error_of_the_server_is_retried"))
def every_error_is_retried(patch: Patch) -> None:
    patch.setattr(PostgreSQL, "is_retryable", lambda *_: True)


@bug(together("a_sale_is_recorded_once_if_the_connection_is_lost_at_the_commit"))
def a_lost_connection_is_not_retried(patch: Patch) -> None:
    original = SQLLedger.backoff_after

    def impatient(self: SQLLedger, error: DBAPIError, retries: int) -> float | None:
        return None if error.connection_invalidated else original(self, error, retries)

    patch.setattr(SQLLedger, "backoff_after", impatient)


CONCURRENT_CHANGES = (
    test_of("flush", "a_lot_that_changes_between_read_and_write_stops_the_spend"),
    test_of("flush", "a_coupon_that_changes_between_read_and_write_stops_the_redemption"),
    test_of("flush", "a_counter_that_fills_between_read_and_write_stops_the_issue"),
)


@bug(*CONCURRENT_CHANGES)
def the_number_of_rows_is_ignored(patch: Patch) -> None:
    """Count a change that finds no row as a success."""
    patch.setattr(Flush, "_change", lambda self, statement, rows, _: self._write(statement, rows))


@bug(CONCURRENT_CHANGES[0])
def a_lot_is_changed_at_any_version(patch: Patch) -> None:
    def by_key(run: Statements) -> None:
        run.change_lots = _by_key_alone(run.tables.lots, "lot", LOT_COLUMNS)

    statements(patch, by_key)


@bug(CONCURRENT_CHANGES[1])
def a_coupon_is_changed_at_any_version(patch: Patch) -> None:
    statements(
        patch,
        lambda run: setattr(run, "change_coupons", _by_key_alone(run.tables.coupons, "coupon", COUPON_COLUMNS)),
    )


def _by_key_alone(table: Table, key: str, changing: Sequence[str]) -> Update:
    values = {name: bindparam(f"new_{name}") for name in changing}
    return update(table).where(table.c.key == bindparam(key)).values(values)


@bug(CONCURRENT_CHANGES[2])
def a_counter_is_drawn_on_past_its_limit(patch: Patch) -> None:
    def unlimited(run: Statements) -> None:
        counters = run.tables.counters.c
        adding = insert(run.tables.counters)
        run.draw = adding.on_conflict_do_update(
            index_elements=[counters.program, counters.name, counters.day],
            set_={"value": counters.value + adding.excluded.value},
        )

    statements(patch, unlimited)


# -- reads -----------------------------------------------------------------------------------------------------------


def narrower(patch: Patch, name: str, condition: Callable[[Tables], ColumnElement[bool]]) -> None:
    """Add a condition to a statement, so that it finds too few rows."""
    statements(patch, lambda run: setattr(run, name, getattr(run, name).where(condition(run.tables))))


@bug(contract("a_sweep_leaves_live_lots"))
def a_lot_that_expires_at_the_instant_is_not_swept(patch: Patch) -> None:
    """Compare with `<` instead of `<=`."""
    narrower(patch, "expiring_lots", lambda t: t.lots.c.expires_at < bindparam("at"))


@bug(contract("a_sweep_records_the_expiry_of_a_coupon"))
def a_coupon_that_expires_at_the_instant_is_not_swept(patch: Patch) -> None:
    narrower(patch, "expiring_coupons", lambda t: t.coupons.c.expires_at < bindparam("at"))


@bug(contract("a_promise_is_settled_at_the_instant_it_is_due"))
def a_promise_that_is_due_at_the_instant_is_not_settled(patch: Patch) -> None:
    narrower(patch, "due_promises", lambda t: t.lots.c.due_at < bindparam("at"))


@bug(contract("a_statement_ends_at_its_instant"))
def a_statement_ends_before_its_instant(patch: Patch) -> None:
    narrower(patch, "statement", lambda t: t.entries.c.at < bindparam("at"))


@bug(contract("a_rolling_cap_counts_the_days_up_to_the_sale"))
def a_window_has_no_first_day(patch: Patch) -> None:
    narrower(patch, "counters", lambda t: or_(t.counters.c.day == NO_DAY, t.counters.c.day > bindparam("first")))


@bug(contract("a_debt_belongs_to_one_account_and_one_currency"))
def a_debt_counts_in_every_currency(patch: Patch) -> None:
    def of_all(run: Statements) -> None:
        table = run.tables.kinds["shortfalls"]
        every = select(table).where(table.c.program == bindparam("program"))
        run.kinds["shortfalls"].found_by["balance"] = every.order_by(table.c.number)

    statements(patch, of_all)


@bug(contract("the_lots_as_of_the_day_before_have_the_old_expiry"))
def a_past_lot_is_read_as_it_is_now(patch: Patch) -> None:
    """Read no history of a lot."""
    patch.setattr(HistoryReader, "_as_of", lambda self, rows, _at: [each.lot for each in self._current_lots(rows)])


@bug(test_of("storage", "a_serial_that_is_taken_is_derived_again"))
def every_serial_counts_as_free(patch: Patch) -> None:
    narrower(patch, "is_serial_taken", lambda _: false())


# -- writes ----------------------------------------------------------------------------------------------------------


@bug(contract("a_sweep_records_the_expiry_of_the_outstanding_amount"))
def a_sweep_drops_what_was_spent(patch: Patch) -> None:
    original = mapping.lot_state_row

    def dropping(*arguments: Any) -> dict[str, Any]:
        row = original(*arguments)
        return {**row, "expired": row["expired"] + row["spent"], "spent": 0} if row["expired"] else row

    patch.setattr(flush, "lot_state_row", dropping)


@bug(contract("a_returned_issue_no_longer_counts_against_its_cap"))
def an_amount_given_back_to_a_counter_is_not_written(patch: Patch) -> None:
    change = Flush._change

    def forgetful(self: Flush, statement: Any, *given: Any) -> None:
        if statement is not self._statements.give_back:
            change(self, statement, *given)

    patch.setattr(Flush, "_change", forgetful)


@bug(contract("amounts_are_kept_to_the_sixth_decimal"))
def amounts_are_hundredths(patch: Patch) -> None:
    patch.setattr(mapping, "micros", lambda amount: int(amount * 100) * MICRO // 100)


@bug(contract("amounts_of_fifteen_digits_add_up_exactly"))
def amounts_go_through_a_float(patch: Patch) -> None:
    patch.setattr(mapping, "micros", lambda amount: round(float(amount) * MICRO))


@bug(test_of("serials_at_rest", "no_serial_is_written_to_the_file"))
def a_serial_is_written_down(patch: Patch) -> None:
    original = SerialsAtRest.hide

    def revealing(self: SerialsAtRest, program: str, issue: Any) -> Any:
        document, fingerprint = original(self, program, issue)
        document["serial"]["for_support"] = issue.serial
        return document, fingerprint

    patch.setattr(SerialsAtRest, "hide", revealing)


# -- the audit -------------------------------------------------------------------------------------------------------


@bug(test_of("dialects/sqlite", "the_log_refuses_updates_and_deletions"))
def the_log_has_no_triggers(patch: Patch) -> None:
    patch.setattr(Tables, "triggers", lambda *_: [])


@bug(test_of("audit", "a_forged_row_is_found"))
def amounts_are_not_hashed(patch: Patch) -> None:
    patch.setattr(hash_chain, "_NOT_CONTENT", hash_chain._NOT_CONTENT | {"amount"})


@bug(test_of("audit", "a_row_forged_with_its_digest_and_link_breaks_the_next_link"))
def a_link_does_not_hash_the_one_before_it(patch: Patch) -> None:
    for module in (flush, audit):
        patch.setattr(module, "link_of", lambda _previous, digest: digest)


@bug(test_of("rebuild", "a_state_that_differs_from_the_log_is_found_and_rebuilt"))
def the_claims_of_returns_are_not_rebuilt(patch: Patch) -> None:
    narrower(patch, "changes_of_lots", lambda t: t.lot_changes.c.change != "taken_back")
