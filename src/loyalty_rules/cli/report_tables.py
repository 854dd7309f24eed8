"""The reports of a ledger as tables: issuance, conversion, liability."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from loyalty_rules.cli.tables import Table
from loyalty_rules.ledger.reports import Conversion, Issuance, Liability
from loyalty_rules.values.amounts import micros, micros_text

__all__ = ["conversion_table", "issuance_table", "liability_table", "total_table"]

_ISSUANCE_COLUMNS = ("issued", "redeemed", "expired", "reversed", "voided", "outstanding")
_CONVERSION_COLUMNS = ("issued", "voided", "expired", "outstanding", "redeemed", "redeemed_in_period")


def issuance_table(rows: Sequence[Issuance], by: Sequence[str] = ()) -> Table:
    """Build the table of issuance; `by` names the groups of the rows."""
    return Table(
        ("of", *by, *_ISSUANCE_COLUMNS),
        [(row.of, *_names(row.group), *(_text(getattr(row, column)) for column in _ISSUANCE_COLUMNS)) for row in rows],
        texts=1 + len(by),
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


def liability_table(owed: Liability) -> Table:
    """Build the table of liability: points by month of expiry, and coupons at their maximum cost."""
    points = [
        (
            row.currency,
            row.expires_in or "never",
            _text(row.available),
            _text(row.promised),
            _money(row.available_value),
        )
        for row in owed.points
    ]
    coupons = [(row.coupon_type, "coupons", str(row.outstanding), "0", _money(row.most)) for row in owed.coupons]
    return Table(("liability", "expires in", "available", "promised", "at most"), [*points, *coupons], texts=2)


def total_table(owed: Liability) -> Table:
    """Build the table of the total liability, and of the items without a value, which it leaves out."""
    promised = sum(micros(row.promised_value) for row in owed.points if row.promised_value is not None)
    unknown = [*owed.unvalued, *owed.unbounded]
    return Table(
        ("owed at most", "money"),
        [
            ("available", micros_text(micros(owed.total) - promised)),
            ("promised", micros_text(promised)),
            ("together", _text(owed.total)),
            *((f"not known: {each}", "-") for each in unknown),
        ],
    )


def _names(group: Mapping[str, str | None]) -> list[str]:
    return [name if name is not None else "-" for name in group.values()]


def _text(amount: Decimal) -> str:
    return micros_text(micros(amount))


def _money(amount: Decimal | None) -> str:
    return "not known" if amount is None else _text(amount)


def _rate(rate: Decimal | None) -> str:
    return "-" if rate is None else _text(rate)
