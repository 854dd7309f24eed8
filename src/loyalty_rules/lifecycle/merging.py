"""Merges of two members: counters that move, the level that remains. Source: semantics 13."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from loyalty_rules.engine.plan import BoundTier
from loyalty_rules.events import TierStanding
from loyalty_rules.intents import Claim, MergeAccounts
from loyalty_rules.keys import key_part, merge_key, plain_part
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of

__all__ = ["counter_of_other_member", "member_of_counter", "merge", "merged_level"]


def merge(
    program: Program,
    from_member: str,
    into_member: str,
    counters: Iterable[tuple[str, date | None, int]],
    values: Iterable[tuple[str, date | None, int]],
    *,
    reason: str,
    by: str,
    event: str,
) -> MergeAccounts:
    """Decide a merge; `counters` and `values` are the counters with the name of the old and of the new member.

    Each is a name, the day of a rolling counter, and a value in millionths.
    """
    present = {(name, day): value for name, day, value in values}
    claims = []
    for name, day, value in counters:
        renamed = counter_of_other_member(program, name, from_member, into_member)
        if renamed is not None and value:
            total = present.get((renamed, day), 0) + value
            claims.append(Claim(name, decimal_of(value), decimal_of(-value), day, day))
            claims.append(Claim(renamed, decimal_of(total), decimal_of(value), day, day))
    return MergeAccounts(merge_key(program.id, event), event, from_member, into_member, reason, by, tuple(claims))


def counter_of_other_member(program: Program, counter: str, member: str, other: str) -> str | None:
    """Return the name of a member's counter for another member; None if it is no counter of the member."""
    parts = counter.split("/")
    place = _place_of_member(program, parts)
    if place is None or parts[place] != key_part(member):
        return None
    parts[place] = key_part(other)
    return "/".join(parts)


def member_of_counter(program: Program, counter: str) -> str | None:
    """Return the member for whom a counter counts; None if it counts for no member."""
    parts = counter.split("/")
    place = _place_of_member(program, parts)
    return plain_part(parts[place]) if place is not None else None


def _place_of_member(program: Program, parts: Sequence[str]) -> int | None:
    """Return the position of the member in the parts of a counter's name; None if it counts for no member."""
    kind, of = parts[0], parts[1]
    if kind == "tracker":
        return None if _per(program.trackers, of) == "member_group" else 2
    if kind == "limit":
        is_members = of.startswith("transfer:") or _per(program.limits, of) == "member"
        return 2 if is_members and len(parts) == 4 else None
    if kind == "coupon":
        return 3 if parts[2] == "member" else None
    return 3 if len(parts) > 3 and parts[2] == "member" else None


def _per(parts: Iterable[Any], name: str) -> str | None:
    return next((each.per for each in parts if each.id == name), None)


def merged_level(bound: BoundTier, old: TierStanding, new: TierStanding, value: int, on: date) -> TierStanding | None:
    """Return the level of the new member after a merge if it changes; `value` is the summed tracker, in millionths.

    A level that the sum reaches begins on the date of the merge. Otherwise the higher level keeps its last day, and of
    two equal ones the later day counts.
    """
    tier = bound.tier
    reached = tier.reached(value)
    if tier.rank(reached) > max(tier.rank(old.level), tier.rank(new.level)):
        return TierStanding(reached, bound.until(on))
    if tier.rank(old.level) > tier.rank(new.level):
        return old
    is_later = new.until is not None and (old.until is None or old.until > new.until)
    return old if tier.rank(old.level) == tier.rank(new.level) > 0 and is_later else None
