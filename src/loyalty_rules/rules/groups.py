"""Exclusive groups: how a group of promotions chooses those that count. Source: semantics 8."""

from typing import Literal

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.values.amounts import read_whole
from loyalty_rules.values.checked import checked
from loyalty_rules.values.identifiers import read_id, read_name
from loyalty_rules.values.json_schema import declare, given, schema_rules, whole_number_schema

__all__ = ["Group"]

MAX_KEPT = 1_000


def _read_keep(value: int) -> int:
    return read_whole(value, 1, MAX_KEPT)


declare(_read_keep, whole_number_schema(1, MAX_KEPT))


@schema_rules(
    {
        "if": {"properties": {"choose": {"enum": ["most", "least"]}}, "required": ["choose"]},
        "then": given("of"),
    }
)
@attrs.frozen(field_transformer=checked)
class Group:
    """The choice among the promotions of an exclusive group that fire: `keep` of them count.

    `first` chooses by priority, then in the order of the document. `most` and `least` choose by the amount of the
    currency `of` that a promotion's actions would award before caps. Source: semantics 8.
    """

    id: str = attrs.field(converter=read_name)
    choose: Literal["first", "most", "least"] = "first"
    of: str | None = attrs.field(default=None, converter=optional(read_id))
    keep: int = attrs.field(default=1, converter=_read_keep)

    def __attrs_post_init__(self) -> None:
        if self.choose != "first" and self.of is None:
            raise InvalidValueError("of", "required", f"is missing; choosing the {self.choose} needs a currency")
