"""The counters that an event reads and draws on: their names, and the snapshot that is made of their values.

A host's store looks up the counters of an event in one batch and makes the snapshot of them; the intents then name
the same counters in their claims. Source: semantics 8, documents (snapshot, claims).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from loyalty_rules.events import CouponCounts, Issued, IssuedCounts, Snapshot
from loyalty_rules.intents import Claim
from loyalty_rules.rules.caps import Cap, Limit
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.trackers import Tracker
from loyalty_rules.rules.windows import RollingDays, Window, window_days, window_name
from loyalty_rules.values.identifiers import key_part

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
    """One number to look up: what has been counted under `name`, before the event.

    Of a rolling window what was counted on the days `from_date` to `to_date`, both included; every other counter
    names its window itself. `kind`, `of` and `scope` say where the value goes in a snapshot.
    """

    name: str
    kind: Kind
    of: str
    scope: str = ""
    from_date: date | None = None
    to_date: date | None = None


def _counter(kind: Kind, of: str, scope: str, name: str, window: Window, day: date, suffix: str = "") -> Counter:
    days = window_days(window, day) if isinstance(window, RollingDays) else None
    first, last = days if days is not None else (None, None)
    return Counter(f"{name}/{window_name(window, day)}{suffix}", kind, of, scope, first, last)


def tracker_counter(tracker: Tracker, member: str, day: date) -> Counter:
    """Name the counter of a member's tracker in the window that holds the day."""
    return _counter("tracker", tracker.id, "", f"tracker/{tracker.id}/{key_part(member)}", tracker.window, day)


def cap_counters(key: str, per_member: Cap | None, total: Cap | None, facts: Facts) -> Iterator[tuple[Cap, Counter]]:
    """Name the counters of an action's caps: per member, then total."""
    if per_member is not None and facts.member is not None:
        yield per_member, _cap_counter(key, "member", f"{key}/member/{key_part(facts.member.id)}", per_member, facts)
    if total is not None:
        yield total, _cap_counter(key, "total", f"{key}/total", total, facts)


def _cap_counter(key: str, scope: str, name: str, cap: Cap, facts: Facts) -> Counter:
    measured = "times" if cap.times is not None else "amount"
    suffix = "/times" if cap.times is not None else ""
    return _counter("issued", key, f"{scope}.{measured}", name, cap.window, facts.event_on, suffix)


def limit_counter(limit: Limit, facts: Facts) -> Counter | None:
    """Name the counter of a program's limit; None where it does not bind: per store, and the event has none."""
    scopes = {
        "member": facts.member.id if facts.member is not None else None,
        "store": facts.event.store,
        "total": "",
    }
    scope = scopes[limit.per]
    if scope is None:
        return None
    name = f"limit/{limit.id}" + (f"/{key_part(scope)}" if scope else "")
    return _counter("limit", limit.id, "", name, limit.window, facts.event_on)


def coupon_counters(coupon_type: CouponType, facts: Facts) -> Iterator[tuple[int, Counter]]:
    """Name the counters of a coupon type's caps that bind, each with its cap: per store, per member, total."""
    caps, name = coupon_type.caps, f"coupon/{coupon_type.id}"
    if caps.per_store is not None and facts.event.store is not None:
        yield caps.per_store, Counter(f"{name}/store/{key_part(facts.event.store)}", "coupon", coupon_type.id, "store")
    if caps.per_member is not None and facts.member is not None:
        yield caps.per_member, Counter(f"{name}/member/{key_part(facts.member.id)}", "coupon", coupon_type.id, "member")
    if caps.total is not None:
        yield caps.total, Counter(f"{name}/total", "coupon", coupon_type.id, "total")


def claim_on(counter: Counter, limit: Decimal, amount: Decimal) -> Claim:
    """Draw an amount from a counter that may not pass a limit."""
    return Claim(counter.name, limit, amount, counter.from_date, counter.to_date)


def make_snapshot(counters: Iterable[Counter], value_of: Callable[[Counter], Decimal]) -> Snapshot:
    """Make the snapshot of an event from the values of its counters."""
    trackers: dict[str, Decimal] = {}
    limits: dict[str, Decimal] = {}
    issued: dict[str, dict[str, IssuedCounts]] = {}
    coupons: dict[str, dict[str, int]] = {}
    for counter in counters:
        value = value_of(counter)
        if counter.kind == "tracker":
            trackers[counter.of] = value
        elif counter.kind == "limit":
            limits[counter.of] = value
        elif counter.kind == "coupon":
            coupons.setdefault(counter.of, {})[counter.scope] = int(value)  # a count is whole
        else:
            scope, measured = counter.scope.split(".")
            counts = IssuedCounts(times=int(value)) if measured == "times" else IssuedCounts(amount=value)
            issued.setdefault(counter.of, {})[scope] = counts
    return Snapshot(
        trackers,
        {key: Issued(**counts) for key, counts in issued.items()},
        limits,
        {key: CouponCounts(**counts) for key, counts in coupons.items()},
    )
