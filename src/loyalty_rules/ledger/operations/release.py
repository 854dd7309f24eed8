"""Release: the units of a hold settle shortfalls, and return to their lots. Source: semantics 12."""

from datetime import datetime

import attrs

from loyalty_rules.keys import hold_release_key, release_hold_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import locked_hold
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity, unknown_hold
from loyalty_rules.ledger.receipts import ReleaseReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import holding
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Release"]


@attrs.frozen(field_transformer=checked)
class Release(Operation[ReleaseReceipt]):
    """A release of the hold with the key `hold`; `event` is the id of the releasing event."""

    program: Program
    hold: str = attrs.field(converter=read_text)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ReleaseReceipt]:
        """Return the class of the receipt."""
        return ReleaseReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the hold."""
        return host_identity(self.program, self.event, release_hold_phase(self.hold), {"hold": self.hold}, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Return the units to their lots, after they have settled shortfalls."""
        locked = locked_hold(storage, self.program, self.hold, self.at)
        if locked is None:
            return unknown_hold(self.hold)
        key = hold_release_key(self.program.id, self.event, self.hold)
        return decision_of(holding.release(locked.hold, key, locked.lots, locked.shortfalls, self.at))
