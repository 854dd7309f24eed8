"""The edition of the tables: it is checked before anything is read or written, and told with the way to upgrade."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, inspect, update

from loyalty_rules.ledger import SchemaVersionError, SQLLedger
from loyalty_rules.testing.ledgers.facts.till import ANNA, Till, earn, fixed, moment, shop


def test_tables_of_edition_1_are_refused_with_the_way_to_upgrade(first: Engine) -> None:
    ledger = SQLLedger(first)
    for call in (ledger.create_all, ledger.verify, lambda: ledger.balance("acme", ANNA, "points", moment(0))):
        with pytest.raises(SchemaVersionError, match=r"edition 1, .* edition 2: make a backup, then run .*upgrade\(\)"):
            call()
    assert not inspect(first).has_table("loyalty_versions")


@pytest.mark.parametrize(("found", "told"), [(3, "edition 3, .* update loyalty-rules"), (None, "row in `edition`")])
def test_tables_of_a_later_edition_or_of_none_are_refused(
    ledger: SQLLedger, engine: Engine, found: int | None, told: str
) -> None:
    edition = ledger.tables.edition
    with engine.begin() as connection:
        connection.execute(delete(edition) if found is None else update(edition).values(edition=found))
    with pytest.raises(SchemaVersionError, match=told):
        SQLLedger(engine).latest()
    with pytest.raises(SchemaVersionError, match=told):
        SQLLedger(engine).upgrade()


def test_the_edition_is_checked_once(ledger: SQLLedger, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    other, checks = SQLLedger(engine), []
    monkeypatch.setattr("loyalty_rules.ledger.sql.ledger.check_edition", lambda *_: checks.append(1))
    for _ in range(3):
        other.latest()
    assert (len(checks), ledger.exists()) == (1, True)


def test_tables_of_this_edition_need_no_upgrade(ledger: SQLLedger) -> None:
    till = Till(ledger)
    till.runs(shop(earn(fixed("5"))))
    till.sell("T1")
    before = ledger.ends()
    ledger.upgrade()
    assert ledger.ends() == before
