"""The dialect of PostgreSQL: triggers, advisory locks and retryable errors."""

from __future__ import annotations

import hashlib
from contextlib import closing

import pytest
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.ledger.sql.dialects import PostgreSQL, SQLite, postgresql

# -- triggers ----------------------------------------------------------------------------------------------------------


def test_the_trigger_of_postgresql_is_in_the_schema_of_its_table() -> None:
    tables = Tables(prefix="points_", schema="shop")
    function, trigger = tables.triggers(tables.entries, "postgresql")
    assert function.startswith("CREATE OR REPLACE FUNCTION shop.points_only_added_to() RETURNS trigger ")
    assert trigger == (
        "CREATE TRIGGER points_entries_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON shop.points_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION shop.points_only_added_to()"
    )


def test_names_that_need_quotes_have_them() -> None:
    tables = Tables(prefix="My-Shop_", schema="Loy")
    function, trigger = tables.triggers(tables.entries, "postgresql")
    assert function.startswith('CREATE OR REPLACE FUNCTION "Loy"."My-Shop_only_added_to"() RETURNS trigger ')
    assert trigger == (
        'CREATE TRIGGER "My-Shop_entries_only_added_to" BEFORE UPDATE OR DELETE OR TRUNCATE ON "Loy"."My-Shop_entries" '
        'FOR EACH STATEMENT EXECUTE FUNCTION "Loy"."My-Shop_only_added_to"()'
    )


def test_the_log_refuses_changes_on_postgresql(postgres_url: str) -> None:
    with closing(SQLLedger.open(postgres_url)) as ledger, ledger._bind.connect() as connection:  # type: ignore[union-attr]
        for table in ledger.tables.log:
            column = table.columns.keys()[0]
            for change in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(DBAPIError, match="only ever added to"), connection.begin():
                    connection.exec_driver_sql(change)


# -- locks and errors --------------------------------------------------------------------------------------------------


def test_lock_numbers_are_sorted_by_rank_and_have_64_bits() -> None:
    keys = [(2, "acme/cap"), (0, "acme/T1"), (1, "acme/member/anna")]
    numbers = postgresql._lock_numbers(keys)
    assert numbers == [postgresql._lock_number(each) for each in (keys[1], keys[2], keys[0])]
    assert all(-(2**63) <= each < 2**63 for each in numbers)


def test_a_lock_number_is_the_signed_hash_of_its_name() -> None:
    digest = hashlib.blake2b(b"loyalty-rules/acme/T1", digest_size=8).digest()
    assert postgresql._lock_number((0, "acme/T1")) == int.from_bytes(digest, "big", signed=True)


class Refused(Exception):
    """An error of a driver with an SQLSTATE."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("code", "retryable"), [("40001", True), ("40P01", True), ("23505", False), ("55P03", False), (None, False)]
)
def test_only_deadlocks_and_serialization_failures_are_retryable(code: str | None, retryable: bool) -> None:
    error = DBAPIError("SELECT 1", {}, Refused(code))
    assert PostgreSQL().is_retryable(error) == retryable
    assert not SQLite().is_retryable(error)
