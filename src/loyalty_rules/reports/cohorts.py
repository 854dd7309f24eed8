"""Rates by cohort: the parts of an issue that were redeemed and that expired unused (breakage). Source: ledger 4."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

import attrs

from loyalty_rules.reports.issuance import Issuance
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.values.amounts import MICRO, decimal_of, micros, read_whole

__all__ = ["CohortRates", "rate", "rates_of"]


@attrs.frozen
class CohortRates:
    """The rates of one cohort: the units or coupons of one issue period, and of the other dimensions in `group`.

    `counted` is the denominator: issued units without those that were taken back or voided. Expired ones stay in it.
    The rates are shares of it, None if it is zero. As long as units are `outstanding`, both may still grow.
    """

    kind: Literal["currency", "coupon"]
    of: str
    group: Mapping[str, str | None]
    issued: Decimal
    counted: Decimal
    redeemed: Decimal
    expired: Decimal
    outstanding: Decimal
    redemption_rate: Decimal | None
    breakage_rate: Decimal | None


def rates_of(rows: Iterable[Issuance], *, digits: int = 4) -> tuple[CohortRates, ...]:
    """Return the redemption and breakage rates of each row of a report by issue, with 0 to 6 decimals, half up."""
    read_whole(digits, 0, 6)
    rates = []
    for row in rows:
        assert row.outstanding is not None
        counted = micros(row.issued) - micros(row.reversed) - micros(row.voided)
        redeemed, expired = micros(row.redeemed), micros(row.expired)
        shares = rate(redeemed, counted, digits), rate(expired, counted, digits)
        amounts = row.issued, decimal_of(counted), row.redeemed, row.expired, row.outstanding
        rates.append(CohortRates(row.kind, row.of, row.group, *amounts, *shares))
    return tuple(rates)


def rate(part: int, whole: int, digits: int) -> Decimal | None:
    """Return a share with so many decimals, rounded half up; None of nothing."""
    if whole == 0:
        return None
    places: int = 10**digits
    return decimal_of(MODES["nearest"](part * places, whole) * (MICRO // places))
