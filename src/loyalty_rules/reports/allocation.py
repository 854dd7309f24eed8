"""The allocation of a sale's price between its goods and the points that it gives. Source: IFRS 15, 73 to 80.

A sale that gives points has two performance obligations: the goods, and the points. The price is allocated to them in
proportion to stand-alone prices, which the host knows or estimates.
"""

from decimal import Decimal

import attrs

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.values.amounts import MICRO, decimal_of, micros, read_non_negative
from loyalty_rules.values.money import cent_of

__all__ = ["Allocation", "allocate", "stand_alone_price"]


@attrs.frozen
class Allocation:
    """The parts of a price, together the price: revenue of the goods now, and deferred revenue of the points."""

    goods: Decimal
    points: Decimal


def stand_alone_price(units: Decimal, unit_price: Decimal, redeemed: Decimal = Decimal(1)) -> Decimal:
    """Return the stand-alone price of units: at the price of one, of the share that is expected to be redeemed.

    It is rounded to 6 decimals, half up. Raises `InvalidValueError` for a negative argument, or a share above 1.
    """
    price, share = micros(read_non_negative(unit_price)), micros(read_non_negative(redeemed))
    if share > MICRO:
        raise InvalidValueError("redeemed", "out_of_range", f"expected a share from 0 to 1, found {redeemed}")
    product: int = MODES["nearest"](micros(read_non_negative(units)) * price * share, MICRO * MICRO)
    return decimal_of(product)


def allocate(price: Decimal, goods: Decimal, points: Decimal, money: str | None = None) -> Allocation:
    """Allocate a price in proportion to the stand-alone prices of the goods and of the points.

    The part of the points is rounded to the cent of `money` (ISO 4217, by default 0.01), half up; the rest is that of
    the goods. Raises `InvalidValueError` for a negative argument, or if both stand-alone prices are zero.
    """
    whole, of_goods, of_points = (micros(read_non_negative(each)) for each in (price, goods, points))
    if of_goods + of_points == 0:
        raise InvalidValueError("goods", "out_of_range", "expected a stand-alone price of the goods or of the points")
    cent = cent_of(money)
    deferred: int = MODES["nearest"](whole * of_points, (of_goods + of_points) * cent) * cent
    return Allocation(decimal_of(whole - deferred), decimal_of(deferred))
