"""Forgetting a member: the end of all that its account has, and the account's closing. Source: semantics 13."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from loyalty_rules.intent_parts import LotDraw, WriteOff
from loyalty_rules.intents import AdvanceTracker, CancelPromise, ForgetMember, ReleaseHold, VoidCoupon
from loyalty_rules.keys import cancellation_key, forget_key, hold_release_key, void_key
from loyalty_rules.lifecycle.claims import released_claims_of_coupon
from loyalty_rules.lifecycle.holding import release
from loyalty_rules.lifecycle.promises import cancel
from loyalty_rules.lifecycle.records import CouponRecord, Hold, Lot, Refusal, Sale, Shortfall
from loyalty_rules.lifecycle.undoing import after_settling
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import micros

__all__ = ["CLOSED", "ForgetIntent", "forget"]

ForgetIntent: TypeAlias = ReleaseHold | CancelPromise | AdvanceTracker | VoidCoupon | ForgetMember
"""The intents of forgetting a member."""

CLOSED = "closed"
"""The reason of the units and coupons that a closed account loses."""


def forget(
    program: Program,
    members: Sequence[str],
    lots: Iterable[Lot],
    holds: Iterable[Hold],
    coupons: Iterable[CouponRecord],
    shortfalls: Sequence[Shortfall],
    sales: Mapping[str, Sale],
    *,
    reason: str,
    by: str,
    event: str,
    at: datetime,
) -> tuple[ForgetIntent, ...] | Refusal:
    """End the holds, promises, units, coupons and debts of a member, and close its account.

    `members` are the member and those that stand for it since a merge. `lots`, open `holds`, `coupons` and
    `shortfalls` are all of its account, after holds that are over have ended. `sales` are those of its promises, by id.
    """
    intents: list[ForgetIntent] = []
    current, owed = {lot.key: lot for lot in lots}, [*shortfalls]
    for each in holds:
        released = release(each, hold_release_key(program.id, event, each.key), current, owed, at)
        if isinstance(released, Refusal):
            return released
        owed = after_settling(owed, released.settled)
        for source, target, units in released.moves():
            current[source] = current[source].moved("held", target, units)
        intents.append(released)
    for lot in current.values():
        if micros(lot.promised):
            intents += _cancelled(sales.get(lot.issue.event), lot, event)
    for coupon in coupons:
        if coupon.state_at(at) == "issued":
            key = void_key(program.id, event, coupon.key)
            intents.append(VoidCoupon(key, coupon.key, event, released_claims_of_coupon(coupon), CLOSED, by))
    live = [lot for lot in current.values() if lot.is_live(at)]
    return (
        *intents,
        ForgetMember(
            forget_key(program.id, event),
            event,
            members[0],
            tuple(members),
            tuple(LotDraw(lot.key, lot.outstanding) for lot in live),
            tuple(WriteOff(each.key, each.open) for each in owed if each.is_owed and micros(each.open)),
            reason,
            by,
        ),
    )


def _cancelled(sale: Sale | None, lot: Lot, event: str) -> Sequence[CancelPromise | AdvanceTracker]:
    """Return the end of a promise; an adjustment that waits for another person has no sale."""
    if sale is not None:
        return [each for each in cancel(sale, lot, event) if isinstance(each, (CancelPromise, AdvanceTracker))]
    return [CancelPromise(cancellation_key(lot.key), lot.key, event, "cancelled", lot.promised, ())]
