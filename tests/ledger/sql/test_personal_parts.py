"""The personal parts of inputs in a database: erased without a byte left, while the log stays provable."""

# mypy: disable-error-code="comparison-overlap"

from __future__ import annotations

import asyncio
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from loyalty_rules.ledger import IdempotencyConflict, MemoryLedger, SQLLedger
from loyalty_rules.ledger.errors import UnsafeTransactionError
from loyalty_rules.ledger.sql.asyncio import AsyncSQLLedger
from loyalty_rules.loading import load_event
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    SERIALS,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    serial_of,
    shop,
)

from .sqlite_files import drop_triggers, execute

WHY: dict[str, Any] = {"reason": "asked for it", "by": "desk-3", "event": "F1"}
SECRETS = [f"secret-{number:02}" for number in range(16)]
"""Texts that stand for something personal, each in another place."""
(PHONE, TAG, TRAIT, NOTE, FIELD, LINE, PAID, SENT, PART, NICK, NEW_TAG, BILL, CART, SPENT, OTHERS, SPARE) = SECRETS


def bill(till: Till, event: str, **parts: Any) -> Any:
    """Return a bill of 80 of Anna, with personal fields."""
    anna = {"id": "anna", "tags": [TAG], "contacts": {"sms": PHONE}, "extended_fields": {"trait": TRAIT}}
    when = {"occurred_at": till.now.isoformat(), "member": anna}
    return load_event({"type": "transaction", "id": event, "amount": "80", **when, **parts})


def life(till: Till) -> None:
    """Record sales, later events, redemptions and a spend of Anna, each with personal fields, and a sale of Ben."""
    rate = {"points": {"redeem": {"points": "1", "value": "0.01"}}}
    till.runs(shop(earn(fixed("100")), hand_out(quantity=2), currencies=rate, coupon_types=coupon_type()))
    ledger, program = till.ledger, till.program
    line = {"id": "1", "quantity": "2", "value": "80", "extended_fields": {"size": LINE}}
    first = bill(till, "T1", lines=[line], custom_fields={"note": NOTE}, extended_fields={"f": FIELD})
    sold = ledger.process(program, first, serials=SERIALS)
    till.process({"type": "update", "id": "U1", "of": "T1", "status": "paid", "custom_fields": {"paid": PAID}})
    till.process({"type": "update", "id": "U2", "of": "T1", "extended_fields": {"sent": SENT}})
    back = {"id": "1", "quantity": "1", "extended_fields": {"why": PART}}
    till.process({"type": "return", "id": "R1", "of": "T1", "amount": "40", "lines": [back]})
    amended = {"id": "anna", "tags": [NEW_TAG]}
    till.process({"type": "amendment", "id": "D1", "of": "T1", "member": amended, "custom_fields": {"nick": NICK}})
    ledger.redeem(program, serial_of(sold, 1), bill(till, "T2", custom_fields={"bill": BILL}))
    ledger.redeem_all(program, [serial_of(sold, 2)], [], bill(till, "T3", custom_fields={"cart": CART}))
    paid = bill(till, "T4", custom_fields={"spent": SPENT})
    ledger.spend(program, ANNA, "anna", "points", Decimal(5), event="T4", at=till.now, bill=paid)
    till.process({"type": "registration", "id": "A1", "member": {"id": "anna"}, "custom_fields": {"note": SPARE}})
    till.sell("T9", "100", member="ben", custom_fields={"note": OTHERS})


def found_in(*files: Path) -> list[str]:
    """Return the personal texts whose bytes are in some files."""
    content = b"".join(each.read_bytes() for each in files if each.exists())
    return [each for each in SECRETS if each.encode() in content]


def test_no_personal_byte_is_left_in_the_file_and_its_log(till: Till, ledger: SQLLedger, path: Path) -> None:
    files = path, Path(f"{path}-wal"), Path(f"{path}-shm")
    life(till)
    assert found_in(*files) == SECRETS  # the search does find them
    ledger.forget(till.program, "anna", at=till.now, **WHY)
    ledger.vacuum()
    assert found_in(*files) == [OTHERS]
    assert ledger.verify() == []
    assert ledger.check_invariants() == []
    ledger.rebuild()
    assert ledger.check_invariants() == []


def test_without_a_vacuum_the_bytes_may_remain(till: Till, ledger: SQLLedger, path: Path) -> None:
    """The control: the deletion of the rows alone is not enough."""
    life(till)
    ledger.forget(till.program, "anna", at=till.now, **WHY)
    assert len(found_in(path, Path(f"{path}-wal"))) > 1


def test_no_personal_text_is_left_in_any_column_of_postgresql(postgres_url: str) -> None:
    with closing(SQLLedger.open(postgres_url, serials=SERIALS)) as ledger:
        till = Till(ledger)
        life(till)
        ledger.forget(till.program, "anna", at=till.now, **WHY)
        ledger.vacuum()
        assert ledger.check_invariants() == []
        engine = create_engine(postgres_url)
        with engine.connect() as connection:
            rows = "".join(str(row) for table in ledger.tables.every for row in connection.execute(select(table)))
        engine.dispose()
    assert [each for each in SECRETS if each in rows] == [OTHERS]


def test_vacuum_also_runs_under_asyncio(sqlite_url: str, path: Path) -> None:
    async def forgotten() -> list[str]:
        ledger = await AsyncSQLLedger.open(sqlite_url.replace("sqlite:", "sqlite+aiosqlite:"), serials=SERIALS)
        till = Till(MemoryLedger())  # for its clock and its bills alone
        till.runs(shop(earn(fixed("100"))))
        await ledger.process(till.program, till.bill("T1", custom_fields={"note": NOTE}))
        receipt = await ledger.forget(till.program, "anna", at=till.now, **WHY)
        assert receipt.forgotten is not None
        await ledger.vacuum()
        await ledger.close()
        return found_in(path, Path(f"{path}-wal"))

    assert asyncio.run(forgotten()) == []


def test_a_vacuum_needs_an_engine(ledger: SQLLedger, sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    with engine.connect() as connection, pytest.raises(UnsafeTransactionError, match="VACUUM"):
        SQLLedger(connection).vacuum()
    engine.dispose()


# -- retries -----------------------------------------------------------------------------------------------------------


def test_personal_parts_are_compared_until_they_are_erased(till: Till, ledger: SQLLedger) -> None:
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1", custom_fields={"note": NOTE})
    with pytest.raises(IdempotencyConflict):
        till.sell("T1", custom_fields={"note": "other"})
    ledger.forget(till.program, "anna", at=till.now, **WHY)
    assert till.sell("T1", custom_fields={"note": NOTE}).status == "already_recorded"
    with pytest.raises(IdempotencyConflict):
        till.sell("T1", "200", custom_fields={"note": NOTE})


def test_a_return_of_a_sale_with_personal_parts_is_decided_by_them(till: Till) -> None:
    tip = {"type": "transaction_custom_field", "field": "tip"}
    till.runs(shop(earn({"type": "proportional", "percent": "100", "of": tip})))
    till.sell("T1", "100", custom_fields={"tip": "7"})
    till.take_back("T1", "50")
    assert till.points() == 7


# -- the audit ---------------------------------------------------------------------------------------------------------

FORGERIES = {
    "UPDATE loyalty_personal SET document = replace(document, 'likes', 'hates')": "acme/T1#event",
    "UPDATE loyalty_personal SET member = 'ben'": "acme/T1#event",
    "UPDATE loyalty_personal SET salt = zeroblob(32)": "acme/T1#event",
    "DELETE FROM loyalty_personal": "acme/T1#event",
    "INSERT INTO loyalty_personal SELECT batch + 1, program, member, salt, document FROM loyalty_personal": (
        "acme/T2#event"
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_change_of_personal_parts_is_found(till: Till, ledger: SQLLedger, path: Path, forgery: str) -> None:
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1", custom_fields={"note": "likes figs"})
    till.sell("T2")
    assert ledger.verify() == []
    execute(path, forgery)
    expected = f"the personal parts of batch {FORGERIES[forgery]} are not as they were recorded"
    assert ledger.verify() == [expected]
    assert expected in ledger.check_invariants()


def test_personal_parts_that_come_back_after_they_were_erased_are_found(
    till: Till, ledger: SQLLedger, path: Path
) -> None:
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1", custom_fields={"note": "likes figs"})
    execute(path, "CREATE TABLE kept AS SELECT * FROM loyalty_personal")
    ledger.forget(till.program, "anna", at=till.now, **WHY)
    execute(path, "INSERT INTO loyalty_personal SELECT * FROM kept")
    assert len(ledger.verify()) == 1


def test_personal_parts_without_a_receipt_are_found(till: Till, ledger: SQLLedger, path: Path) -> None:
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1", custom_fields={"note": "likes figs"})
    drop_triggers(path)
    execute(path, "UPDATE loyalty_personal SET batch = 99")
    assert "the personal parts of batch 99 belong to no receipt" in ledger.verify()


def test_a_sale_without_personal_parts_writes_none(till: Till, path: Path) -> None:
    till.runs(shop(earn(fixed("10"))))
    till.sell("T1", store="S1", lines=[{"id": "1", "quantity": "1", "value": "100", "tags": ["wool"]}])
    till.sell("T2", member=None, custom_fields={"delivery": "3"})  # nobody's
    assert execute(path, "SELECT count(*) FROM loyalty_personal") == [(0,)]
    assert execute(path, "SELECT count(personal) FROM loyalty_receipts") == [(0,)]
