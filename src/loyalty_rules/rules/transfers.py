"""Transfers: the terms under which a member may give units of a currency away. Source: semantics 13."""

from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.rules.windows import LIFETIME, Window
from loyalty_rules.values.amounts import read_non_negative
from loyalty_rules.values.checked import checked

__all__ = ["MostSent", "Transfer"]


@attrs.frozen(field_transformer=checked)
class MostSent:
    """The maximum that an account may send in a window, without fees."""

    amount: Decimal = attrs.field(converter=read_non_negative)
    window: Window = LIFETIME


@attrs.frozen(field_transformer=checked)
class Transfer:
    """The terms of transfers of a currency: at least `least` at once, and `most` in a window.

    `fee` is a number of units that the source pays in addition for each transfer. Source: semantics 13.
    """

    least: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    fee: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    most: MostSent | None = None
