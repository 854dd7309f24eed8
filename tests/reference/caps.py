"""Caps and limits of an award, and its counters. Source: semantics 8, documents (claims)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from .amounts import given, rounded, text
from .dates import window_dates
from .facts import Facts


@dataclass
class Counter:
    """One counter: its name, its limit, the used amount, whether it counts times, and a rolling window's dates."""

    name: str
    limit: Fraction
    used: Fraction
    counts_times: bool = False
    dates: dict[str, str] | None = None

    @property
    def left(self) -> Fraction:
        return max(self.limit - self.used, Fraction(0))

    def trim(self, amount: Fraction) -> Fraction:
        """Trim an amount: "What goes over is trimmed to what is left"; a cap of times leaves all or nothing."""
        if self.counts_times:
            return amount if self.left >= 1 else Fraction(0)
        return min(amount, self.left)

    def claim(self, amount: Fraction) -> dict:
        drawn = Fraction(1) if self.counts_times else amount
        return {
            "counter": self.name,
            "limit": text(self.limit),
            "amount": text(drawn),
            **(self.dates or {}),
        }


def escaped(name: str) -> str:
    """Escape an id: "In ids that come with the event, % and / are written %25 and %2F (in counters too)"."""
    return name.replace("%", "%25").replace("/", "%2F")


def windowed(parts: list[str], window: dict | None, facts: Facts) -> tuple[list[str], dict | None]:
    """A counter's name with its window: "ends with its window's first date; a rolling one with rolling, and its claim
    carries the dates from and to".
    """
    dates = window_dates(window, facts.event_date)
    if dates is None:
        return [*parts, "lifetime"], None
    first, last = dates
    if window["type"] == "rolling":
        return [*parts, "rolling"], {"from": first.isoformat(), "to": last.isoformat()}
    return [*parts, first.isoformat()], None


# --- currency -------------------------------------------------------------------------------------------------


def currency_counters(
    action: dict, reference: str, facts: Facts, issued: dict[str, Fraction], other: str | None = None
) -> list[Counter]:
    """Return the counters of a currency action, in order: per_member, total, the program's limits.

    ``issued`` are the amounts that this evaluation has issued, by the limit's counter. ``other`` is a recipient by
    field: "per_member caps and limits count the recipient".
    """
    caps = action.get("caps") or {}
    counters = []
    for key, scope in (("per_member", "member"), ("total", "total")):
        if caps.get(key) is not None:
            counters.append(cap_counter(caps[key], scope, reference, facts, other))
    counters.extend(limit_counters(action["currency"], facts, issued, other))
    return counters


def snapshot_of(other: str | None, facts: Facts) -> dict:
    """Return the snapshot of the holder: "the snapshot holds theirs under recipients: {ID: {"issued", "limits"}}"."""
    return facts.snapshot if other is None else (facts.snapshot.get("recipients") or {}).get(other) or {}


def cap_counter(cap: dict, scope: str, reference: str, facts: Facts, other: str | None) -> Counter:
    measure = "amount" if cap.get("amount") is not None else "times"
    holder = other or (facts.member or {}).get("id")
    parts = [reference, scope] + ([escaped(holder)] if scope == "member" else [])
    parts, dates = windowed(parts, cap.get("window"), facts)
    if measure == "times":
        parts.append("times")
    held = snapshot_of(other if scope == "member" else None, facts)
    snapshot = ((held.get("issued") or {}).get(reference) or {}).get(scope) or {}
    return Counter("/".join(parts), given(cap[measure]), given(snapshot.get(measure)), measure == "times", dates)


def limit_counters(currency: str, facts: Facts, issued: dict[str, Fraction], other: str | None) -> Iterator[Counter]:
    for name, limit in (facts.program.get("limits") or {}).items():
        holder = limit_holder(limit["per"], facts, other)
        # "A limit per store does not bind an event without one"
        if limit["currency"] != currency or holder is None:
            continue
        parts, dates = windowed(["limit", name, *holder], limit.get("window"), facts)
        counter = "/".join(parts)
        held = snapshot_of(other if limit["per"] == "member" else None, facts)
        used = given((held.get("limits") or {}).get(name)) + issued.get(counter, 0)
        yield Counter(counter, limit_amount(limit, facts), used, dates=dates)


def limit_amount(limit: dict, facts: Facts) -> Fraction:
    """Return the limit in units: "a limit with money … counts units at the currency's redeem rate", "rounded down"."""
    if limit.get("money") is None:
        return given(limit["amount"])
    currency = facts.program["currencies"][limit["currency"]]
    rate = given(currency["redeem"]["points"]) / given(currency["redeem"]["value"])
    return rounded(given(limit["money"]) * rate, "down", currency.get("decimals") or 0)


def limit_holder(per: str, facts: Facts, other: str | None) -> list[str] | None:
    """Return the parts of a limit's counter; "a limit per member goes by the member, never by the group"."""
    member = facts.member or {}
    holders = {
        "member": other or member.get("id"),
        "store": facts.event.get("store"),
        # "Household limits don't bind [a recipient by field]", nor "a member without a group".
        "member_group": None if other is not None else member.get("group"),
    }
    if per == "total":
        return []
    return None if holders[per] is None else [escaped(holders[per])]


# --- coupons --------------------------------------------------------------------------------------------------


def coupon_counters(name: str, facts: Facts, issued: int) -> list[Counter]:
    """Return the counters of a coupon type: per_store, per_member, total. ``issued`` is this evaluation's count."""
    caps = facts.program["coupon_types"][name].get("caps") or {}
    holders = {
        "store": facts.event.get("store"),
        "member": None if facts.member is None else facts.member["id"],
        "total": "",
    }
    snapshot = (facts.snapshot.get("coupons") or {}).get(name) or {}
    counters = []
    for key, scope in (("per_store", "store"), ("per_member", "member"), ("total", "total")):
        # "per_store does not bind an event without a store"
        if caps.get(key) is None or holders[scope] is None:
            continue
        parts = ["coupon", name, scope] + ([escaped(holders[scope])] if scope != "total" else [])
        counters.append(Counter("/".join(parts), given(caps[key]), given(snapshot.get(scope)) + issued))
    return counters
