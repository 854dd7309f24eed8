"""Prepared statements: compiled once, and run with the same results as by SQLAlchemy's own execution."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    insert,
    select,
)

from loyalty_rules.ledger.sql.prepared import PreparedStatements

ROWS = Table("rows", MetaData(), Column("id", Integer), Column("name", Text), Column("hash", LargeBinary))
ADD = insert(ROWS)
NAMED = select(ROWS).where(ROWS.c.name == bindparam("name"), ROWS.c.id > 0)
ANY = select(ROWS.c.id).where(ROWS.c.name.in_(bindparam("names", expanding=True))).order_by(ROWS.c.id)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Yield a connection to a database with one table."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        ROWS.create(connection)
        yield connection


def test_rows_are_written_and_read_by_prepared_statements(connection: Connection) -> None:
    prepared = PreparedStatements()
    rows = [{"id": number, "name": f"n{number}", "hash": bytes([number])} for number in (1, 2)]
    assert prepared.execute(connection, ADD, rows).rowcount == 2
    assert prepared.execute(connection, ADD, {"id": 3, "name": "n1", "hash": None}).rowcount == 1
    found = prepared.execute(connection, NAMED, {"name": "n1"}).all()
    assert [(row.id, row.name, row.hash) for row in found] == [(1, "n1", b"\x01"), (3, "n1", None)]
    assert found == connection.execute(NAMED, {"name": "n1"}).all()


def test_the_columns_of_an_insert_are_those_of_its_rows(connection: Connection) -> None:
    prepared = PreparedStatements()
    prepared.execute(connection, ADD, {"id": 1, "name": "a", "hash": None})
    prepared.execute(connection, ADD, {"id": 2})
    assert connection.execute(select(ROWS.c.id, ROWS.c.name)).all() == [(1, "a"), (2, None)]


def test_a_list_of_any_length_is_left_to_sqlalchemy(connection: Connection) -> None:
    prepared = PreparedStatements()
    prepared.execute(connection, ADD, [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    for names, ids in ((["a"], [1]), (["a", "b"], [1, 2]), ([], [])):
        assert prepared.execute(connection, ANY, {"names": names}).scalars().all() == ids
