"""Transfer: give units of one account to another. Source: semantics 13."""

from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.keys import transfer_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.locks import account_lock, counter_lock
from loyalty_rules.ledger.operations.lookups import current_account, lots_of
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import TransferReceipt
from loyalty_rules.ledger.rolling_caps import capped_value
from loyalty_rules.ledger.storage import Storage, window_of
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.lifecycle.transferring import counter_of_transfers, transfer
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of, read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["Transfer"]


@attrs.frozen(field_transformer=checked)
class Transfer(Operation[TransferReceipt]):
    """A transfer of `amount` units from `source` to `target`; `event` is its own id."""

    program: Program
    source: Account
    target: Account
    currency: str = attrs.field(converter=read_name)
    amount: Decimal = attrs.field(converter=read_decimal)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[TransferReceipt]:
        """Return the class of the receipt."""
        return TransferReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: both accounts, the amount, the reason and the person."""
        inputs = {
            "source": f"{self.source.kind} {self.source.id}",
            "target": f"{self.target.kind} {self.target.id}",
            "amount": text_of(self.amount),
            "reason": self.reason,
            "by": self.by,
        }
        return host_identity(self.program, self.event, transfer_phase(self.currency), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Move the units lot by lot, unless the currency's terms or the balance forbid it."""
        program = self.program
        storage.lock(account_lock(program.id, each) for each in (self.source, self.target))  # both at once, in order
        source, target = (current_account(storage, program, each) for each in (self.source, self.target))
        counter = counter_of_transfers(program, source, self.currency, self.at)
        sent = 0
        if counter is not None:
            storage.lock([counter_lock(program.id, counter.name)])
            sent = capped_value(storage, program.id, window_of(counter))
        return decision_of(
            transfer(
                program,
                source,
                target,
                self.currency,
                self.amount,
                usable_lots(storage, lots_of(storage, program, self.identity(storage), source, self.at), self.at),
                sent=decimal_of(sent),
                reason=self.reason,
                by=self.by,
                event=self.event,
                at=self.at,
            )
        )
