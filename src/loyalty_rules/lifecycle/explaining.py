"""The explanation of a recorded event: the trace of its decision, its record, and the states since, in words.

Source: semantics 16.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from loyalty_rules.engine.explanation import Explanation, explain
from loyalty_rules.intents import (
    AdvanceTracker,
    CancelPromise,
    ChangeTier,
    ExtendExpiry,
    Intent,
    IssueCoupon,
    IssueCurrency,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    SpendCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.lifecycle.records import CouponRecord, Lot, Sale
from loyalty_rules.values.amounts import micros, text_of
from loyalty_rules.values.dates import in_zone, instant_text

__all__ = ["EventExplanation", "intent_text", "later_events", "state_of_coupon", "state_of_lot", "trace_of"]


@attrs.frozen
class EventExplanation:
    """The explanation of an event of a ledger; its `str` is meant for people.

    `trace` is the decision of a sale or an activity, under the terms that were frozen with it; None for a later event,
    such as a return. `recorded` are the recorded intents, and the amounts that caps left out. `since` are the later
    events of a sale, and the present states of its points and coupons.
    """

    event: str
    program: str
    trace: Explanation | None
    recorded: tuple[str, ...]
    since: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield str(self.trace) if self.trace is not None else f"{self.event} under the program {self.program}:"
        for heading, lines in (("recorded", self.recorded), ("since then", self.since)):
            if lines:
                yield f"  {heading}:"
                yield from (f"    {line}" for line in lines)


def trace_of(sale: Sale) -> Explanation:
    """Return the trace of the decision about a sale, under its frozen terms, without serials."""
    plan = sale.program.plan
    return explain(plan, plan.facts(sale.event, sale.snapshot))


def later_events(sale: Sale) -> Iterator[str]:
    """Yield the updates, amendments and returns of a sale, in the order of their instants, with local times."""
    later, zone = [*sale.updates, *sale.returns], sale.program.plan.zone
    for event in sorted(later, key=lambda each: each.occurred_at):
        yield f"{event.type} {event.id} at {instant_text(in_zone(event.occurred_at, zone))}"


# -- states ------------------------------------------------------------------------------------------------------------

_BUCKETS: Mapping[str, str] = {
    "promised": "pending",
    "available": "available",
    "held": "held",
    "spent": "spent",
    "expired": "expired",
    "reversed": "taken back",
    "voided": "voided",
    "moved": "gone on to another lot",
}


def state_of_lot(lot: Lot) -> str:
    """Return the recorded state of a lot in words."""
    parts = [f"{text_of(units)} {_BUCKETS[bucket]}" for bucket, units in lot.buckets.items() if micros(units)]
    until = f", valid until {lot.expires_on} (inclusive)" if lot.expires_on is not None else ""
    return f"{lot.key}: of {text_of(lot.issued)} {lot.issue.currency} {', '.join(parts) or 'nothing'}{until}"


def state_of_coupon(coupon: CouponRecord) -> str:
    """Return the recorded state of a coupon in words."""
    state: str = coupon.state
    if coupon.redeemed_by is not None:
        store = f" in {coupon.redeemed_at_store}" if coupon.redeemed_at_store is not None else ""
        state += f", last redeemed by {coupon.redeemed_by}{store}, {text_of(coupon.taken)} off in all"
    if coupon.remaining is not None:
        state += f", {text_of(coupon.remaining)} left"
    until = f", valid until {coupon.expires_on} (inclusive)" if coupon.expires_on is not None else ""
    return f"{coupon.key}: {coupon.issue.coupon_type} {state}{until}"


# -- intents -----------------------------------------------------------------------------------------------------------


def intent_text(intent: Intent) -> str:
    """Return an intent in words, with its key."""
    words = _WORDS.get(type(intent))
    return f"{intent.key}: {words(intent) if words is not None else intent.type.replace('_', ' ')}"


def _issued(intent: IssueCurrency) -> str:
    until = f", valid until {intent.expires_on} (inclusive)" if intent.expires_on is not None else ""
    return f"{text_of(intent.amount)} {intent.currency} {intent.state}{until}"


def _taken_back(intent: ReverseCurrency) -> str:
    short = f", {text_of(intent.shortfall)} short" if micros(intent.shortfall) else ""
    carried = ", which the account owes" if short and intent.carried else ""
    return f"{text_of(intent.amount)} {intent.currency} taken back of {intent.issue}{short}{carried}"


def _changed_tier(intent: ChangeTier) -> str:
    until = f"until {intent.until} (inclusive)" if intent.until is not None else "without an end"
    return f"from {intent.from_level} to {intent.to_level}, {until}"


_WORDS: Mapping[type, Callable[[Any], str]] = {
    IssueCurrency: _issued,
    IssueCoupon: lambda intent: f"coupon {intent.coupon_type} issued",
    SendMessage: lambda intent: f"message {intent.template!r}",
    ExtendExpiry: lambda intent: f"live {intent.currency} extended to {intent.expires_on} (inclusive)",
    AdvanceTracker: lambda intent: f"tracker {intent.tracker} changed by {text_of(intent.value)}",
    ChangeTier: _changed_tier,
    ReleasePromise: lambda intent: f"{text_of(intent.amount)} pending units released",
    CancelPromise: lambda intent: f"{text_of(intent.amount)} pending units {intent.outcome}",
    ReverseCurrency: _taken_back,
    SpendCurrency: lambda intent: f"{text_of(intent.amount)} {intent.currency} spent",
    UndoSpend: lambda intent: f"{text_of(intent.amount)} units of {intent.spend} given back",
    UndoRedemption: lambda intent: f"redemption {intent.redemption} undone",
    VoidCoupon: lambda intent: f"coupon {intent.coupon} voided",
}
"""The words for each intent of an event; any other has those of its type."""
