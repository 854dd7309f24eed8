"""What a program means: every reference resolved, every policy bound, once; and which promotions an event can reach.

A plan holds no state between evaluations and may be shared by threads.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import attrs

from loyalty_rules.amounts import MICRO, Ratio, micros
from loyalty_rules.base_values import (
    LineItemExtendedField,
    LineItemQuantity,
    LineItemValue,
    Parts,
    bind_base,
    bind_parts,
)
from loyalty_rules.caps import Limit
from loyalty_rules.counters import Counter, cap_counters, coupon_counters, limit_counter, tracker_counter
from loyalty_rules.coupons import CouponType
from loyalty_rules.dates import day_after, start_of_day
from loyalty_rules.events import Activity, Snapshot, Transaction
from loyalty_rules.facts import Facts, Standing
from loyalty_rules.index import Index
from loyalty_rules.predicates import Predicate, bind
from loyalty_rules.promotions import Action, CouponAction, Currency, CurrencyAction, Promotion
from loyalty_rules.proration import Fixed, Proration, Steps, bind_proration, rounds_base
from loyalty_rules.rounding import Rounding
from loyalty_rules.trackers import Tracker, bind_tracker

__all__ = ["Award", "BoundCouponAction", "BoundCurrencyAction", "BoundPromotion", "Plan"]

BASE_OF_LINES = (LineItemValue, LineItemQuantity, LineItemExtendedField)
_MOST_REMEMBERED_DAYS = 4_096


@attrs.frozen
class Award:
    """How an action's amount comes about, bound: from a base as a whole or line by line, or fixed (no base)."""

    proration: Proration
    steps: Steps
    base: Callable[[Facts, dict[str, int]], Ratio] | None = None
    parts: Callable[[Facts], Parts] | None = None
    each_line: bool = False


@attrs.frozen
class BoundCurrencyAction:
    """An action that issues currency, with what it refers to."""

    key: str
    action: CurrencyAction
    decimals: int
    award: Award
    limits: tuple[Limit, ...]


@attrs.frozen
class BoundCouponAction:
    """An action that issues coupons, with what it refers to; `award` is None where the quantity is a plain number."""

    key: str
    action: CouponAction
    coupon_type: CouponType
    award: Award | None


@attrs.frozen
class BoundPromotion:
    """A promotion with its condition and actions bound."""

    promotion: Promotion
    condition: Predicate | None
    actions: tuple[BoundCurrencyAction | BoundCouponAction, ...]

    def fires(self, facts: Facts) -> bool:
        """Say whether the active window holds the event and the condition holds (the trigger is in the index)."""
        return self.is_active(facts) and (self.condition is None or self.condition(facts))

    def is_active(self, facts: Facts) -> bool:
        occurred_at, promotion = facts.event.occurred_at, self.promotion
        return (promotion.starts_at is None or promotion.starts_at <= occurred_at) and (
            promotion.ends_at is None or occurred_at < promotion.ends_at
        )


class Plan:
    """A compiled program."""

    def __init__(
        self,
        *,
        program: str,
        time_zone: str,
        money: str | None,
        currencies: Sequence[Currency],
        limits: Sequence[Limit],
        trackers: Sequence[Tracker],
        coupon_types: Sequence[CouponType],
        promotions: Sequence[Promotion],
    ) -> None:
        self.program = program
        self.money = money
        self.zone = ZoneInfo(time_zone)
        self.limits = tuple(limits)
        self.trackers = tuple(trackers)
        self._currencies = {currency.id: currency for currency in currencies}
        self._coupon_types = {coupon_type.id: coupon_type for coupon_type in coupon_types}
        self._standings: Mapping[str, Callable[[Facts], Standing]] = {each.id: bind_tracker(each) for each in trackers}
        self.promotions = tuple(self._bind_promotion(promotion) for promotion in promotions)
        self._indexes = self._index(promotions)
        self._ends_of_days: dict[date, datetime] = {}

    def facts(self, event: Transaction | Activity, snapshot: Snapshot) -> Facts:
        """Look at an event from this program's zone, in its money."""
        return Facts(event, snapshot, self.zone, self.money, self._standings)

    def reached(self, facts: Facts) -> list[BoundPromotion]:
        """Give the promotions that the event triggers and can reach, in the order of the document."""
        index = self._indexes.get(facts.event.type)
        return [self.promotions[position] for position in index.reached(facts)] if index is not None else []

    def counters(self, facts: Facts) -> list[Counter]:
        """Name what the event's snapshot is made of: trackers, and the caps of the promotions that it can reach."""
        counters: dict[str, Counter] = {}
        if facts.member is not None:
            for tracker in self.trackers:
                counter = tracker_counter(tracker, facts.member.id, facts.event_on)
                counters[counter.name] = counter
        for bound in self.reached(facts):
            for action in bound.actions:
                for counter in _counters_of(action, facts):
                    counters[counter.name] = counter
        return list(counters.values())

    def start_of(self, day: date) -> datetime:
        """Give the first instant of a local day."""
        return start_of_day(day, self.zone)

    def end_of(self, day: date) -> datetime:
        """Give the instant at which a local day has ended: the zone is asked once a day, not once an issue."""
        end = self._ends_of_days.get(day)
        if end is None:
            if len(self._ends_of_days) >= _MOST_REMEMBERED_DAYS:
                self._ends_of_days.clear()
            end = self._ends_of_days[day] = day_after(day, self.zone)
        return end

    def _index(self, promotions: Sequence[Promotion]) -> Mapping[str, Index]:
        by_trigger: dict[str, list[int]] = {}
        for position, promotion in enumerate(promotions):
            by_trigger.setdefault(promotion.trigger, []).append(position)
        return {
            trigger: Index.of([(position, promotions[position].when) for position in positions])
            for trigger, positions in by_trigger.items()
        }

    def _bind_promotion(self, promotion: Promotion) -> BoundPromotion:
        condition = bind(promotion.when) if promotion.when is not None else None
        actions = tuple(self._bind_action(f"{promotion.id}/{action.id}", action) for action in promotion.actions)
        return BoundPromotion(promotion, condition, actions)

    def _bind_action(self, key: str, action: Action) -> BoundCurrencyAction | BoundCouponAction:
        if isinstance(action, CurrencyAction):
            decimals = self._currencies[action.currency].decimals
            limits = tuple(limit for limit in self.limits if limit.currency == action.currency)
            return BoundCurrencyAction(
                key, action, decimals, bind_award(action.proration, action.rounding, decimals), limits
            )
        coupon_type = self._coupon_types[action.coupon_type]
        quantity = action.quantity
        award = (
            None
            if isinstance(quantity, int)
            else bind_award(quantity, Rounding(action.rounding.value, action.rounding.currency), 0)
        )
        return BoundCouponAction(key, action, coupon_type, award)


def _counters_of(action: BoundCurrencyAction | BoundCouponAction, facts: Facts) -> Iterator[Counter]:
    if isinstance(action, BoundCouponAction):
        for _, counter in coupon_counters(action.coupon_type, facts):
            yield counter
        return
    caps = action.action.caps
    for _, counter in cap_counters(action.key, caps.per_member, caps.total, facts):
        yield counter
    for limit in action.limits:
        limited = limit_counter(limit, facts)
        if limited is not None:
            yield limited


def bind_award(proration: Proration, rounding: Rounding, decimals: int) -> Award:
    """Bind a proration with its rounding to a currency of so many decimals."""
    if isinstance(proration, Fixed):
        amount = micros(proration.amount), MICRO
        return Award(proration, Steps(lambda _base: amount, rounding, round_base=False, decimals=decimals))
    of = proration.of
    steps = Steps(bind_proration(proration), rounding, rounds_base(of), decimals)
    if isinstance(of, BASE_OF_LINES):
        return Award(proration, steps, bind_base(of), bind_parts(of), of.aggregate == "each_line")
    return Award(proration, steps, bind_base(of))
