"""Money in minor units, as payment systems write it: whole numbers of the smallest unit of a currency.

The smallest unit has as many decimals as ISO 4217 gives the currency: 1999 is 19.99 USD, 1999 JPY or 1.999 KWD.
"""

from collections.abc import Mapping

from loyalty_rules.adapters.payload import Payload
from loyalty_rules.values.amounts import MICRO, NUMBER_LIMIT
from loyalty_rules.values.money import cent_of

__all__ = ["amount_in", "money_of"]


def amount_in(part: Payload, currency: str | None, decimals: Mapping[str, int] | None = None) -> int | None:
    """Return an amount of minor units in millionths; None if there is nothing.

    `decimals` has the currencies for which a system departs from ISO 4217.
    """
    units = part.whole()
    if units is None:
        return None
    code = (currency or "").upper()
    cent = MICRO // 10 ** decimals[code] if decimals is not None and code in decimals else cent_of(code)
    if abs(units) * cent >= NUMBER_LIMIT * MICRO:
        raise part.refusal("out_of_range", "expected an amount of at most 15 integer digits")
    return units * cent


def money_of(part: Payload) -> int | None:
    """Return the amount of an object with `amount` and `currency` in millionths; None if there is nothing."""
    return amount_in(part["amount"], part["currency"].text())
