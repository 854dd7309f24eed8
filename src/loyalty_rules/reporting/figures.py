"""The figures of a history: units by their present state, in units and in money, by any dimension of their issue."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import attrs

from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.ledger.records import ReportLot, ReportRows
from loyalty_rules.lifecycle.records import Account, CouponRecord
from loyalty_rules.program import Program
from loyalty_rules.rules.rounding import quantize_to_micros
from loyalty_rules.values.amounts import MICRO, decimal_of, micros
from loyalty_rules.values.dates import in_zone

__all__ = [
    "Dimension",
    "Figures",
    "deciles_of",
    "dimensions",
    "figures_by",
    "figures_of",
    "value_of",
    "values_by_account",
]

ZERO = Decimal(0)


@attrs.frozen
class Figures:
    """Units of a currency, or coupons of a type, by their state at the end of a history.

    issued = promised + outstanding + redeemed + expired + reversed + voided. `value` and `liability` are in money at
    the redeem rate, rounded to 6 decimals, half up: of the units that were issued and neither reversed nor voided, and
    of those that are promised or outstanding. Both are None without a rate. The `liability` of coupons is their
    maximum cost; None if there is none. Coupons have no `value`.
    """

    issued: Decimal = ZERO
    promised: Decimal = ZERO
    outstanding: Decimal = ZERO
    redeemed: Decimal = ZERO
    expired: Decimal = ZERO
    reversed: Decimal = ZERO
    voided: Decimal = ZERO
    value: Decimal | None = None
    liability: Decimal | None = None

    def __add__(self, other: "Figures") -> "Figures":
        return self._with(other, 1)

    def __sub__(self, other: "Figures") -> "Figures":
        return self._with(other, -1)

    def _with(self, other: "Figures", sign: int) -> "Figures":
        names = (each.name for each in attrs.fields(Figures))
        return Figures(**{name: _sum(getattr(self, name), getattr(other, name), sign) for name in names})


def _sum(mine: Decimal | None, theirs: Decimal | None, sign: int) -> Any:
    """Return a sum or a difference; an unknown figure counts as 0, unless both are unknown."""
    if mine is None and theirs is None:
        return None
    return decimal_of(micros(mine or ZERO) + sign * micros(theirs or ZERO))


Kind: TypeAlias = Literal["currency", "coupon"]
Issued: TypeAlias = ReportLot | CouponRecord
Dimension: TypeAlias = Callable[[Issued], str | None]
"""The value of a dimension for a lot or a coupon."""


def value_of(program: Program, currency: str, units: int) -> int | None:
    """Return the money of some millionths of units at the redeem rate, in millionths; None without a rate."""
    found = program.currency(currency)
    if found is None or found.redeem is None:
        return None
    rate = found.redeem
    return quantize_to_micros((units * micros(rate.value), micros(rate.points) * MICRO))


def figures_of(program: Program, rows: ReportRows) -> Sequence[tuple[Issued, Figures]]:
    """Return each lot and each coupon of a history with its figures."""
    lots = [(each, _figures_of_lot(program, each, rows)) for each in rows.lots]
    return [*lots, *((each, _figures_of_coupon(each, rows)) for each in rows.coupons)]


def figures_by(
    figures: Iterable[tuple[Issued, Figures]], dimension: Dimension
) -> Mapping[tuple[Kind, str, str | None], Figures]:
    """Return the sums of figures by kind, by currency or coupon type, and by the value of a dimension."""
    sums: dict[tuple[Kind, str, str | None], Figures] = {}
    for each, some in figures:
        key = *_kind_of(each), dimension(each)
        sums[key] = sums.get(key, Figures()) + some
    return sums


def values_by_account(figures: Iterable[tuple[Issued, Figures]]) -> Mapping[Account, Decimal]:
    """Return the money of the units that each account was issued and kept, at the redeem rate."""
    sums: dict[Account, int] = {}
    for each, some in figures:
        if isinstance(each, ReportLot) and some.value is not None:
            sums[each.lot.account] = sums.get(each.lot.account, 0) + micros(some.value)
    return {account: decimal_of(value) for account, value in sums.items()}


def _kind_of(each: Issued) -> tuple[Kind, str]:
    if isinstance(each, ReportLot):
        return "currency", each.lot.issue.currency
    return "coupon", each.issue.coupon_type


def _figures_of_lot(program: Program, history: ReportLot, rows: ReportRows) -> Figures:
    lot = history.lot
    has_expired = lot.expires_at is not None and lot.expires_at <= rows.at
    issued = sum(micros(each.amount) for each in history.entries if each.source == "issued")
    live, over = (0, micros(lot.outstanding)) if has_expired else (micros(lot.outstanding), 0)
    owed = micros(lot.promised) + live + micros(lot.held)
    lost = micros(lot.reversed) + micros(lot.voided)
    value = value_of(program, lot.issue.currency, issued - lost)
    liability = value_of(program, lot.issue.currency, owed)
    return Figures(
        issued=decimal_of(issued),
        promised=lot.promised,
        outstanding=decimal_of(live + micros(lot.held)),
        redeemed=lot.spent,
        expired=decimal_of(micros(lot.expired) + over),
        reversed=lot.reversed,
        voided=lot.voided,
        value=None if value is None else decimal_of(value),
        liability=None if liability is None else decimal_of(liability),
    )


_COLUMNS = {"issued": "outstanding", "redeemed": "redeemed", "expired": "expired", "voided": "voided"}
"""The figure of a coupon in each state."""


def _figures_of_coupon(coupon: CouponRecord, rows: ReportRows) -> Figures:
    state = coupon.state_at(rows.at)
    liability = coupon.most_left if state == "issued" else ZERO
    one = Decimal(1)
    return attrs.evolve(Figures(issued=one, liability=liability), **{_COLUMNS[state]: one})


def dimensions(zone: tzinfo, deciles: Mapping[str, int]) -> Mapping[str, Dimension]:
    """Return the dimensions of a comparison: promotion, month of issue, store, tier, and decile of the member."""

    def decile(each: Issued) -> str | None:
        member = _issue(each).member
        return f"{deciles[member]:02}" if member is not None and member in deciles else None

    def month(each: Issued) -> str:
        at = each.entries[0].at if isinstance(each, ReportLot) else each.issue.issued_at
        return in_zone(at, zone).strftime("%Y-%m")

    return {
        "promotion": lambda each: _issue(each).promotion or None,
        "month": month,
        "store": lambda each: each.lot.store if isinstance(each, ReportLot) else each.issue.store,
        "tier": lambda each: each.lot.tier if isinstance(each, ReportLot) else each.tier,
        "decile": decile,
    }


def _issue(each: Issued) -> IssueCurrency | IssueCoupon:
    return each.lot.issue if isinstance(each, ReportLot) else each.issue


def deciles_of(turnovers: Mapping[str, int]) -> Mapping[str, int]:
    """Return the tenth that each member belongs to, by turnover: 1 has those who bought most.

    Members of equal turnover are in the order of their ids, so that each has one decile in every run.
    """
    ranked = sorted(turnovers, key=lambda member: (-turnovers[member], member))
    return {member: 1 + place * 10 // len(ranked) for place, member in enumerate(ranked)}
