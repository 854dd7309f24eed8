"""Program versions are stored once, and loaded again for old sales."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import program_versions
from loyalty_rules.ledger.sql.dialects import dialect_of
from loyalty_rules.ledger.sql.program_versions import ProgramVersions
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.testing.ledgers.facts.till import (
    SERIALS,
    Till,
    earn,
    fixed,
    proportional,
    shop,
)

from .sqlite_files import execute


def test_a_program_version_is_stored_once_for_many_sales(till: Till, path: Path) -> None:
    till.runs(shop(earn(fixed("1"))))
    for number in range(5):
        till.sell(f"T{number}")
    assert execute(path, "SELECT count(*) FROM loyalty_programs") == [(1,)]


def test_another_process_finds_the_frozen_terms_of_a_sale(till: Till, path: Path) -> None:
    till.runs(shop(earn(proportional("10"))))
    till.sell("T1", "100")
    later = SQLLedger.open(f"sqlite:///{path}", serials=SERIALS)
    again = Till(later)
    again.runs(shop(earn(fixed("1"), "other")))
    assert [str(each.amount) for each in again.take_back("T1", "50").intents] == ["5"]  # type: ignore[union-attr]
    later.close()


def test_a_version_is_written_again_until_it_is_known_to_be_committed(ledger: SQLLedger, engine: Engine) -> None:
    program = shop(earn(fixed("1")))
    versions, statements = ProgramVersions(), Statements(ledger.tables, dialect_of(engine))
    with engine.connect() as connection:
        assert versions.store(connection, statements, program) == program.version
        connection.rollback()
        assert versions.store(connection, statements, program) == program.version
        connection.commit()
        versions.note_stored(program.version)
        assert versions.store(connection, statements, program) is None
        assert ProgramVersions().load(connection, statements, program.version) == program


def test_the_cache_keeps_the_programs_that_were_loaded_last(
    ledger: SQLLedger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_versions, "_MAX_LOADED", 2)
    programs = [shop(earn(fixed(amount))) for amount in ("1", "2", "3")]
    versions, statements = ProgramVersions(), Statements(ledger.tables, dialect_of(engine))
    with engine.connect() as connection:
        for program in programs:
            versions.store(connection, statements, program)
        loaded = [versions.load(connection, statements, each.version) for each in reversed(programs)]
    assert [one is other for one, other in zip(loaded, reversed(programs), strict=True)] == [True, True, False]
    assert loaded == [*reversed(programs)]
