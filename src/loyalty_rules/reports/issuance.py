"""Issuance: the units of currencies and the coupons that were issued, by their states and by dimensions.

A report folds sums of movements, from whichever storage they come. Days, weeks and months are local, in the program's
zone. Source: ledger 4.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.values.amounts import decimal_of

__all__ = [
    "DIMENSIONS",
    "PERIODS",
    "By",
    "Issuance",
    "Movement",
    "check_dimensions",
    "fields_of",
    "in_order",
    "issuance_of",
    "period_of",
]

By: TypeAlias = Literal[
    "promotion",
    "store",
    "member",
    "tier",
    "channel",
    "issued_in",
    "issued_day",
    "issued_week",
    "issued_month",
    "day",
    "week",
    "month",
    "redeemed_store",
    "redeemed_member",
]
"""The name of a dimension of a report."""


@attrs.frozen
class Movement:
    """A sum of movements of units, in millionths, from one bucket to another; of coupons, one million each.

    A coupon is issued into `available`, and goes on to `spent`, `expired` or `voided`. The dimensions that a report
    does not ask for are None: the local day of the movement (`on`), and of the issue its day, promotion, store, member,
    tier and channel; of a redemption its store and member.
    """

    kind: Literal["currency", "coupon"]
    of: str
    source: str
    target: str
    amount: int
    on: date | None = None
    issued_on: date | None = None
    promotion: str | None = None
    store: str | None = None
    member: str | None = None
    tier: str | None = None
    channel: str | None = None
    redeemed_store: str | None = None
    redeemed_member: str | None = None


@attrs.frozen
class Issuance:
    """The issued units of a currency, or coupons of a type (`kind`, `of`), by their states.

    `group` has the value of the row for each dimension of the report. Promises count as issued and outstanding.
    `reversed` are units taken back by returns; `voided` are promises that were cancelled or lapsed, units taken by
    hand, and coupons that were voided.

    Without a period of movements, a row has the present states of its issue: issued = redeemed + expired + reversed +
    voided + outstanding. By `day`, `week` or `month` each column has the movements of the period. A balance would not
    be one of these, so that `outstanding` is None; so it is for currencies by redemption.
    """

    kind: Literal["currency", "coupon"]
    of: str
    group: Mapping[str, str | None]
    issued: Decimal
    redeemed: Decimal
    expired: Decimal
    reversed: Decimal
    voided: Decimal
    outstanding: Decimal | None


PERIODS: Mapping[str, Callable[[date], str]] = {
    "day": date.isoformat,
    "week": lambda day: day.strftime("%G-W%V"),
    "month": lambda day: day.strftime("%Y-%m"),
}
"""The text of each period that contains a day: `2025-01-31`, `2025-W05` (ISO), `2025-01`."""


def period_of(period: str, day: date | None) -> str | None:
    """Return the text of the period that contains a day."""
    return PERIODS[period](day) if day is not None else None


_DIMENSIONS: Mapping[str, tuple[str, Callable[[Movement], str | None]]] = {
    "promotion": ("promotion", lambda each: each.promotion),
    "store": ("store", lambda each: each.store),
    "member": ("member", lambda each: each.member),
    "tier": ("tier", lambda each: each.tier),
    "channel": ("channel", lambda each: each.channel),
    "issued_in": ("issued_on", lambda each: period_of("month", each.issued_on)),
    "issued_day": ("issued_on", lambda each: period_of("day", each.issued_on)),
    "issued_week": ("issued_on", lambda each: period_of("week", each.issued_on)),
    "issued_month": ("issued_on", lambda each: period_of("month", each.issued_on)),
    "day": ("on", lambda each: period_of("day", each.on)),
    "week": ("on", lambda each: period_of("week", each.on)),
    "month": ("on", lambda each: period_of("month", each.on)),
    "redeemed_store": ("redeemed_store", lambda each: each.redeemed_store),
    "redeemed_member": ("redeemed_member", lambda each: each.redeemed_member),
}
"""The field of a movement that each dimension reads, and the function of its value."""

DIMENSIONS = tuple(_DIMENSIONS)
"""The names by which the issuance can be split."""

_OF_REDEMPTIONS = ("redeemed_store", "redeemed_member")

_COLUMNS = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")
_BUCKETS: Mapping[str, tuple[str, int]] = {
    "issued": ("issued", -1),  # new units come from here: a movement out of it is an issue
    "promised": ("outstanding", 1),
    "available": ("outstanding", 1),
    "held": ("outstanding", 1),
    "spent": ("redeemed", 1),
    "expired": ("expired", 1),
    "reversed": ("reversed", 1),
    "voided": ("voided", 1),
    "moved": ("outstanding", 1),  # units that leave one lot come into another
}


def check_dimensions(by: Iterable[str], known: Sequence[str] = DIMENSIONS) -> None:
    """Raise `InvalidValueError` for the name of a dimension that does not exist."""
    for each in by:
        if each not in known:
            raise InvalidValueError(
                "by", "not_a_choice", f"expected some of {', '.join(known)}; found {describe(each)}"
            )


def fields_of(by: Iterable[str]) -> frozenset[str]:
    """Return the fields of movements that some dimensions read, so that a storage sums by nothing else."""
    return frozenset(_DIMENSIONS[each][0] for each in by)


def issuance_of(movements: Iterable[Movement], by: Sequence[str] = ()) -> tuple[Issuance, ...]:
    """Report issued, redeemed, expired, reversed, voided and outstanding units of each currency and coupon type."""
    check_dimensions(by)
    groups = [_DIMENSIONS[each][1] for each in by]
    sums: dict[tuple[str, str, tuple[str | None, ...]], dict[str, int]] = {}
    for movement in movements:
        key = movement.kind, movement.of, tuple([group(movement) for group in groups])
        row = sums.setdefault(key, dict.fromkeys(_COLUMNS, 0))
        for bucket, sign in ((movement.source, -1), (movement.target, 1)):
            column, direction = _BUCKETS[bucket]
            row[column] += sign * direction * movement.amount
    return tuple(
        _row(kind, of, dict(zip(by, group, strict=True)), row)
        for (kind, of, group), row in sorted(sums.items(), key=lambda pair: (*pair[0][:2], in_order(pair[0][2])))
    )


def _row(kind: str, of: str, group: Mapping[str, str | None], row: Mapping[str, int]) -> Issuance:
    of_movements = any(each in PERIODS for each in group)
    by_redemption = kind == "currency" and any(each in _OF_REDEMPTIONS for each in group)
    columns: dict[str, Any] = {column: decimal_of(amount) for column, amount in row.items()}
    if of_movements or by_redemption:
        columns["outstanding"] = None
    return Issuance("currency" if kind == "currency" else "coupon", of, group, **columns)


def in_order(group: Sequence[str | None]) -> list[tuple[bool, str]]:
    """Return a sort key of names: by their text, None last."""
    return [(each is None, each or "") for each in group]
