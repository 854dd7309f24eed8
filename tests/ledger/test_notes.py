"""The notes of receipts: written as documents, and restored with their classes."""

from __future__ import annotations

from loyalty_rules.intents import Skipped
from loyalty_rules.ledger.notes import notes_of, restored_notes
from loyalty_rules.ledger.receipts import SaleReceipt, SettleReceipt


def test_notes_are_restored_as_they_were() -> None:
    skipped = Skipped("p", "earn", "zero_amount", "nothing was bought")
    receipt = SaleReceipt("recorded", "acme/T-1#event", skipped=(skipped,))

    documents = notes_of(receipt)

    assert documents["skipped"][0]["reason"] == "zero_amount"
    assert restored_notes(documents)["skipped"] == (skipped,)


def test_a_receipt_without_notes_has_none() -> None:
    assert notes_of(SettleReceipt("recorded", "acme/T-1#settle")) == {}
