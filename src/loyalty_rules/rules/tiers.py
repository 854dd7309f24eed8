"""Tiers: levels of members by the value of a tracker, and how they end. Source: semantics 14."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, path_step
from loyalty_rules.rules.expiry import EventDate, FixedDate, FixedPeriod, FixedRecurring, Never
from loyalty_rules.values.amounts import Number, micros, read_non_negative, text_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import Period
from loyalty_rules.values.identifiers import list_schema, mapping_schema, read_id, read_list, read_mapping
from loyalty_rules.values.json_schema import declare, schema_rules

__all__ = ["Lasts", "Tier"]

Lasts: TypeAlias = FixedDate | FixedRecurring | FixedPeriod | EventDate | Never
"""The expiries of a level: those that need no field of a member or an event."""

MAX_LEVELS = 100


def _read_levels(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    levels = read_list(value, read_id, "levels")
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise InvalidValueError("", "out_of_range", f"expected 1 to {MAX_LEVELS} levels, found {len(levels)}")
    for index, level in enumerate(levels):
        if level in levels[:index]:
            raise InvalidValueError(f"[{index}]", "duplicate_id", f"an earlier level has the id {level!r}")
    return levels


declare(_read_levels, {**list_schema({"$ref": read_id}, minItems=1, uniqueItems=True), "maxItems": MAX_LEVELS})


def _read_thresholds(value: Mapping[str, Number]) -> Mapping[str, Decimal]:
    return read_mapping(value, read_non_negative, "numbers", read_id)


declare(_read_thresholds, mapping_schema({"$ref": read_non_negative}, read_id))


@schema_rules()  # only the loader can compare the keys of `from` with the levels
@attrs.frozen(field_transformer=checked)
class Tier:
    """The levels of a tier, from the lowest, which is everybody's; the tracker `by` decides who has a higher one.

    A level is reached from the tracker's value `from_` on, `until` the date that `lasts` gives. A review keeps it if
    the value reached `keep_from` (by default `from_`); else the member falls by one level, to the level that was
    earned, or never. `grace` is the time that a review waits after the end of the level. Source: semantics 14.
    """

    id: str = attrs.field(converter=read_id)
    levels: tuple[str, ...] = attrs.field(converter=_read_levels)
    by: str = attrs.field(converter=read_id)
    from_: Mapping[str, Decimal] = attrs.field(converter=_read_thresholds)
    lasts: Lasts
    keep_from: Mapping[str, Decimal] | None = attrs.field(default=None, converter=optional(_read_thresholds))
    falls: Literal["one", "earned", "never"] = "one"
    grace: Period | None = None

    def __attrs_post_init__(self) -> None:
        problems = [*self._thresholds("from", self.from_)]
        problems += [
            InvalidValueError(f"from{path_step(level)}", "unreachable", f"the level {level!r} needs a value")
            for level in self.levels[1:]
            if level not in self.from_
        ]
        if self.keep_from is not None:
            problems += self._thresholds("keep_from", self.keep_from)
        if problems:
            first, *others = problems
            raise InvalidValueError(first.name, first.code, first.message, tuple(others))

    def _thresholds(self, name: str, values: Mapping[str, Decimal]) -> Iterator[InvalidValueError]:
        known, so_far = ", ".join(self.levels[1:]), -1
        for level in values:
            if level not in self.levels[1:]:
                found = "the first level is everybody's" if level in self.levels else f"there is no level {level!r}"
                yield InvalidValueError(
                    f"{name}{path_step(level)}", "unknown_reference", f"{found}; expected one of {known or 'none'}"
                )
        for level in self.levels[1:]:
            value = values.get(level)
            if value is None:
                continue
            if name == "from" and micros(value) <= so_far:
                yield InvalidValueError(
                    f"{name}{path_step(level)}",
                    "unreachable",
                    f"expected more than the level below needs, found {text_of(value)}",
                )
            so_far = max(so_far, micros(value))

    @property
    def first(self) -> str:
        """The first level, which everybody has."""
        return self.levels[0]

    def rank(self, level: str) -> int:
        """Return the position of a level; that of the first level, 0, for a level that the tier no longer has."""
        return self.levels.index(level) if level in self.levels else 0

    def reached(self, value: int) -> str:
        """Return the highest level whose `from` a tracker's value reaches; `value` is in millionths."""
        reached = self.first
        for level in self.levels[1:]:
            if micros(self.from_[level]) <= value:
                reached = level
        return reached

    def threshold(self, level: str) -> int:
        """Return the value from which a level is reached, in millionths; 0 for the first level."""
        return micros(self.from_[level]) if level in self.from_ else 0

    def keeps(self, level: str, value: int) -> bool:
        """Return whether a tracker's value, in millionths, keeps a level in a review."""
        least = (self.keep_from or {}).get(level)
        return value >= (micros(least) if least is not None else self.threshold(level))
