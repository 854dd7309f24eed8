"""Redeem all: a whole set of redemptions and spends of one transaction, or none of them. Source: semantics 9."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Transaction
from loyalty_rules.keys import redeem_all_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.checkout import SpendOffer, decide_checkout, name_of_code
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity, is_wholly_undone
from loyalty_rules.ledger.receipts import RedeemAllReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.bill import amount_of
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import dump
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import Number, read_decimal, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_list, read_name, read_text

__all__ = ["RedeemAll", "read_codes", "read_spends"]


def read_codes(value: Sequence[str]) -> tuple[str, ...]:
    """Read the codes of a set: serials, shared and public codes, as they are typed."""
    return read_list(value, read_text, "codes")


def read_spends(value: Sequence[tuple[Account, str, Number]]) -> tuple[SpendOffer, ...]:
    """Read the spends of a set: an account, a currency and an amount each; each currency once."""
    spends = read_list(value, _read_spend, "spends")
    seen: set[str] = set()
    for index, (_, currency, _) in enumerate(spends):
        if currency in seen:
            raise InvalidValueError(
                f"[{index}]", "duplicate_id", f"a transaction spends a currency once; {describe(currency)} is repeated"
            )
        seen.add(currency)
    return spends


def _read_spend(value: Any) -> SpendOffer:
    if not isinstance(value, (list, tuple)) or len(value) != 3 or not isinstance(value[0], Account):
        raise InvalidValueError(
            "", "wrong_type", f"expected an account, a currency and an amount; found {describe(value)}"
        )
    account, currency, amount = value
    return account, read_text(currency), read_decimal(amount)


@attrs.frozen(field_transformer=checked)
class RedeemAll(Operation[RedeemAllReceipt]):
    """A set of coupons, by their codes, and of spends that a transaction redeems and pays with, in the right order.

    A shared code that is named n times means n of its coupons. `event` is the id of another attempt within the same
    transaction, by default the transaction's own; each has one set.
    """

    program: Program
    codes: tuple[str, ...] = attrs.field(converter=read_codes)
    spends: tuple[SpendOffer, ...] = attrs.field(converter=read_spends)
    transaction: Transaction
    event: str | None = attrs.field(default=None, converter=optional(read_name))

    def receipt_class(self) -> type[RedeemAllReceipt]:
        """Return the class of the receipt."""
        return RedeemAllReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:
        """Return the identity: the transaction, the coupons by their keys, since serials are secret, and the spends."""
        inputs = {
            "event": dump(self.transaction),
            "codes": [name_of_code(storage, self.program, code) for code in self.codes],
            "spends": [
                {"account": f"{account.kind} {account.id}", "currency": currency, "amount": text_of(amount)}
                for account, currency, amount in self.spends
            ],
        }
        event = self.event if self.event is not None else self.transaction.id
        return host_identity(self.program, event, redeem_all_phase(), inputs, self.transaction.occurred_at)

    def decide(self, storage: Storage) -> Decision:
        """Redeem and spend all of the set, or refuse it as a whole with the reasons of each."""
        return decide_checkout(storage, self.program, self.transaction, self.codes, self.spends, event=self.event)

    def bill_amount(self) -> Decimal | None:
        """Return the amount of the bill, in the program's money."""
        return amount_of(self.program, self.transaction)

    def bill_store(self) -> str | None:
        """Return the store of the bill."""
        return self.transaction.store

    def replayed(self, storage: Storage, receipt: RedeemAllReceipt) -> RedeemAllReceipt:
        """Return the recorded receipt, marked if all of it has been undone."""
        return attrs.evolve(receipt, undone=is_wholly_undone(storage, receipt))
