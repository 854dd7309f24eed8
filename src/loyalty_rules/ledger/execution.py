"""Execution: the steps that every operation of a ledger takes. Source: ledger 2.

1. Claim the batch of the operation's identity, with the locks that are known. A retry ends here, with the recorded
   receipt.
2. Decide, with the rows locked and read. A refusal ends here, and nothing is kept.
3. Post the intents. Claims over a cap are trimmed or refused.
4. Write the receipt.
"""

from collections.abc import Sequence

from loyalty_rules.intents import Intent
from loyalty_rules.ledger.batch_writer import windows_of
from loyalty_rules.ledger.errors import ClosedAccount
from loyalty_rules.ledger.idempotency import IdempotencyRecord, check_key, replayed
from loyalty_rules.ledger.locks import counter_lock
from loyalty_rules.ledger.operations.lookups import with_current_members
from loyalty_rules.ledger.operations.operation import Decision, Noted, Operation
from loyalty_rules.ledger.posting import Posting
from loyalty_rules.ledger.receipts import Receipt, ReceiptT
from loyalty_rules.ledger.rolling_caps import windows_to_read
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Refusal

__all__ = ["execute"]


class _Refused(Exception):
    """A refusal as an exception: it rolls the transaction back on its way out."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def execute(storage: Storage, operation: Operation[ReceiptT]) -> ReceiptT:
    """Execute an operation once, and return its receipt.

    A retry returns the recorded receipt; a refusal leaves no record. Raises `IdempotencyConflict` if other inputs
    were recorded under the same key.
    """
    identity, receipt_class = operation.identity(storage), operation.receipt_class()
    check_key(identity)
    try:
        with storage.atomic():
            batch = storage.claim_batch(identity, operation.locks())
            if batch is not None:
                receipt = replayed(receipt_class, batch, identity, operation.ignoring)
                return operation.replayed(storage, receipt)
            decided = _decided(operation, storage)
            if isinstance(decided, Refusal):
                raise _Refused(decided)
            noted = decided if isinstance(decided, Noted) else Noted(decided, {})
            posting = _posted(storage, operation, identity, noted.intents)
            recorded = tuple(posting.recorded), tuple(posting.trims)
            receipt = receipt_class("recorded", identity.key, *recorded, **noted.notes)
            storage.commit_batch(receipt)
            return receipt
    except _Refused as refused:
        return receipt_class("refused", identity.key, refusal=refused.refusal)


def _decided(operation: Operation[ReceiptT], storage: Storage) -> Decision:
    try:
        return operation.decide(storage)
    except ClosedAccount as closed:
        return closed.refusal


def _posted(
    storage: Storage, operation: Operation[Receipt], identity: IdempotencyRecord, intents: Sequence[Intent]
) -> Posting:
    intents = with_current_members(storage, operation.program, intents)
    claimed = [*windows_of(intents)]
    storage.lock(counter_lock(operation.program.id, name) for name, _, _ in claimed)
    storage.read_counters(operation.program.id, windows_to_read(claimed))
    bill, store = operation.bill_amount(), operation.bill_store()
    posting = Posting(storage, operation.program, identity, operation.serial_generator(), bill, store)
    posting.post(intents)
    return posting
