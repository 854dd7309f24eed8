"""Databases for the tests of the ledger: files of SQLite, and databases on one server of PostgreSQL.

Every test that needs the server is marked as slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.testing.ledgers.facts.till import SERIALS, Till

from .first_edition import fill
from .servers import Server, start_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the server of PostgreSQL as slow."""
    for item in items:
        if isinstance(item, pytest.Function) and "postgres" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Yield a server of PostgreSQL, one for each session; raise an error if there is none."""
    server = start_server()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    """Return the URL of a new database on the server of PostgreSQL."""
    return postgres.new_database()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file of SQLite."""
    return tmp_path / "shop.db"


@pytest.fixture
def sqlite_url(path: Path) -> str:
    """Return the URL of a new database of SQLite, in a file."""
    return f"sqlite:///{path}"


# `getfixturevalue` hides the server from `fixturenames`, so that the variant has a marker of its own.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest) -> str:
    """Return the URL of a new database: the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def bind(database: str) -> Iterator[Engine]:
    """Yield an engine on a new database: the test runs on SQLite and on PostgreSQL."""
    engine = create_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """Yield an engine on the file of SQLite."""
    engine = create_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[SQLLedger]:
    """Yield a new ledger in the file of SQLite."""
    ledger = SQLLedger.open(sqlite_url, serials=SERIALS)
    yield ledger
    ledger.close()


@pytest.fixture
def till(ledger: SQLLedger) -> Till:
    """Return a till that records into the ledger."""
    return Till(ledger)


@pytest.fixture
def first(database: str) -> Iterator[Engine]:
    """Yield an engine on a database of edition 1."""
    engine = create_engine(database)
    with engine.begin() as connection:
        fill(connection)
    yield engine
    engine.dispose()
