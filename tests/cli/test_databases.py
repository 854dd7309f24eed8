"""Ledgers by the URL of their database: URLs, files, and errors without a password."""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from loyalty_rules.cli import main
from loyalty_rules.cli.databases import (
    UnusableLedgerError,
    database_url,
    existing_ledger,
    opened_ledger,
    translated_errors,
)
from loyalty_rules.ledger.errors import AmountOutOfRangeError

from .recorded import back, files, sale, url_in
from .running import Capture, run_without

EVENTS = [
    sale(1, "2025-01-01T10:00:00", "100"),
    sale(2, "2025-01-02T10:00:00", "90"),
    back(1, "2025-01-20T10:00:00", 1, "40"),
]


# -- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///shop.db",
        "sqlite:////var/shop.db",
        "sqlite+pysqlite:///shop.db",
        "postgresql+psycopg://me:secret@host/shop",
        "postgresql://host/shop",
    ],
)
def test_the_url_of_a_database_in_a_file_or_on_a_server_is_accepted(url: str) -> None:
    assert database_url(url) == url


@pytest.mark.parametrize(
    "url", ["shop.db", "", "mysql://me:secret@host/shop", "sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:"]
)
def test_another_text_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected the URL of a database") as refused:
        database_url(url)

    assert "secret" not in str(refused.value)


# -- opening ---------------------------------------------------------------------------------------------------------


def test_a_ledger_is_created_and_found_again(tmp_path: Path) -> None:
    with opened_ledger(url_in(tmp_path)) as ledger:
        assert ledger.exists()
    with existing_ledger(url_in(tmp_path)) as ledger:
        assert ledger.programs() == []


def test_a_missing_file_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    with (
        pytest.raises(UnusableLedgerError, match=r"shop\.db: there is no such file"),
        existing_ledger(url_in(tmp_path)),
    ):
        pass

    assert not (tmp_path / "shop.db").exists()


def test_a_database_of_something_else_is_an_error(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as other:
        other.execute("CREATE TABLE things (id INTEGER)")

    with pytest.raises(UnusableLedgerError, match="is a database without a ledger"), existing_ledger(url_in(tmp_path)):
        pass


@pytest.mark.parametrize(
    ("ledger", "message"),
    [
        ("sqlite:////absent/folder/shop.db", "the database sqlite://... can't be used: unable to open database file"),
        ("postgresql+psycopg://me:secret@localhost:1/shop", "the database postgresql+psycopg://... can't be used: "),
        ("postgresql+nodriver://me:secret@localhost/shop", "the database postgresql+nodriver://... can't be used: "),
        ("postgresql+psycopg://me:secret@localhost:port/shop", "postgresql+psycopg://... is not the URL of a database"),
    ],
)
def test_an_unusable_database_ends_the_run_with_one_line(
    tmp_path: Path, capsys: Capture, ledger: str, message: str
) -> None:
    assert main(["run", *files(tmp_path, EVENTS), "--ledger", ledger]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith(f"loyalty-rules: {message}")
    assert "secret" not in printed.err


def test_a_file_that_is_not_a_database_is_not_changed(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "shop.db").write_text("not a database, " * 100)

    assert main(["run", *files(tmp_path, EVENTS), "--ledger", url_in(tmp_path)]) == 2

    assert "file is not a database" in capsys.readouterr().err
    assert (tmp_path / "shop.db").read_text() == "not a database, " * 100


@pytest.mark.slow
@pytest.mark.parametrize(("url", "extra"), [("sqlite:///shop.db", "sql"), ("postgresql+psycopg://h/shop", "postgres")])
def test_without_sqlalchemy_the_message_names_the_extra_to_install(tmp_path: Path, url: str, extra: str) -> None:
    names = files(tmp_path, EVENTS)

    into_memory = run_without("sqlalchemy", "run", *names)
    into_database = run_without("sqlalchemy", "run", *names, "--ledger", url)
    reported = run_without("sqlalchemy", "report", url)

    assert into_memory.returncode == 0
    for each in (into_database, reported):
        assert each.returncode == 2
        assert each.stderr.decode().splitlines() == [
            "loyalty-rules: a ledger in a database needs SQLAlchemy, which is not installed: "
            f"pip install 'loyalty-rules[{extra}]'"
        ]


# -- errors ----------------------------------------------------------------------------------------------------------


def test_an_error_of_the_ledger_keeps_its_words() -> None:
    error = AmountOutOfRangeError("an amount")

    with pytest.raises(UnusableLedgerError) as translated, translated_errors("sqlite:///shop.db"):
        raise error

    assert translated.value.problem == str(translated.value) == str(error)


def test_an_error_of_the_program_is_not_translated() -> None:
    with pytest.raises(ZeroDivisionError), translated_errors("sqlite:///shop.db"):
        raise ZeroDivisionError
