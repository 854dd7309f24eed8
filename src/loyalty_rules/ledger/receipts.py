"""Receipts: the result of each operation of a ledger, a class for each operation. Source: ledger 2."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

import attrs

from loyalty_rules.intents import (
    AdjustCurrency,
    AdvanceTracker,
    CancelPromise,
    CaptureHold,
    ChangeTier,
    ExpireCoupon,
    ExpireCurrency,
    ExtendCoupon,
    ExtendExpiry,
    ExtendLot,
    ForgetMember,
    HoldCurrency,
    Intent,
    IssueCoupon,
    IssueCurrency,
    MergeAccounts,
    ReassignCoupon,
    RedeemCoupon,
    ReleaseHold,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    Skipped,
    SpendCurrency,
    TopUpCoupon,
    TransferCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.keys import kind_of_phase
from loyalty_rules.lifecycle.amendments import AmendmentIntent
from loyalty_rules.lifecycle.forgetting import ForgetIntent
from loyalty_rules.lifecycle.promises import PromiseIntent
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.lifecycle.returns import ReturnIntent
from loyalty_rules.lifecycle.unrecovered import Unrecovered
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "RECEIPTS",
    "AdjustReceipt",
    "AmendmentReceipt",
    "CaptureReceipt",
    "ConfirmationReceipt",
    "EventReceipt",
    "ExpireReceipt",
    "ExtendReceipt",
    "ForgetReceipt",
    "HoldReceipt",
    "MergeReceipt",
    "NightlyReceipt",
    "Quote",
    "ReassignReceipt",
    "Receipt",
    "ReceiptT",
    "RedeemAllReceipt",
    "RedeemReceipt",
    "ReleaseReceipt",
    "ReturnReceipt",
    "ReviewReceipt",
    "SaleReceipt",
    "SettleReceipt",
    "SpendReceipt",
    "TopUpReceipt",
    "TransferReceipt",
    "Trim",
    "UndoRedemptionReceipt",
    "UndoSpendReceipt",
    "UpdateReceipt",
    "VoidReceipt",
    "receipt_class",
]

T = TypeVar("T")
ReceiptT = TypeVar("ReceiptT", bound="Receipt")
"""The class of an operation's receipt."""

_ORDER = ("status", "key", "intents", "trims", "refusal", "skipped", "unrecovered", "undone")


def _in_order(_cls: type, fields: list[Any]) -> list[Any]:
    """Keep the order of the fields, also if a subclass narrows the type of one: `dump` writes them in this order."""
    return sorted(fields, key=lambda field: _ORDER.index(field.name))


@attrs.frozen
class Trim:
    """A cap that was reached at the time of recording: of `asked` units only `left` were recorded.

    If `left` is 0, the intent was refused.
    """

    intent: str
    counter: str
    asked: Decimal
    left: Decimal


@attrs.frozen(field_transformer=_in_order)
class Receipt:
    """The result of an operation; each operation has a subclass.

    The statuses, in order of precedence:

    1. `already_recorded`: the same inputs were recorded before; intents and trims are those of the first time.
    2. `refused`: nothing was recorded; `refusal` has the reasons.
    3. `recorded`: `intents` are the recorded intents, after caps; `trims` are the reductions by caps.
    """

    notes: ClassVar[tuple[str, ...]] = ()
    """The fields that are neither intents nor trims, and are kept with them."""

    status: Literal["recorded", "already_recorded", "refused"]
    key: str
    intents: tuple[Intent, ...] = ()
    trims: tuple[Trim, ...] = ()
    refusal: Refusal | None = None


# -- events ----------------------------------------------------------------------------------------------------------


@attrs.frozen(field_transformer=_in_order)
class SaleReceipt(Receipt):
    """The result of a transaction or an activity, processed or recorded from an evaluation.

    `skipped` are the actions of promotions that fired and issued nothing, each with the reason.
    """

    notes: ClassVar[tuple[str, ...]] = ("skipped",)

    intents: tuple[
        IssueCurrency | IssueCoupon | SendMessage | SpendCurrency | ExtendExpiry | AdvanceTracker | ChangeTier, ...
    ] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def issues(self) -> tuple[IssueCurrency, ...]:
        """The lots and promises that were issued."""
        return _of_type(IssueCurrency, self.intents)

    @property
    def coupons(self) -> tuple[IssueCoupon, ...]:
        """The coupons that were issued."""
        return _of_type(IssueCoupon, self.intents)


@attrs.frozen(field_transformer=_in_order)
class ReturnReceipt(Receipt):
    """The result of a return.

    `unrecovered` are units and coupons that the customer has used; the shop can deduct them from the refund.
    """

    notes: ClassVar[tuple[str, ...]] = ("unrecovered",)

    intents: tuple[ReturnIntent, ...] = ()
    unrecovered: tuple[Unrecovered, ...] = ()

    @property
    def reversals(self) -> tuple[ReverseCurrency, ...]:
        """The amounts that were taken back."""
        return _of_type(ReverseCurrency, self.intents)

    @property
    def voided(self) -> tuple[VoidCoupon, ...]:
        """The coupons that were taken back."""
        return _of_type(VoidCoupon, self.intents)

    @property
    def reinstated(self) -> tuple[UndoRedemption, ...]:
        """The redemptions of the cancelled transaction that were undone."""
        return _of_type(UndoRedemption, self.intents)

    @property
    def given_back(self) -> tuple[UndoSpend, ...]:
        """The spends of the cancelled transaction that were undone."""
        return _of_type(UndoSpend, self.intents)


@attrs.frozen(field_transformer=_in_order)
class AmendmentReceipt(Receipt):
    """The result of an amendment: issues, or reversals as in a return. `unrecovered` is as there."""

    notes: ClassVar[tuple[str, ...]] = ("unrecovered",)

    intents: tuple[AmendmentIntent, ...] = ()
    unrecovered: tuple[Unrecovered, ...] = ()

    @property
    def issued(self) -> tuple[IssueCurrency, ...]:
        """The issues of units that the new state earns and the sale did not have."""
        return _of_type(IssueCurrency, self.intents)

    @property
    def reversals(self) -> tuple[ReverseCurrency, ...]:
        """The amounts that were taken back."""
        return _of_type(ReverseCurrency, self.intents)


@attrs.frozen(field_transformer=_in_order)
class UpdateReceipt(Receipt):
    """The result of an update: the promises of its sale that it released, or ended as lapsed."""

    intents: tuple[PromiseIntent, ...] = ()

    @property
    def releases(self) -> tuple[ReleasePromise, ...]:
        """The promises that were released."""
        return _of_type(ReleasePromise, self.intents)

    @property
    def cancellations(self) -> tuple[CancelPromise, ...]:
        """The promises that lapsed."""
        return _of_type(CancelPromise, self.intents)


@attrs.frozen(field_transformer=_in_order)
class ConfirmationReceipt(Receipt):
    """The result of a confirmation: its promise was released, cancelled, or lapsed."""

    intents: tuple[PromiseIntent, ...] = ()

    @property
    def release(self) -> ReleasePromise | None:
        """The release; None if the promise was cancelled or has lapsed."""
        return _first(ReleasePromise, self.intents)

    @property
    def cancellation(self) -> CancelPromise | None:
        """The end of the promise without an issue, if it was not released."""
        return _first(CancelPromise, self.intents)


EventReceipt: TypeAlias = SaleReceipt | ReturnReceipt | AmendmentReceipt | UpdateReceipt | ConfirmationReceipt
"""The result of `process`, by the type of the event."""


# -- other operations ------------------------------------------------------------------------------------------------


@attrs.frozen(field_transformer=_in_order)
class SettleReceipt(Receipt):
    """The result of one promise that was due: it was released, or lapsed."""

    intents: tuple[PromiseIntent, ...] = ()

    @property
    def release(self) -> ReleasePromise | None:
        """The release; None if the promise has lapsed."""
        return _first(ReleasePromise, self.intents)

    @property
    def cancellation(self) -> CancelPromise | None:
        """The end of a promise that has lapsed."""
        return _first(CancelPromise, self.intents)


@attrs.frozen(field_transformer=_in_order)
class SpendReceipt(Receipt):
    """The result of a spend; `undone` marks the answer to a retry after the spend was undone."""

    intents: tuple[SpendCurrency | ExtendExpiry, ...] = ()
    undone: bool = False

    @property
    def spend(self) -> SpendCurrency | None:
        """The spend; None if it was refused."""
        return _first(SpendCurrency, self.intents)


@attrs.frozen(field_transformer=_in_order)
class HoldReceipt(Receipt):
    """The result of a hold."""

    intents: tuple[HoldCurrency, ...] = ()

    @property
    def hold(self) -> HoldCurrency | None:
        """The hold; None if it was refused."""
        return _first(HoldCurrency, self.intents)


@attrs.frozen(field_transformer=_in_order)
class CaptureReceipt(Receipt):
    """The result of the capture of a hold: a spend, and the release of the other units.

    `undone` marks the answer to a retry after the spend was undone.
    """

    intents: tuple[CaptureHold | SpendCurrency | ReleaseHold | ExtendExpiry, ...] = ()
    undone: bool = False

    @property
    def spend(self) -> SpendCurrency | None:
        """The spend; None if it was refused."""
        return _first(SpendCurrency, self.intents)

    @property
    def release(self) -> ReleaseHold | None:
        """The release of the other units; None if all were captured."""
        return _first(ReleaseHold, self.intents)


@attrs.frozen(field_transformer=_in_order)
class ReleaseReceipt(Receipt):
    """The result of the release of a hold."""

    intents: tuple[ReleaseHold, ...] = ()

    @property
    def release(self) -> ReleaseHold | None:
        """The release; None if it was refused."""
        return _first(ReleaseHold, self.intents)


@attrs.frozen(field_transformer=_in_order)
class UndoSpendReceipt(Receipt):
    """The result of undoing a spend."""

    intents: tuple[UndoSpend, ...] = ()

    @property
    def undo(self) -> UndoSpend | None:
        """The undo; None if it was refused."""
        return _first(UndoSpend, self.intents)


@attrs.frozen(field_transformer=_in_order)
class RedeemReceipt(Receipt):
    """The result of redeeming a coupon; that of a public code is issued in the same batch.

    `undone` marks the answer to a retry after the redemption was undone.
    """

    intents: tuple[IssueCoupon | RedeemCoupon, ...] = ()
    undone: bool = False

    @property
    def redemption(self) -> RedeemCoupon | None:
        """The redemption; None if it was refused."""
        return _first(RedeemCoupon, self.intents)


@attrs.frozen(field_transformer=_in_order)
class RedeemAllReceipt(Receipt):
    """The result of a whole set of redemptions and spends; `undone` marks a retry after all of it was undone."""

    intents: tuple[IssueCoupon | RedeemCoupon | SpendCurrency, ...] = ()
    undone: bool = False

    @property
    def redemptions(self) -> tuple[RedeemCoupon, ...]:
        """The redemptions, in the order in which they were decided."""
        return _of_type(RedeemCoupon, self.intents)

    @property
    def spends(self) -> tuple[SpendCurrency, ...]:
        """The spends, in the order in which they were decided."""
        return _of_type(SpendCurrency, self.intents)


@attrs.frozen
class Quote:
    """The answer to a cart: the intents that `redeem_all` would record now, or the refusal. Nothing is recorded."""

    status: Literal["quoted", "refused"]
    intents: tuple[IssueCoupon | RedeemCoupon | SpendCurrency, ...] = ()
    refusal: Refusal | None = None

    @property
    def discount(self) -> Decimal:
        """The sum of the discounts."""
        return decimal_of(sum(micros(each.discount) for each in _of_type(RedeemCoupon, self.intents)))

    @property
    def value(self) -> Decimal:
        """The sum of the values of the spends."""
        spends = _of_type(SpendCurrency, self.intents)
        return decimal_of(sum(micros(each.value) for each in spends if each.value is not None))


@attrs.frozen(field_transformer=_in_order)
class UndoRedemptionReceipt(Receipt):
    """The result of undoing a redemption."""

    intents: tuple[UndoRedemption | VoidCoupon, ...] = ()

    @property
    def undo(self) -> UndoRedemption | None:
        """The undo; None if it was refused."""
        return _first(UndoRedemption, self.intents)


@attrs.frozen(field_transformer=_in_order)
class VoidReceipt(Receipt):
    """The result of voiding a coupon."""

    intents: tuple[VoidCoupon, ...] = ()

    @property
    def void(self) -> VoidCoupon | None:
        """The voided coupon; None if it was refused."""
        return _first(VoidCoupon, self.intents)


@attrs.frozen(field_transformer=_in_order)
class ExpireReceipt(Receipt):
    """The result of one lot or coupon that has expired, or of one hold that is over."""

    intents: tuple[ExpireCurrency | ExpireCoupon | ReleaseHold, ...] = ()

    @property
    def expired(self) -> ExpireCurrency | ExpireCoupon | ReleaseHold | None:
        """The expired lot or coupon, or the end of a hold; None if it was refused."""
        return next(iter(self.intents), None)


@attrs.frozen(field_transformer=_in_order)
class AdjustReceipt(Receipt):
    """The result of an adjustment by hand."""

    intents: tuple[AdjustCurrency, ...] = ()

    @property
    def adjustment(self) -> AdjustCurrency | None:
        """The adjustment; None if it was refused."""
        return _first(AdjustCurrency, self.intents)


@attrs.frozen(field_transformer=_in_order)
class ExtendReceipt(Receipt):
    """The result of an extension by hand."""

    intents: tuple[ExtendLot | ExtendCoupon, ...] = ()

    @property
    def extension(self) -> ExtendLot | ExtendCoupon | None:
        """The extension; None if it was refused."""
        return next(iter(self.intents), None)


@attrs.frozen(field_transformer=_in_order)
class ReassignReceipt(Receipt):
    """The result of giving a coupon to another member."""

    intents: tuple[ReassignCoupon, ...] = ()

    @property
    def change(self) -> ReassignCoupon | None:
        """The change; None if it was refused."""
        return next(iter(self.intents), None)


@attrs.frozen(field_transformer=_in_order)
class TopUpReceipt(Receipt):
    """The result of adding to a stored value."""

    intents: tuple[TopUpCoupon, ...] = ()

    @property
    def addition(self) -> TopUpCoupon | None:
        """The addition; None if it was refused."""
        return next(iter(self.intents), None)


@attrs.frozen(field_transformer=_in_order)
class TransferReceipt(Receipt):
    """The result of a transfer."""

    intents: tuple[TransferCurrency, ...] = ()

    @property
    def transfer(self) -> TransferCurrency | None:
        """The transfer; None if it was refused."""
        return next(iter(self.intents), None)


@attrs.frozen(field_transformer=_in_order)
class ReviewReceipt(Receipt):
    """The result of the review of a level."""

    intents: tuple[ChangeTier, ...] = ()

    @property
    def change(self) -> ChangeTier | None:
        """The change of level or of its last day; None if the review was refused."""
        return _first(ChangeTier, self.intents)


@attrs.frozen(field_transformer=_in_order)
class MergeReceipt(Receipt):
    """The result of a merge of two members."""

    intents: tuple[MergeAccounts | ChangeTier, ...] = ()

    @property
    def merge(self) -> MergeAccounts | None:
        """The merge; None if it was refused."""
        return _first(MergeAccounts, self.intents)


@attrs.frozen(field_transformer=_in_order)
class ForgetReceipt(Receipt):
    """The result of forgetting a member."""

    intents: tuple[ForgetIntent, ...] = ()

    @property
    def forgotten(self) -> ForgetMember | None:
        """The closing of the account; None if it was refused."""
        return _first(ForgetMember, self.intents)

    @property
    def voided(self) -> tuple[VoidCoupon, ...]:
        """The coupons that were voided."""
        return _of_type(VoidCoupon, self.intents)


@attrs.frozen(field_transformer=_in_order)
class NightlyReceipt(Receipt):
    """The result of the end of a nightly run, which has no intents of its own."""


def _of_type(kind: type[T], intents: tuple[Intent, ...]) -> tuple[T, ...]:
    return tuple(each for each in intents if isinstance(each, kind))


def _first(kind: type[T], intents: tuple[Intent, ...]) -> T | None:
    return next(iter(_of_type(kind, intents)), None)


# -- the class of a recorded receipt ---------------------------------------------------------------------------------

_OF_EVENT: Mapping[str, type[Receipt]] = {
    "return": ReturnReceipt,
    "update": UpdateReceipt,
    "amendment": AmendmentReceipt,
    "confirmation": ConfirmationReceipt,
}
_OF_PHASE: Mapping[str, type[Receipt]] = {
    "settle": SettleReceipt,
    "spend": SpendReceipt,
    "hold": HoldReceipt,
    "release": ReleaseReceipt,
    "undo_spend": UndoSpendReceipt,
    "redeem": RedeemReceipt,
    "redeem_all": RedeemAllReceipt,
    "undo_redemption": UndoRedemptionReceipt,
    "void": VoidReceipt,
    "expire": ExpireReceipt,
    "adjust": AdjustReceipt,
    "extend": ExtendReceipt,
    "reassign": ReassignReceipt,
    "top_up": TopUpReceipt,
    "transfer": TransferReceipt,
    "merge": MergeReceipt,
    "forget": ForgetReceipt,
    "nightly": NightlyReceipt,
    "review": ReviewReceipt,
}
RECEIPTS: tuple[type[Receipt], ...] = (SaleReceipt, *_OF_EVENT.values(), *_OF_PHASE.values(), CaptureReceipt)
"""The classes of receipts. `Receipt.__subclasses__()` also has the classes that attrs replaced by slotted ones."""


def receipt_class(phase: str, inputs: Mapping[str, Any]) -> type[Receipt]:
    """Return the class of the receipt of a batch, by its phase and, for an event, by the event's type.

    A storage that keeps the parts of a receipt restores it with this class.
    """
    kind = kind_of_phase(phase)
    if kind == "spend" and "hold" in inputs:
        return CaptureReceipt  # a capture is a spend of its transaction
    return _OF_EVENT.get(inputs["event"]["type"], SaleReceipt) if kind == "event" else _OF_PHASE[kind]
