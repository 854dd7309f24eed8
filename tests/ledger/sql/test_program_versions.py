"""Program versions are stored once, and loaded again for old sales."""

from __future__ import annotations

from pathlib import Path

from loyalty_rules.ledger import SQLLedger
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
