"""The counters of an event, and the snapshot that is built from their values.

A host reads the counters of an event in one batch and builds the snapshot from them. The claims of the intents name
the same counters. Source: semantics 8, documents (snapshot, claims).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.events import CouponCounts, Issued, IssuedCounts, RecipientCounts, Snapshot
from loyalty_rules.intents import Claim
from loyalty_rules.keys import (
    coupon_counter_name,
    limit_counter_name,
    member_cap_counter_name,
    total_cap_counter_name,
    tracker_counter_name,
    transfer_counter_name,
)
from loyalty_rules.rules.caps import Cap, Limit
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.rules.windows import RollingDays, Window, window_days, window_name

__all__ = [
    "Counter",
    "cap_counters",
    "claim_on",
    "coupon_counters",
    "limit_counter",
    "make_snapshot",
    "tracker_counter",
]

Kind: TypeAlias = Literal["tracker", "issued", "limit", "coupon"]


@attrs.frozen
class Counter:
    """One number that a store looks up: the value counted under `name` before the event.

    The value of a rolling window is the sum of the days `from_date` to `to_date`, both included. The name of any
    other counter contains its window. `kind`, `of` and `scope` are the place of the value in a snapshot; that of a
    recipient whom a field of the event names is under the id `recipient`.
    """

    name: str
    kind: Kind
    of: str
    scope: str = ""
    from_date: date | None = None
    to_date: date | None = None
    recipient: str = ""


def _counter(name: str, kind: Kind, of: str, scope: str, window: Window, day: date) -> Counter:
    days = window_days(window, day) if isinstance(window, RollingDays) else None
    first, last = days if days is not None else (None, None)
    return Counter(name, kind, of, scope, first, last)


def tracker_counter(tracker: Tracker, holder: str, day: date) -> Counter:
    """Return the counter of a member's or a group's tracker, in the window that contains the local date `day`."""
    name = tracker_counter_name(tracker.id, holder, window_name(tracker.window, day))
    return _counter(name, "tracker", tracker.id, "", tracker.window, day)


def transfer_counter(
    currency: str, kind: Literal["member", "group"], account: str, window: Window, day: date
) -> Counter:
    """Return the counter of the units of a currency that an account sends in the window that contains `day`."""
    name = transfer_counter_name(currency, kind, account, window_name(window, day))
    return _counter(name, "limit", currency, "", window, day)


def cap_counters(
    key: str, per_member: Cap | None, total: Cap | None, facts: Facts, named: str | None = None
) -> Iterator[tuple[Cap, Counter]]:
    """Yield the caps of an action that bind the event, each with its counter: per member, then total.

    `named` is the recipient whom a field names; None for the event's own member.
    """
    day = facts.event_on
    member = named or (facts.member.id if facts.member is not None else None)
    if per_member is not None and member is not None:
        window, times = window_name(per_member.window, day), per_member.times is not None
        name = member_cap_counter_name(key, member, window, times=times)
        counter = _cap_counter(name, key, "member", per_member, day)
        yield per_member, counter if named is None else attrs.evolve(counter, recipient=named)
    if total is not None:
        name = total_cap_counter_name(key, window_name(total.window, day), times=total.times is not None)
        yield total, _cap_counter(name, key, "total", total, day)


def _cap_counter(name: str, key: str, scope: str, cap: Cap, day: date) -> Counter:
    measured = "times" if cap.times is not None else "amount"
    return _counter(name, "issued", key, f"{scope}.{measured}", cap.window, day)


def limit_counter(limit: Limit, facts: Facts, named: str | None = None) -> Counter | None:
    """Return the counter of a program's limit; None if it is per member, group or store and there is none.

    `named` is the recipient whom a field names; None for the event's own member.
    """
    scope = None
    if limit.per != "total":
        scope = _scope_of(limit, facts, named)
        if scope is None:
            return None
    name = limit_counter_name(limit.id, scope, window_name(limit.window, facts.event_on))
    counter = _counter(name, "limit", limit.id, "", limit.window, facts.event_on)
    return attrs.evolve(counter, recipient=named) if named is not None and limit.per == "member" else counter


def _scope_of(limit: Limit, facts: Facts, named: str | None) -> str | None:
    if limit.per == "store":
        return facts.event.store
    if named is not None:
        return named if limit.per == "member" else None  # the household of a recipient is not known
    if facts.member is None:
        return None
    return facts.member.id if limit.per == "member" else facts.member.group


def coupon_counters(coupon_type: CouponType, facts: Facts) -> Iterator[tuple[int, Counter]]:
    """Yield the caps of a coupon type that bind the event, each with its counter: per store, per member, total."""
    caps, name = coupon_type.caps, coupon_type.id
    if caps.per_store is not None and facts.event.store is not None:
        yield caps.per_store, Counter(coupon_counter_name(name, "store", facts.event.store), "coupon", name, "store")
    if caps.per_member is not None and facts.member is not None:
        yield caps.per_member, Counter(coupon_counter_name(name, "member", facts.member.id), "coupon", name, "member")
    if caps.total is not None:
        yield caps.total, Counter(coupon_counter_name(name, "total"), "coupon", name, "total")


def claim_on(counter: Counter, limit: Decimal, amount: Decimal) -> Claim:
    """Return the claim of an amount on a counter that may not exceed a limit."""
    return Claim(counter.name, limit, amount, counter.from_date, counter.to_date)


def make_snapshot(counters: Iterable[Counter], value_of: Callable[[Counter], Decimal]) -> Snapshot:
    """Build the snapshot of an event from its counters; `value_of` returns the value of each."""
    trackers: dict[str, Decimal] = {}
    limits: dict[str, Decimal] = {}
    issued: dict[str, dict[str, IssuedCounts]] = {}
    coupons: dict[str, dict[str, int]] = {}
    recipients: dict[str, list[Counter]] = {}
    for counter in counters:
        if counter.recipient:
            recipients.setdefault(counter.recipient, []).append(attrs.evolve(counter, recipient=""))
            continue
        value = value_of(counter)
        if counter.kind == "tracker":
            trackers[counter.of] = value
        elif counter.kind == "limit":
            limits[counter.of] = value
        elif counter.kind == "coupon":
            coupons.setdefault(counter.of, {})[counter.scope] = int(value)  # a count is a whole number
        else:
            scope, measured = counter.scope.split(".")
            counts = IssuedCounts(times=int(value)) if measured == "times" else IssuedCounts(amount=value)
            issued.setdefault(counter.of, {})[scope] = counts
    return Snapshot(
        trackers,
        {key: Issued(**counts) for key, counts in issued.items()},
        limits,
        {key: CouponCounts(**counts) for key, counts in coupons.items()},
        recipients={name: _counts_of(name, theirs, value_of) for name, theirs in recipients.items()},
    )


def _counts_of(name: str, counters: Iterable[Counter], value_of: Callable[[Counter], Decimal]) -> RecipientCounts:
    known = make_snapshot(counters, lambda counter: value_of(attrs.evolve(counter, recipient=name)))
    return RecipientCounts(known.issued, known.limits)
