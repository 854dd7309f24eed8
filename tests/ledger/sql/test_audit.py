"""The audit finds every change of the log, by hashing it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql.hash_chain import CHAINS, FIRST_LINK, link_of
from loyalty_rules.testing.ledgers.facts.till import (
    Till,
    earn,
    fixed,
    shop,
)

from .sqlite_files import busy_week, drop_triggers, execute


def test_a_ledger_is_consistent_after_busy_week(till: Till, ledger: SQLLedger) -> None:
    busy_week(till)
    assert ledger.verify() == []
    assert ledger.check_invariants() == []


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE loyalty_entries SET amount = amount + 1 WHERE number = 1",
        "UPDATE loyalty_entries SET at = at + 1 WHERE number = 2",
        "UPDATE loyalty_batches SET inputs = replace(inputs, '250', '350') WHERE event = 'T2'",
        "UPDATE loyalty_receipts SET intents = replace(intents, '\"25\"', '\"35\"')",
        "UPDATE loyalty_receipts SET snapshot = '{}' WHERE snapshot IS NOT NULL",
        "UPDATE loyalty_draws SET amount = 0 WHERE number = 1",
        "UPDATE loyalty_coupon_states SET state = 'issued' WHERE state = 'redeemed'",
        "DELETE FROM loyalty_entries WHERE number = 1",
        "DELETE FROM loyalty_lot_changes",
        "DELETE FROM loyalty_versions",
        "UPDATE loyalty_versions SET document = replace(document, 'true', 'false')",
    ],
)
def test_a_forged_row_is_found(till: Till, ledger: SQLLedger, path: Path, forgery: str) -> None:
    busy_week(till)
    drop_triggers(path)
    execute(path, forgery)
    assert any("is not as it was recorded" in each for each in ledger.verify())


def test_a_row_forged_with_its_digest_breaks_the_chain(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    drop_triggers(path)
    execute(path, "UPDATE loyalty_receipts SET digest = zeroblob(32) WHERE number = 1")
    assert any("does not follow" in each for each in ledger.verify())


def test_a_row_forged_with_its_digest_and_link_breaks_the_next_link(till: Till, ledger: SQLLedger, path: Path) -> None:
    till.runs(shop(earn(fixed("10"))))
    for number in range(CHAINS + 1):  # so that one of the chains has two
        till.sell(f"T{number}")
    drop_triggers(path)
    ((first,),) = execute(path, "SELECT min(number) FROM loyalty_receipts GROUP BY chain HAVING count(*) > 1 LIMIT 1")
    digest = bytes(32)
    link = link_of(FIRST_LINK, digest)
    execute(path, "UPDATE loyalty_receipts SET digest = ?, link = ? WHERE number = ?", digest, link, first)
    forged, next_one = ledger.verify()
    assert "is not as it was recorded" in forged
    assert "does not follow" in next_one
    assert forged.split()[1] != next_one.split()[1]


def test_a_deleted_last_batch_is_found_by_the_ends_that_were_kept(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    kept = ledger.ends()
    drop_triggers(path)
    [(last,)] = execute(path, "SELECT max(batch) FROM loyalty_receipts")
    for table in ("receipts", "entries", "lot_changes", "extensions", "coupon_states", "draws", "versions"):
        execute(path, f"DELETE FROM loyalty_{table} WHERE batch = ?", last)
    assert ledger.verify() == []
    assert len(ledger.verify(kept)) == 1


def test_a_bill_that_is_overpaid_is_found(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    drop_triggers(path)
    for table in ("versions", "payments"):  # the coupon took 6 of the bill of 40
        change = f"UPDATE loyalty_{table} SET document = replace(document, ?, ?)"
        execute(path, change, '"bill":"40"', '"bill":"5.99"')
    assert "discounts and spends of T3 are 6, more than its bill of 5.99" in ledger.check_invariants()


def test_a_code_of_two_coupon_types_is_found(till: Till, ledger: SQLLedger, path: Path) -> None:
    busy_week(till)
    execute(path, "UPDATE loyalty_coupons SET code = 'five'")
    other = "UPDATE loyalty_coupons SET issue = replace(issue, ?, ?) WHERE key LIKE '%/2'"
    execute(path, other, '"next-visit"', '"other"')
    assert "the coupon types next-visit and other share the code five" in ledger.check_invariants()
