"""Extend: move the last day of one lot or coupon to a later one. Source: semantics 13."""

from datetime import date, datetime

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.keys import extend_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.late import issued_after
from loyalty_rules.ledger.operations.lookups import (
    against_coupon_of_later,
    check_open,
    locked_coupon,
    locked_further_lot,
    locked_lot,
)
from loyalty_rules.ledger.operations.operation import Decision, Operation, decision_of, host_identity
from loyalty_rules.ledger.receipts import ExtendReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import by_hand
from loyalty_rules.lifecycle.records import Lot, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_date, read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Extend"]


@attrs.frozen(field_transformer=checked)
class Extend(Operation[ExtendReceipt]):
    """An extension of the lot or the coupon with that key to the last day `expires_on`; `event` is its own id.

    Raises `InvalidValueError` unless exactly one of `lot` and `coupon` is given.
    """

    program: Program
    expires_on: date = attrs.field(converter=read_date)
    reason: str = attrs.field(converter=read_name)
    by: str = attrs.field(converter=read_name)
    event: str = attrs.field(converter=read_name)
    at: datetime = attrs.field(converter=read_instant)
    lot: str | None = attrs.field(default=None, converter=optional(read_text))
    coupon: str | None = attrs.field(default=None, converter=optional(read_text))

    def __attrs_post_init__(self) -> None:
        if (self.lot is None) == (self.coupon is None):
            found = "both" if self.lot is not None else "neither"
            raise InvalidValueError("lot", "required", f"expected either a lot or a coupon, found {found}")

    def receipt_class(self) -> type[ExtendReceipt]:
        """Return the class of the receipt."""
        return ExtendReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the lot or the coupon, the last day, the reason and the person."""
        inputs = {
            "lot": self.lot,
            "coupon": self.coupon,
            "expires_on": self.expires_on.isoformat(),
            "reason": self.reason,
            "by": self.by,
        }
        return host_identity(self.program, self.event, extend_phase(self.lot or self.coupon or ""), inputs, self.at)

    def decide(self, storage: Storage) -> Decision:
        """Move the last day, never to an earlier one."""
        terms = {"reason": self.reason, "by": self.by, "event": self.event}
        if self.coupon is not None:
            coupon = locked_coupon(storage, self.program, self.coupon)
            if coupon is None:
                return Refusal(("unknown",), "there is no such coupon")
            refusal = against_coupon_of_later(storage, self.program, coupon, self.at)
            if refusal is not None:
                return refusal
            return decision_of(by_hand.extend_coupon(self.program, coupon, self.expires_on, **terms, at=self.at))
        lot = self._locked_lot(storage, self.lot or "")
        if lot is None:
            return Refusal(("unknown",), "there is no such lot")
        check_open(storage, self.program, lot.account)
        if issued_after(storage, lot, self.at) is not None:
            return Refusal(("too_early",), f"the extension is dated before the issue of {lot.key}")
        return decision_of(by_hand.extend_lot(self.program, lot, self.expires_on, **terms, at=self.at))

    def _locked_lot(self, storage: Storage, key: str) -> Lot | None:
        locked = locked_lot(storage, self.program, key)
        if locked is not None:
            return locked[1]
        return locked_further_lot(storage, self.program, key)
