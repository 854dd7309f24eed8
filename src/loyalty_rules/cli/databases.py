"""Opening of a ledger by the URL of its database, with plain errors. Needs the extra `sql`."""

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.serials import SerialKeys

if TYPE_CHECKING:
    from loyalty_rules.ledger import SQLLedger

__all__ = ["UnusableLedgerError", "add_url", "database_url", "existing_ledger", "opened_ledger", "translated_errors"]

_NO_LEDGER = "is a database without a ledger; expected one created by run --ledger"
_EXAMPLES = "sqlite:///shop.db or postgresql+psycopg://user@host/shop"


class UnusableLedgerError(LoyaltyError):
    """A ledger that cannot be opened, read or written; `problem` is the reason, without any password."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)

    def __str__(self) -> str:
        return self.problem


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add the positional argument DATABASE."""
    parser.add_argument(
        "url",
        metavar="DATABASE",
        type=database_url,
        help="the ledger's database: sqlite:///shop.db, postgresql+psycopg://…",
    )


def database_url(text: str) -> str:
    """Read the URL of a database, for argparse; an error shows only its scheme, since it may hold a password."""
    database = _database(text)
    if database not in ("sqlite", "postgresql"):
        raise argparse.ArgumentTypeError(f"expected the URL of a database, {_EXAMPLES}; found {_short(text)!a}")
    if database == "sqlite" and _file_of(text) in ("", ":memory:"):
        raise argparse.ArgumentTypeError(
            f"expected the URL of a database in a file, such as sqlite:///shop.db; found {_short(text)!a}"
        )
    return text


def _database(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return scheme.partition("+")[0] if separator else ""


def _short(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    return f"{scheme}{separator}..." if separator else url[:60]


def _file_of(url: str) -> str:
    return url.partition("://")[2].removeprefix("/").partition("?")[0].removeprefix("file:")


# -- opening ---------------------------------------------------------------------------------------------------------


@contextmanager
def existing_ledger(url: str, serials: SerialKeys | None = None) -> Iterator["SQLLedger"]:
    """Open a ledger that is there, as `opened_ledger`; a missing file or a database without a ledger is an error."""
    _check_installed(url)
    if _database(url) == "sqlite":
        _check_file(_file_of(url))
    with opened_ledger(url, serials, create=False) as ledger:
        with translated_errors(url):
            exists = ledger.exists()
        if not exists:
            raise UnusableLedgerError(f"{_short(url)}: {_NO_LEDGER}")
        yield ledger


@contextmanager
def opened_ledger(url: str, serials: SerialKeys | None = None, *, create: bool = True) -> Iterator["SQLLedger"]:
    """Open the ledger at a URL, create it if missing, and close it after the block; raises `UnusableLedgerError`."""
    _check_installed(url)
    from loyalty_rules.ledger.sql import SQLLedger

    with translated_errors(url):
        try:
            ledger = SQLLedger.open(url, serials=serials, create=create)
        except ImportError as error:  # create_engine imports the driver
            raise UnusableLedgerError(_driver_needed(url, error)) from error
        except ValueError as error:  # SQLAlchemy raises it for a port that is not a number
            raise UnusableLedgerError(f"{_short(url)} is not the URL of a database, such as {_EXAMPLES}") from error
    with closing(ledger):
        yield ledger


def _check_installed(url: str) -> None:
    try:
        import loyalty_rules.ledger.sql  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "sqlalchemy":
            raise
        extra = "sql" if _database(url) == "sqlite" else "postgres"
        raise UnusableLedgerError(
            f"a ledger in a database needs SQLAlchemy, which is not installed: pip install 'loyalty-rules[{extra}]'"
        ) from error


def _driver_needed(url: str, error: ImportError) -> str:
    if _database(url) == "postgresql":
        return (
            f"the driver of {_short(url)} can't be imported ({error}): pip install 'loyalty-rules[postgres]', "
            "and write the URL as postgresql+psycopg://…"
        )
    return f"the driver of {_short(url)} can't be imported ({error}): write the URL as sqlite:///shop.db"


def _check_file(name: str) -> None:
    """Check that a SQLite file holds a ledger, without creating or changing anything."""
    from loyalty_rules.ledger.sql import Tables

    if not Path(name).is_file():
        raise UnusableLedgerError(f"{name}: there is no such file; loyalty-rules run --ledger URL creates a ledger")
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    try:
        with closing(sqlite3.connect(f"{Path(name).absolute().as_uri()}?mode=ro", uri=True)) as file:
            (found,) = file.execute(query, [Tables().batches.name]).fetchone()
    except sqlite3.Error as error:
        raise UnusableLedgerError(f"{name}: can't be read as a database of SQLite: {error}") from error
    if not found:
        raise UnusableLedgerError(f"{name}: {_NO_LEDGER}")


# -- errors ----------------------------------------------------------------------------------------------------------


@contextmanager
def translated_errors(url: str) -> Iterator[None]:
    """Convert errors of the database and of the ledger to an `UnusableLedgerError` with the same message."""
    try:
        yield
    except Exception as error:
        module = type(error).__module__  # by name: importing sqlalchemy here would make every command need it
        if module.startswith("loyalty_rules.ledger."):
            raise UnusableLedgerError(str(error)) from error
        if module.startswith("sqlalchemy."):
            raise UnusableLedgerError(f"the database {_short(url)} can't be used: {_message(error)}") from error
        raise


def _message(error: Exception) -> str:
    """Return the first line of the database's own message; that of SQLAlchemy adds the statement."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
