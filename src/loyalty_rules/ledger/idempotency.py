"""Idempotency: the record by which a retry of an operation is recognised, and its comparison with the retry.

Source: ledger P2.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Activity, Amendment, Confirmation, Event, Return, Transaction, Update
from loyalty_rules.keys import batch_key, event_in, is_of_program
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.personal import split
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.identifiers import MAX_EVENT_ID

__all__ = ["Batch", "IdempotencyRecord", "check_key", "identity_of_event", "replayed"]

R = TypeVar("R", bound=Receipt)


@attrs.frozen
class IdempotencyRecord:
    """The idempotency record of a batch: its key and the inputs that a retry must repeat.

    A batch belongs to one program, one event and one phase (`event` itself, `spend/points`, …); each phase of an event
    is recorded once. `of` is the id of the sale that the batch is about, if any. `at` is the instant of the event,
    `recorded_at` the instant of the record. Source: ledger P2.
    """

    program: str
    event: str
    phase: str
    inputs: Mapping[str, Any]
    at: datetime
    recorded_at: datetime
    of: str | None = None

    @property
    def key(self) -> str:
        """The key of the batch."""
        return self.key_of(self.program, self.event, self.phase)

    @staticmethod
    def key_of(program: str, event: str, phase: str) -> str:
        """Return the key of a batch."""
        return batch_key(program, event, phase)


@attrs.frozen
class Batch:
    """One recorded operation: its idempotency record and its receipt.

    If `is_erased`, the personal parts of its inputs were erased since. Source: semantics 13.
    """

    identity: IdempotencyRecord
    receipt: Receipt
    is_erased: bool = False


def identity_of_event(program: Program, event: Event, recorded_at: datetime) -> IdempotencyRecord:
    """Return the idempotency record of an event: its document and, for a sale, the program's version."""
    inputs: dict[str, Any] = {"event": dump(event)}
    of = event.of if isinstance(event, (Return, Update, Amendment)) else None
    if isinstance(event, Confirmation) and is_of_program(event.promise, program.id):
        of = event_in(event.promise)[:MAX_EVENT_ID]
    if isinstance(event, (Transaction, Activity)):
        inputs["program_version"] = program.version
        of = event.id
    return IdempotencyRecord(program.id, event.id, "event", inputs, event.occurred_at, recorded_at, of)


def check_key(identity: IdempotencyRecord) -> None:
    """Raise `InvalidValueError` if a key has unprintable characters. Source: documents (scalars)."""
    if not identity.key.isprintable():
        raise InvalidValueError("", "not_a_name", f"expected printable characters; found {describe(identity.key)}")


def replayed(receipt: type[R], batch: Batch, identity: IdempotencyRecord, ignoring: Sequence[str] = ()) -> R:
    """Return the recorded receipt as `already_recorded`, if the inputs are the recorded ones.

    A retry may differ in the inputs named by `ignoring`. Any other difference raises `IdempotencyConflict`, which
    names the first one. Personal parts that were erased are not compared.
    """
    inputs = split(identity.inputs)[0] if batch.is_erased else identity.inputs
    recorded = {key: value for key, value in batch.identity.inputs.items() if key not in ignoring}
    offered = {key: value for key, value in inputs.items() if key not in ignoring}
    difference = _first_difference(recorded, offered, "")
    if difference is not None:
        raise IdempotencyConflict(identity.key, *difference, batch.receipt)
    recorded_receipt = batch.receipt
    return receipt(
        "already_recorded",
        identity.key,
        recorded_receipt.intents,
        recorded_receipt.trims,
        **{name: getattr(recorded_receipt, name) for name in receipt.notes},
    )


def _first_difference(recorded: Any, offered: Any, path: str) -> tuple[str, object, object] | None:
    """Return the path of the first difference between two documents, with both values; None if they are equal."""
    if isinstance(recorded, Mapping) and isinstance(offered, Mapping):
        for key in [*recorded, *(each for each in offered if each not in recorded)]:
            step = f"{path}.{key}" if path else str(key)
            found = _first_difference(recorded.get(key), offered.get(key), step)
            if found is not None:
                return found
        return None
    if isinstance(recorded, list) and isinstance(offered, list) and len(recorded) == len(offered):
        for index, (one, other) in enumerate(zip(recorded, offered, strict=True)):
            found = _first_difference(one, other, f"{path}[{index}]")
            if found is not None:
                return found
        return None
    same = type(recorded) is type(offered) and recorded == offered  # in Python True == 1, in JSON not
    return None if same else (path, recorded, offered)
