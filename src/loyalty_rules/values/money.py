"""The smallest unit of a currency of ISO 4217, which discounts are rounded to. Source: semantics 9 (rounding)."""

from collections.abc import Mapping

from loyalty_rules.values.amounts import MICRO

__all__ = ["cent_of"]

_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"),
            *("XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""The minor units of ISO 4217 that are not 2."""


def cent_of(money: str | None) -> int:
    """Return the smallest unit of a currency in millionths: 10,000 unless ISO 4217 says otherwise, or if None."""
    cent: int = MICRO // 10 ** _DECIMALS.get(money or "", 2)
    return cent
