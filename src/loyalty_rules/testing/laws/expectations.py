"""What a team means, where a law alone can't know: which actions pay by the visit, what may come together, budgets."""

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
    """What is meant.

    `apart_from`: promotions, or single actions (`PROMOTION/ACTION`), that the laws on baskets and returns don't count:
    a bonus for each visit, points that are kept. `together`: pairs of promotions that may both give on one receipt;
    None where any may. `reasons`: the reasons for which an action may be skipped; None where any is meant but an expiry
    that is past by the program's own dates. `budgets`: the most that may be issued in all, by currency, coupon type,
    promotion or `PROMOTION/ACTION`.
    """

    apart_from: frozenset[str] = attrs.field(default=frozenset(), converter=_read_names)
    together: frozenset[frozenset[str]] | None = attrs.field(default=None, converter=optional(_read_pairs))
    reasons: frozenset[str] | None = attrs.field(default=None, converter=optional(_read_names))
    budgets: Mapping[str, Decimal] = attrs.field(factory=dict, converter=_read_budgets)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Expectations":
        """Read it from a document with the same keys; raises `InvalidValueError` for a key that there is not."""
        known = [field.name for field in attrs.fields(cls)]
        for key in document:
            if key not in known:
                raise InvalidValueError("", "unknown_key", f"there is no {shorten(key)}; there is {', '.join(known)}")
        return cls(**document)

    def check(self, program: Program) -> None:
        """Raise `InvalidValueError` where a name stands for nothing of the program."""
        promotions = {promotion.id for promotion in program.promotions}
        actions = {place.key for place in actions_of(program)}
        issued = {each.id for each in program.currencies} | {each.id for each in program.coupon_types}
        _known("apart_from", self.apart_from, promotions | actions)
        _known("together", {name for pair in self.together or () for name in pair}, promotions)
        _known("reasons", self.reasons or (), set(get_args(Reason)))
        _known("budgets", self.budgets, promotions | actions | issued)

    def is_silent_on(self, law: str) -> bool:
        """Say whether a law has nothing to go by, since it asks for what only a team can say."""
        return (law == "budgets" and not self.budgets) or (law == "overlapping" and self.together is None)

    def counts(self, promotion: str, action: str) -> bool:
        """Say whether the laws on baskets and returns count an action."""
        return promotion not in self.apart_from and action_key(promotion, action) not in self.apart_from


def _known(key: str, names: Collection[str], known: set[str]) -> None:
    for name in sorted(names):
        if name not in known:
            near = nearest(name, sorted(known))
            hint = f"; did you mean {near!r}?" if near else ""
            raise InvalidValueError(key, "unknown_reference", f"nothing of the program is named {shorten(name)}{hint}")


ANYTHING = Expectations()
"""What is meant where nobody has said anything."""
