"""The reports of a ledger as tables: issuance, conversion, liability."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from loyalty_rules.cli.tables import Table
from loyalty_rules.ledger.reports import Conversion, Issuance, Liability
from loyalty_rules.reports.cohorts import CohortRates
from loyalty_rules.values.amounts import micros, micros_text

__all__ = ["conversion_table", "issuance_table", "liability_table", "rates_table", "total_table"]

_ISSUANCE_COLUMNS = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")
_CONVERSION_COLUMNS = ("issued", "voided", "expired", "outstanding", "redeemed", "redeemed_in_period")


def issuance_table(rows: Sequence[Issuance], by: Sequence[str] = ()) -> Table:
    """Build the table of issuance; `by` names the groups of the rows. A report of movements has no balance."""
    columns = [each for each in _ISSUANCE_COLUMNS if any(getattr(row, each) is not None for row in rows)]
    return Table(
        ("of", "unit", *by, *columns),
        [
            (row.of, _unit(row.kind), *_names(row.group), *(_amount(getattr(row, column)) for column in columns))
            for row in rows
        ],
        texts=2 + len(by),
    )


def rates_table(rows: Sequence[CohortRates], by: Sequence[str] = ()) -> Table:
    """Build the table of redemption and breakage rates by cohort."""
    columns = ("issued", "counted", "redeemed", "expired", "outstanding")
    return Table(
        ("rates of", "unit", *by, *columns, "redemption rate", "breakage rate"),
        [
            (
                row.of,
                _unit(row.kind),
                *_names(row.group),
                *(_text(getattr(row, column)) for column in columns),
                _amount(row.redemption_rate),
                _amount(row.breakage_rate),
            )
            for row in rows
        ],
        texts=2 + len(by),
    )


def conversion_table(rows: Sequence[Conversion], by: Sequence[str] = ()) -> Table:
    """Build the table of coupon conversion, by cohort and by flow."""
    return Table(
        ("coupons", *by, *(column.replace("_", " ") for column in _CONVERSION_COLUMNS), "cohort rate", "flow rate"),
        [
            (
                row.coupon_type,
                *_names(row.group),
                *(str(getattr(row, column)) for column in _CONVERSION_COLUMNS),
                _rate(row.cohort_rate),
                _rate(row.flow_rate),
            )
            for row in rows
        ],
        texts=1 + len(by),
    )


def liability_table(owed: Liability, money: str | None = None) -> Table:
    """Build the table of liability: points by month of expiry, and coupons at their maximum cost, in money."""
    points = [
        (
            row.currency,
            "units",
            row.expires_in or "never",
            _text(row.available),
            _text(row.promised),
            _money(row.available_value),
        )
        for row in owed.points
    ]
    coupons = [(row.coupon_type, "coupons", "-", str(row.outstanding), "0", _money(row.most)) for row in owed.coupons]
    headings = ("liability", "unit", "expires in", "available", "promised", f"at most {money or 'in money'}")
    return Table(headings, [*points, *coupons], texts=3)


def total_table(owed: Liability, money: str | None = None) -> Table:
    """Build the table of the total liability, and of the items without a value, which it leaves out."""
    promised = sum(micros(row.promised_value) for row in owed.points if row.promised_value is not None)
    unknown = [*owed.unvalued, *owed.unbounded]
    return Table(
        ("owed at most", money or "money"),
        [
            ("available", micros_text(micros(owed.total) - promised)),
            ("promised", micros_text(promised)),
            ("together", _text(owed.total)),
            *((f"not known: {each}", "-") for each in unknown),
        ],
    )


def _unit(kind: str) -> str:
    return "units" if kind == "currency" else "coupons"


def _amount(amount: Decimal | None) -> str:
    return _text(amount) if amount is not None else "-"


def _names(group: Mapping[str, str | None]) -> list[str]:
    return [name if name is not None else "-" for name in group.values()]


def _text(amount: Decimal) -> str:
    return micros_text(micros(amount))


def _money(amount: Decimal | None) -> str:
    return "not known" if amount is None else _text(amount)


def _rate(rate: Decimal | None) -> str:
    return "-" if rate is None else _text(rate)
