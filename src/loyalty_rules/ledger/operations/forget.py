"""Forget: close a member's account, and erase all that is personal in the member's events. Source: semantics 13."""

from datetime import datetime

import attrs

from loyalty_rules.keys import forget_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import HOLDS, MERGERS, SHORTFALLS, balance_name
from loyalty_rules.ledger.locks import sale_lock
from loyalty_rules.ledger.operations.lookups import current_account, current_sale, lots_of
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity
from loyalty_rules.ledger.receipts import ForgetReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.forgetting import forget
from loyalty_rules.lifecycle.records import Account, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import micros
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name

__all__ = ["Forget"]


@attrs.frozen(field_transformer=checked)
class Forget(Operation[ForgetReceipt]):
    """The forgetting of the member `member`; `event` is its own id, `by` the person who does it."""

    program: Program
    member: str = attrs.field(converter=read_name)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ForgetReceipt]:
        """Return the class of the receipt."""
        return ForgetReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the member, the reason and the person."""
        inputs = {"member": self.member, "reason": self.reason, "by": self.by}
        return host_identity(self.program, self.event, forget_phase(), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """End all that the account has, unless it is closed already or has changed since."""
        program = self.program
        self._lock_sales(storage)
        account = current_account(storage, program, Account("member", self.member))
        lots = lots_of(storage, program, self.identity(storage), account)
        currencies = dict.fromkeys([*(each.id for each in program.currencies), *(lot.issue.currency for lot in lots)])
        balances = [balance_name(account, each) for each in currencies]
        holds = [each for name in balances for each in storage.records(HOLDS, program.id, open_for=name)]
        coupons = storage.coupons_of(program.id, account.id)
        later = [each.issue.key for each in storage.changed_since(lots, self.at)]
        later += [each.key for each in coupons if each.issue.issued_at > self.at]
        if later:
            return Refusal(("too_early",), f"{later[0]} of {account.id} has changed after {self.at.isoformat()}")
        of_promises = dict.fromkeys(lot.issue.event for lot in lots if micros(lot.promised))
        sales = {each: current_sale(storage, program, each) for each in of_promises}
        return forget(
            program,
            _members(storage, program, account.id),
            lots,
            holds,
            coupons,
            [each for name in balances for each in storage.records(SHORTFALLS, program.id, balance=name)],
            {event: sale for event, sale in sales.items() if sale is not None},
            reason=self.reason,
            by=self.by,
            event=self.event,
            at=self.at,
        )

    def _lock_sales(self, storage: Storage) -> None:
        """Lock the sales of the promises and the coupons of the member, which come before the account."""
        program = self.program.id
        promises = [lot for lot in storage.lots_of(program, Account("member", self.member)) if micros(lot.promised)]
        sales = [*(lot.issue.event for lot in promises)]
        sales += [each.issue.event for each in storage.coupons_of(program, self.member) if each.state == "issued"]
        storage.lock(sale_lock(program, each) for each in dict.fromkeys(sales))


def _members(storage: Storage, program: Program, member: str) -> list[str]:
    """Return a member and those that stand for it since a merge, one after the other."""
    members = [member]
    for each in members:  # the list grows on the way
        members += [merger.member for merger in storage.records(MERGERS, program.id, merged_into=each)]
    return members
