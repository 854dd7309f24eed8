"""A sample of members with all of their receipts, and the interval of a sum over all members."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Activity, Confirmation, Event, Transaction
from loyalty_rules.keys import plain_part
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["Estimate", "estimated", "read_percent", "sampled"]

_HASHES = 1 << 64
_HUNDRED = 100_000_000  # percent, in millionths


@attrs.frozen
class Estimate:
    """A sum over all members, estimated from `percent` of them.

    `low` to `high` is its interval of 95 %. It takes members as independent of each other. They are not if they share
    a cap: the cap then binds later in a sample than in the whole.
    """

    percent: Decimal
    total: Decimal
    low: Decimal
    high: Decimal


def read_percent(percent: Decimal) -> Decimal:
    """Return a percentage of members; raise `InvalidValueError` unless it is above 0 and at most 100."""
    if not isinstance(percent, Decimal) or not 0 < percent <= 100:
        raise InvalidValueError(
            "members", "out_of_range", f"expected a Decimal above 0 and at most 100, found {describe(percent)}"
        )
    return percent


def sampled(events: Iterable[Event], percent: Decimal) -> Iterator[Event]:
    """Yield the events of a part of the members, and the later events about their sales.

    The hash of a member's id decides, so the same members are drawn each time. A sale without a member counts as a
    member of its own. A sale must come before the events about it.
    """
    kept: set[str] = set()
    for event in events:
        if isinstance(event, (Transaction, Activity)):
            if _is_drawn(event.member.id if event.member is not None else event.id, percent):
                kept.add(event.id)
                yield event
        elif (_sale_of_promise(event.promise) if isinstance(event, Confirmation) else event.of) in kept:
            yield event


def _is_drawn(member: str, percent: Decimal) -> bool:
    digest = hashlib.sha256(member.encode()).digest()
    return int.from_bytes(digest[:8]) * _HUNDRED < micros(percent) * _HASHES


def _sale_of_promise(promise: str) -> str | None:
    parts = promise.split("/")
    return plain_part(parts[1]) if len(parts) > 1 else None


def estimated(changes: Iterable[Decimal], percent: Decimal) -> Estimate:
    """Estimate a sum over all members from its parts by sampled member (Horvitz and Thompson).

    Each member was drawn with the same probability p. The sum is that of the sample divided by p, half up to 6
    decimals. Its variance is (1 - p) / p² × Σ part².
    """
    parts, p = [micros(each) for each in changes], micros(percent)
    total = (2 * sum(parts) * _HUNDRED + p) // (2 * p)
    squares = sum(each * each for each in parts) * (_HUNDRED - p) * _HUNDRED
    margin = (196 * math.isqrt(-(-squares // (p * p)))) // 100 + 1 if squares else 0
    return Estimate(percent, decimal_of(total), decimal_of(total - margin), decimal_of(total + margin))
