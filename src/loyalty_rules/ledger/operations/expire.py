"""Expire: record that a lot or a coupon has expired, or that a hold is over."""

from collections.abc import Iterator
from datetime import datetime

import attrs

from loyalty_rules.intents import ExpireCoupon, ExpireCurrency
from loyalty_rules.keys import coupon_expiry_key, currency_expiry_key, hold_end_key
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations.lookups import (
    LockedHold,
    locked_coupon,
    locked_further_lot,
    locked_hold,
    locked_lot,
)
from loyalty_rules.ledger.operations.operation import Decision, Operation
from loyalty_rules.ledger.receipts import ExpireReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import holding, sweep
from loyalty_rules.lifecycle.records import CouponRecord, Hold, Lot, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["Expire", "expiry_of"]


@attrs.frozen(field_transformer=checked)
class Expire(Operation[ExpireReceipt]):
    """The expiry of one lot, coupon or hold of `program`, by the instant `at`; refused if it has not expired."""

    program: Program
    expired: Lot | CouponRecord | Hold
    at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ExpireReceipt]:
        """Return the class of the receipt."""
        return ExpireReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the key of the expiry, dated at its instant."""
        key, expired_at = _identity_of(self.expired)
        return IdempotencyRecord(self.program.id, key, "expire", {"key": key}, expired_at or self.at, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Expire the remainder, unless the lot or coupon was used or extended meanwhile, or the hold has ended."""
        if isinstance(self.expired, Hold):
            return self._ended(locked_hold(storage, self.program, self.expired.key, self.at))
        current = self._locked(storage)
        intent = next(expiry_of(current, self.at), None) if current is not None else None
        if intent is None:
            return Refusal(("not_expired",), f"{self.expired.key} has changed meanwhile")
        return (intent,)

    def _ended(self, locked: LockedHold | None) -> Decision:
        if locked is None or locked.hold.ended_at is not None or locked.hold.intent.until > self.at:
            return Refusal(("not_expired",), f"{self.expired.key} has changed meanwhile")
        return (holding.end(locked.hold, locked.lots, locked.shortfalls),)

    def _locked(self, storage: Storage) -> Lot | CouponRecord | None:
        if isinstance(self.expired, CouponRecord):
            return locked_coupon(storage, self.program, self.expired.key)
        key = self.expired.key
        locked = locked_lot(storage, self.program, key)
        if locked is not None:
            return locked[1]
        return locked_further_lot(storage, self.program, key)


def expiry_of(expired: Lot | CouponRecord, at: datetime) -> Iterator[ExpireCurrency | ExpireCoupon]:
    """Yield the expiry of a lot or a coupon, if it has expired by an instant without a record of it."""
    return sweep.expire([expired], at) if isinstance(expired, Lot) else sweep.expire_coupons([expired], at)


def _identity_of(expired: Lot | CouponRecord | Hold) -> tuple[str, datetime | None]:
    """Return the key of an expiry and its instant; None for a lot or a coupon that never expires."""
    if isinstance(expired, Hold):
        return hold_end_key(expired.key), expired.intent.until
    if isinstance(expired, Lot):
        return currency_expiry_key(expired.key, expired.expires_on), expired.expires_at
    return coupon_expiry_key(expired.key), expired.expires_at
