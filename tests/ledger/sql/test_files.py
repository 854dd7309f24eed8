"""New files of SQLite are private to the user."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql.files import create_private_file
from loyalty_rules.testing.ledgers.facts.till import Till, earn, fixed, shop

from .sqlite_files import execute


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_and_its_log_are_private(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(SQLLedger.open(f"sqlite:///{path}")) as ledger:
        Till(ledger).sell("T1")
        names = {"shop.db", "shop.db-wal", "shop.db-shm"}
        assert {(each.name, mode_of(each)) for each in tmp_path.iterdir()} == {(name, 0o600) for name in names}


def test_the_mode_of_an_existing_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    path.touch(0o640)
    path.chmod(0o640)
    with closing(SQLLedger.open(f"sqlite:///{path}")) as ledger:
        assert ledger.exists()
    assert mode_of(path) == 0o640


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true", "postgresql://h/x"])
def test_a_url_without_a_file_creates_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    create_private_file(url)
    assert [*tmp_path.iterdir()] == []


def test_an_error_of_the_database_shows_no_customer(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(SQLLedger.open(f"sqlite:///{path}")) as ledger:
        till = Till(ledger)
        till.runs(shop(earn(fixed("10"))))
        execute(path, "DROP TABLE loyalty_entries")
        with pytest.raises(DBAPIError) as error:
            till.sell("T1", member="anna-the-customer")
    assert "anna-the-customer" not in str(error.value)
