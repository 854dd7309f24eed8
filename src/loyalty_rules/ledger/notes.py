"""The notes of receipts as documents, for a storage that keeps the parts of a receipt."""

from collections.abc import Mapping
from typing import Any

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.intents import Skipped
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.lifecycle.unrecovered import UNRECOVERED

__all__ = ["notes_of", "restored_notes"]


def notes_of(receipt: Receipt) -> dict[str, Any]:
    """Return the notes of a receipt as documents, for a storage that keeps the parts of a receipt."""
    return {name: [unstructure(each) for each in getattr(receipt, name)] for name in receipt.notes}


def restored_notes(documents: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the output of `notes_of` back to fields of a receipt."""
    return {
        name: tuple(restore(each, _NOTES[name][each.get("type")]) for each in values)
        for name, values in documents.items()
    }


_NOTES: Mapping[str, Mapping[Any, type[Any]]] = {"unrecovered": UNRECOVERED, "skipped": {None: Skipped}}
"""The classes of the notes, by the type that their documents name."""
