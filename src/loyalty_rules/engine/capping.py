"""Caps of an evaluation: what they leave of an award, and the claims on their counters. Source: semantics 8.

An evaluation draws on a limit with each issue, so that the actions that follow find less of it.
"""

from decimal import Decimal

from loyalty_rules.engine.counters import Counter, cap_counters, claim_on, coupon_counters, limit_counter
from loyalty_rules.engine.plan import BoundCouponAction, BoundCurrencyAction, Plan
from loyalty_rules.events import CouponCounts, Issued, IssuedCounts, RecipientCounts
from loyalty_rules.intents import Claim
from loyalty_rules.rules.caps import NO_COUPON_CAPS, Cap, Limit
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.amounts import MICRO, decimal_of, micros, text_of

__all__ = ["Capping", "cap_name"]

ZERO, ONE = Decimal(0), Decimal(1)
NONE_ISSUED = Issued()
NO_COUPONS = CouponCounts()
NO_COUNTS = RecipientCounts()


class Capping:
    """The caps and limits in the course of one evaluation. Amounts are in millionths."""

    def __init__(self, plan: Plan, facts: Facts) -> None:
        self.plan = plan
        self.facts = facts
        self.remaining: dict[str, int] = {}  # by slot of a limit, once an action has needed it
        self.limit_counters: dict[str, Counter | None] = {}  # by slot of a limit; None if the limit does not bind
        self.coupons: dict[str, int] = {}  # issued by this evaluation, by coupon type

    def capped(self, action: BoundCurrencyAction, amount: int, named: str | None) -> int:
        """Trim an amount to the action's caps, then to the program's limits, and draw on these. Source: semantics 8.

        `named` is the recipient whom a field of the event names; None for the event's own member.
        """
        caps = action.action.caps
        if caps.per_event is not None:
            amount = self.trim(amount, micros(caps.per_event), "cap of {} per event", caps.per_event)
        issued = self.facts.snapshot.issued.get(action.key, NONE_ISSUED)
        own = issued.member if named is None else self.counts_of(named).issued.get(action.key, NONE_ISSUED).member
        for cap, before, whose in ((caps.per_member, own, "member's"), (caps.total, issued.total, "total")):
            if cap is not None:
                amount = self.trim_by_cap(amount, cap, before, whose)
        binding = [limit for limit in action.limits if self.counter_of(limit, named) is not None]
        for limit in binding:
            amount = self.trim(amount, self.remaining_of(limit, named), f"limit {limit.id} of {{}}", limit.units)
        for limit in binding:
            self.remaining[limit.id if named is None else slot_of(limit, named)] -= amount
        return amount

    def counter_of(self, limit: Limit, named: str | None) -> Counter | None:
        """Return the counter of a limit, cached for the event; None if the limit does not bind the issue."""
        slot = limit.id if named is None else slot_of(limit, named)
        if slot not in self.limit_counters:
            self.limit_counters[slot] = limit_counter(limit, self.facts, named)
        return self.limit_counters[slot]

    def remaining_of(self, limit: Limit, named: str | None) -> int:
        """Return the remainder of a limit, in millionths, after the snapshot's value and the draws of this event."""
        slot = limit.id if named is None else slot_of(limit, named)
        if slot not in self.remaining:
            known = self.facts.snapshot if slot == limit.id else self.counts_of(named)
            self.remaining[slot] = micros(limit.units) - micros(known.limits.get(limit.id, ZERO))
        return self.remaining[slot]

    def counts_of(self, named: str | None) -> RecipientCounts:
        """Return the counts in the snapshot of a recipient whom a field of the event names."""
        return self.facts.snapshot.recipients.get(named or "", NO_COUNTS)

    def trim(self, amount: int, remaining: int, cap: str, maximum: Decimal | int) -> int:
        """Trim an amount to the remainder of a cap, both in millionths; raise `Skip` if there is no remainder.

        `cap` describes the cap with `{}` in the place of its maximum.
        """
        if remaining <= 0:
            raise Skip("cap_reached", f"the {cap_name(cap, maximum)} is used up")
        return min(amount, remaining)

    def trim_by_cap(self, amount: int, cap: Cap, before: IssuedCounts, whose: str) -> int:
        """Trim an amount to the remainder of an action's cap by amount; a cap by times skips or keeps it whole."""
        if cap.amount is not None:
            return self.trim(amount, micros(cap.amount) - micros(before.amount), f"{whose} cap of {{}}", cap.amount)
        assert cap.times is not None
        if before.times >= cap.times:
            raise Skip("cap_reached", f"the {whose} cap of {cap.times} times is used up")
        return amount

    def claims(self, action: BoundCurrencyAction, amount: int, named: str | None) -> tuple[Claim, ...]:
        """Return the claims of an issue: on the counters of the caps per member and in total, then of the limits."""
        caps = action.action.caps
        drawn = decimal_of(amount)
        claims = []
        for cap, counter in cap_counters(action.key, caps.per_member, caps.total, self.facts, named):
            if cap.times is not None:
                claims.append(claim_on(counter, Decimal(cap.times), ONE))
            else:
                claims.append(claim_on(counter, cap.amount or ZERO, drawn))
        for limit in action.limits:
            limited = self.counter_of(limit, named)
            if limited is not None:
                claims.append(claim_on(limited, limit.units, drawn))
        return tuple(claims)

    # -- coupons -----------------------------------------------------------------------------------------------------

    def capped_coupons(self, action: BoundCouponAction, quantity: int) -> int:
        """Trim a number of coupons to the caps of their type, for which the coupons of earlier actions count."""
        coupon_type = action.coupon_type
        issued = self.coupons.get(coupon_type.id, 0)
        counts = self.facts.snapshot.coupons.get(coupon_type.id, NO_COUPONS)
        caps = [(cap, getattr(counts, counter.scope), counter.scope) for cap, counter in self.coupon_caps(coupon_type)]
        if coupon_type.caps.per_transaction is not None:
            caps.insert(0, (coupon_type.caps.per_transaction, 0, "transaction"))
        for cap, before, scope in caps:
            remaining = (cap - before - issued) * MICRO
            quantity = self.trim(quantity * MICRO, remaining, f"{scope} cap of {{}} coupons", cap) // MICRO
        self.coupons[coupon_type.id] = issued + quantity
        return quantity

    def coupon_caps(self, coupon_type: CouponType) -> list[tuple[int, Counter]]:
        """Return the caps of a coupon type that bind the event, each with its counter."""
        return [*coupon_counters(coupon_type, self.facts)] if coupon_type.caps is not NO_COUPON_CAPS else []


def slot_of(limit: Limit, named: str | None) -> str:
    """Return the name under which an evaluation keeps a limit: apart for each recipient whom a field names."""
    return limit.id if named is None or limit.per in ("store", "total") else f"{limit.id}/{named}"


def cap_name(cap: str, maximum: Decimal | int) -> str:
    """Return a cap in words; they are formatted only when a text needs them."""
    return cap.format(text_of(maximum) if isinstance(maximum, Decimal) else maximum)
