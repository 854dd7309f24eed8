"""The parts of a program, each with its JSON path."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

import attrs

from loyalty_rules.errors import path_step
from loyalty_rules.keys import action_key
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import BaseValue, LineBase
from loyalty_rules.rules.conditions import AllOf, AnyOf, BaseTest, Condition, LineTest, Not
from loyalty_rules.rules.coupons import StoredValue
from loyalty_rules.rules.promotions import Action, CouponAction, CurrencyAction, Promotion, SpendAction
from loyalty_rules.rules.proration import Proration
from loyalty_rules.rules.timing import TransactionUpdate

__all__ = [
    "LINE",
    "SALE",
    "ActionPlace",
    "Circumstances",
    "Leaf",
    "actions_of",
    "conditions_of",
    "keyed",
    "leaves_of",
    "promotions_of",
]


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Part = TypeVar("Part", bound=_HasId)


@attrs.frozen
class Circumstances:
    """The subject of a condition: an event of the type `trigger` (only a sale has an amount and lines), or a line."""

    trigger: str = "transaction"
    of_line: bool = False

    @property
    def is_sale(self) -> bool:
        """Whether the event is a sale, which has an amount and lines."""
        return self.trigger == "transaction"


SALE = Circumstances()
LINE = Circumstances(of_line=True)


@attrs.frozen
class ActionPlace:
    """An action with its path and its promotion."""

    path: str
    promotion: Promotion
    action: Action

    @property
    def key(self) -> str:
        """The name of the action as `awarded` has it: `PROMOTION/ACTION`."""
        return action_key(self.promotion.id, self.action.id)

    @property
    def proration(self) -> Proration | None:
        """The proration of the action; None if it has none, or a plain number in its place."""
        amount = getattr(self.action, self._amount_key, None)
        return amount if isinstance(amount, Proration) else None

    @property
    def proration_path(self) -> str:
        """The path of the proration, also if there is a plain number in its place."""
        return f"{self.path}.{self._amount_key}"

    @property
    def _amount_key(self) -> str:
        return {CouponAction: "quantity", SpendAction: "amount"}.get(type(self.action), "proration")

    @property
    def base(self) -> BaseValue | None:
        """The base of the proration, or None if the amount is fixed."""
        return self.proration.of if self.proration is not None else None


def promotions_of(program: Program) -> Iterator[tuple[str, Promotion]]:
    """Yield each promotion with its path."""
    for index, promotion in enumerate(program.promotions):
        yield f"$.promotions[{index}]", promotion


def actions_of(program: Program) -> Iterator[ActionPlace]:
    """Yield each action with its path."""
    for path, promotion in promotions_of(program):
        for index, action in enumerate(promotion.actions):
            yield ActionPlace(f"{path}.actions[{index}]", promotion, action)


def keyed(name: str, parts: Iterable[Part]) -> Iterator[tuple[str, Part]]:
    """Yield each part that a document writes under its id, with its path: limits, trackers, coupon types."""
    for part in parts:
        yield f"$.{name}{path_step(part.id)}", part


@attrs.frozen
class Leaf:
    """One test of a condition with its path. If `wanted` is false, it stands under an odd number of `not`."""

    path: str
    test: Condition
    where: Circumstances
    wanted: bool


def leaves_of(condition: Condition, path: str, where: Circumstances = SALE, wanted: bool = True) -> Iterator[Leaf]:
    """Yield each test of a condition that has no parts of its own, and the tests on lines in a test of lines."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            word = "all" if isinstance(condition, AllOf) else "any"
            for index, part in enumerate(parts):
                yield from leaves_of(part, f"{path}.{word}[{index}]", where, wanted)
        case Not(part):
            yield from leaves_of(part, f"{path}.not", where, not wanted)
        case LineTest():
            yield Leaf(path, condition, where, wanted)
            yield from leaves_of(condition.lines, f"{path}.lines", LINE)
        case BaseTest(base=base):
            yield Leaf(path, condition, where, wanted)
            if isinstance(base, LineBase) and base.lines is not None:
                yield from leaves_of(base.lines, f"{path}.base.lines", LINE)
        case _:
            yield Leaf(path, condition, where, wanted)


def conditions_of(program: Program) -> Iterator[tuple[str, Condition, Circumstances]]:
    """Yield every condition of a program with its path and its subject."""
    for path, currency in keyed("currencies", program.currencies):
        if currency.redeem is not None and currency.redeem.not_for is not None:
            yield f"{path}.redeem.not_for", currency.redeem.not_for, LINE
    for path, tracker in keyed("trackers", program.trackers):
        if tracker.when is not None:
            yield f"{path}.when", tracker.when, SALE
        if isinstance(tracker.measure, LineBase) and tracker.measure.lines is not None:
            yield f"{path}.measure.lines", tracker.measure.lines, LINE
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        benefit = coupon_type.benefit
        lines = getattr(benefit, "lines", None)
        if lines is not None:
            yield f"{path}.benefit.lines", lines, LINE
        if isinstance(benefit, StoredValue) and isinstance(benefit.amount, LineBase) and benefit.amount.lines:
            yield f"{path}.benefit.amount.lines", benefit.amount.lines, LINE
        if coupon_type.redemption.when is not None:
            yield f"{path}.redemption.when", coupon_type.redemption.when, SALE
    for path, promotion in promotions_of(program):
        if promotion.when is not None:
            yield f"{path}.when", promotion.when, Circumstances(promotion.trigger)
    for place in actions_of(program):
        if isinstance(place.base, LineBase) and place.base.lines is not None:
            yield f"{place.proration_path}.of.lines", place.base.lines, LINE
        if isinstance(place.action, CurrencyAction) and isinstance(place.action.timing, TransactionUpdate):
            yield f"{place.path}.timing.when", place.action.timing.when, Circumstances(place.promotion.trigger)
