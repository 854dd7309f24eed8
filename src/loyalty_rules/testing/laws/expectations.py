"""Expectations: facts about a program that only its team knows, such as budgets and intended overlaps."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, get_args

import attrs
from attrs.converters import optional

from loyalty_rules.errors import InvalidValueError, describe, shorten
from loyalty_rules.keys import action_key
from loyalty_rules.paths import actions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.skips import Reason
from loyalty_rules.values.amounts import read_non_negative
from loyalty_rules.values.checked import checked, nearest

__all__ = ["ANYTHING", "Expectations"]


def _read_names(value: Iterable[str]) -> frozenset[str]:
    return frozenset(_texts(value))


def _read_pairs(value: Iterable[Iterable[str]]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset(_texts(pair)) for pair in value)


def _texts(value: Iterable[str]) -> Iterator[str]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise InvalidValueError("", "not_a_list", f"expected a list of texts, found {describe(value)}")
    for each in value:
        if not isinstance(each, str):
            raise InvalidValueError("", "not_a_text", f"expected a text, found {describe(each)}")
        yield each


def _read_budgets(value: Mapping[str, Any]) -> Mapping[str, Decimal]:
    return {name: read_non_negative(most) for name, most in value.items()}


@attrs.frozen(field_transformer=checked, kw_only=True)
class Expectations:
    """The expectations of a team of its program.

    `apart_from`: promotions, or single actions (`PROMOTION/ACTION`), that the laws on baskets and returns do not count,
    such as a bonus for each visit. `together`: pairs of promotions that may both issue on one receipt; None allows
    all pairs. `reasons`: the reasons for which an action may be skipped; None allows all, except an expiry that is past
    by the program's own dates. `budgets`: the maximum total issue by currency, coupon type, promotion or
    `PROMOTION/ACTION`.
    """

    apart_from: frozenset[str] = attrs.field(default=frozenset(), converter=_read_names)
    together: frozenset[frozenset[str]] | None = attrs.field(default=None, converter=optional(_read_pairs))
    reasons: frozenset[str] | None = attrs.field(default=None, converter=optional(_read_names))
    budgets: Mapping[str, Decimal] = attrs.field(factory=dict, converter=_read_budgets)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Expectations":
        """Read expectations from a document with the same keys; raise `InvalidValueError` for an unknown key."""
        known = [field.name for field in attrs.fields(cls)]
        for key in document:
            if key not in known:
                raise InvalidValueError("", "unknown_key", f"expected one of {', '.join(known)}; found {shorten(key)}")
        return cls(**document)

    def check(self, program: Program) -> None:
        """Raise `InvalidValueError` for a name that the program does not have."""
        promotions = {promotion.id for promotion in program.promotions}
        actions = {place.key for place in actions_of(program)}
        issued = {each.id for each in program.currencies} | {each.id for each in program.coupon_types}
        _known("apart_from", self.apart_from, promotions | actions)
        _known("together", {name for pair in self.together or () for name in pair}, promotions)
        _known("reasons", self.reasons or (), set(get_args(Reason)))
        _known("budgets", self.budgets, promotions | actions | issued)

    def has_none_for(self, law: str) -> bool:
        """Return True if a law needs an expectation that is not given."""
        return (law == "budgets" and not self.budgets) or (law == "overlapping" and self.together is None)

    def counts(self, promotion: str, action: str) -> bool:
        """Return True if the laws on baskets and returns count an action."""
        return promotion not in self.apart_from and action_key(promotion, action) not in self.apart_from


def _known(key: str, names: Collection[str], known: set[str]) -> None:
    for name in sorted(names):
        if name not in known:
            near = nearest(name, sorted(known))
            hint = f"; did you mean {near!r}?" if near else ""
            raise InvalidValueError(
                key, "unknown_reference", f"expected a name of the program, found {shorten(name)}{hint}"
            )


ANYTHING = Expectations()
"""No expectations: the default of each."""
