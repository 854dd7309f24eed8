"""Adjustments: the terms under which a person corrects a balance by hand. Source: semantics 13."""

from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.values.amounts import read_non_negative
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_names

__all__ = ["Adjustments"]


@attrs.frozen(field_transformer=checked)
class Adjustments:
    """The terms of adjustments: the allowed `reasons`, and `most`, the maximum of one in either direction.

    An upward adjustment above `approve_over` is a promise that another person must confirm. None means no rule.
    Source: semantics 13.
    """

    reasons: tuple[str, ...] | None = attrs.field(default=None, converter=optional(read_names))
    most: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))
    approve_over: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))


ANY = Adjustments()
"""The terms of a program without `adjustments`: any reason, any amount, no confirmation."""
