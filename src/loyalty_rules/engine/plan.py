"""The compiled program: every reference resolved and every policy bound, once, and an index of the promotions.

Threads may share a plan: it keeps no state between evaluations, apart from a cache of the ends of days.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import attrs

from loyalty_rules.engine.account_actions import AccountActions, payers_of, recipient_in
from loyalty_rules.engine.award_trackers import award_trackers
from loyalty_rules.engine.counters import Counter, cap_counters, coupon_counters, limit_counter, tracker_counter
from loyalty_rules.engine.index import Index
from loyalty_rules.engine.reading import bases_beside_awards, conditions_on_events
from loyalty_rules.events import Activity, Snapshot, Transaction
from loyalty_rules.intents import Release
from loyalty_rules.keys import action_key, split_action_key
from loyalty_rules.rules.base_values import (
    Balance,
    BaseValue,
    BoundBase,
    LineBase,
    LineItemExtendedField,
    Parts,
    bind_balance,
    bind_base,
    bind_parts,
    describe_base,
)
from loyalty_rules.rules.caps import NO_CAPS, Limit
from loyalty_rules.rules.comparisons import Subject
from loyalty_rules.rules.conditions import Comparison, parts_of
from loyalty_rules.rules.coupons import CouponType, StoredValue
from loyalty_rules.rules.expiry import (
    Rolling,
    Until,
    bind_expiry,
    bind_expiry_of_another,
    bind_extension,
    bind_last_day,
)
from loyalty_rules.rules.facts import Facts, Standing
from loyalty_rules.rules.groups import Group
from loyalty_rules.rules.predicates import event_subject
from loyalty_rules.rules.promotions import (
    Action,
    CouponAction,
    Currency,
    CurrencyAction,
    ExtensionAction,
    FieldRecipient,
    Promotion,
    SpendAction,
)
from loyalty_rules.rules.proration import (
    AmountOf,
    Proration,
    Steps,
    bind_amount,
    bind_resolution,
    bind_steps,
    describe_proration,
    rounds_base,
)
from loyalty_rules.rules.rounding import Rounding, quantize_to_micros, round_to_units
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.rules.timing import Immediate, Schedule, Timing, TransactionUpdate, bind_timing
from loyalty_rules.rules.trackers import Tracker, bind_tracker
from loyalty_rules.values.amounts import MICRO, Ratio, micros, micros_text
from loyalty_rules.values.apportionment import unit_of
from loyalty_rules.values.dates import day_after, start_of_day

__all__ = [
    "Award",
    "BoundAction",
    "BoundCouponAction",
    "BoundCurrencyAction",
    "BoundExtensionAction",
    "BoundPromotion",
    "BoundSpendAction",
    "BoundTier",
    "Plan",
]

T = TypeVar("T")

_MAX_CACHED_DAYS = 4_096
_MAX_CACHED_AWARDS = 1_024


@attrs.frozen(eq=False)
class Award:
    """The bound calculation of an action's amount.

    `base` returns the base of an event, unless the base is computed over lines; then `parts` returns the parts of its
    lines, and `base` is not used. `amount_of` converts a base to the amount, in whole millionths. If `each_line` is
    true, `steps` converts the part of each line to an exact amount instead, and the sum is quantized to millionths.
    If `each_unit` is true, too, `steps` converts the part of one unit, and the amount is multiplied by their number.

    `resolve` returns the award of an event if its percentages or bands depend on the event; nothing else is used then.
    """

    proration: Proration
    rounding: Rounding
    decimals: int
    amount_of: AmountOf
    steps: Steps
    base: Callable[[Facts, dict[str, int]], Ratio]
    parts: Callable[[Facts], Parts] | None = None
    each_line: bool = False
    each_unit: bool = False
    resolve: "Callable[[Facts], Award] | None" = None


@attrs.frozen(eq=False)
class BoundCurrencyAction:
    """An action that issues currency, with all its references resolved.

    `unit` is the last decimal of the currency, in millionths. `schedule` returns the dates of the issue, `until` its
    last valid date. `release` is the event that releases a promise, None for an immediate issue. `rolling` is the
    expiry if it also extends other lots, `extension` the date that it extends them to. `is_capped` is false if no cap
    and no limit can trim the amount. `recipient` is the field with the id of the recipient, None for the event's own
    accounts. `paid_by` has the keys of the actions whose spends pay for the issue.
    """

    key: str
    action: CurrencyAction
    decimals: int
    unit: int
    award: Award
    schedule: Callable[[Facts], Schedule]
    release: Release | None
    until: Until
    rolling: Rolling | None
    limits: tuple[Limit, ...]
    is_capped: bool
    extension: Callable[[date], date] | None = None
    recipient: Subject | None = None
    paid_by: tuple[str, ...] = ()


@attrs.frozen(eq=False)
class BoundCouponAction:
    """An action that issues coupons, with all its references resolved; `award` is None if the quantity is a number.

    `worth` is the base of a stored value that depends on the event, None if there is none.
    """

    key: str
    action: CouponAction
    coupon_type: CouponType
    until: Until
    award: Award | None
    worth: BoundBase | None
    paid_by: tuple[str, ...] = ()


@attrs.frozen(eq=False)
class BoundExtensionAction:
    """An action that extends the member's live lots; `until` returns the date from the event date."""

    key: str
    action: ExtensionAction
    until: Callable[[date], date]


@attrs.frozen(eq=False)
class BoundSpendAction:
    """An action that spends a currency; `amount` is in millionths, None if the amount is an award.

    `issues` and `spends` are the actions of the program that add to the member's own balance, or take from it.
    `extension` returns the date to which a spend extends the units that are left.
    """

    key: str
    action: SpendAction
    amount: int | None
    award: Award | None
    issues: tuple[str, ...]
    spends: tuple[str, ...]
    extension: Callable[[date], date] | None
    scope: Literal["balance", "rolling_lots"]


BoundAction: TypeAlias = BoundCurrencyAction | BoundCouponAction | BoundExtensionAction | BoundSpendAction


@attrs.frozen(eq=False)
class BoundPromotion:
    """A promotion with its actions bound; its window and condition are bound in the index.

    `spends` are its actions that spend a currency, `paid` the ids of the actions that these pay for.
    """

    promotion: Promotion
    actions: tuple[BoundAction, ...]
    spends: tuple[BoundSpendAction, ...] = ()
    paid: frozenset[str] = frozenset()


@attrs.frozen(eq=False)
class BoundTier:
    """A tier, and the function that returns the last day of a level from the date on which it is reached or judged."""

    tier: Tier
    until: Callable[[date], date | None]


class Plan:
    """A compiled program. Its pickle contains the parts of the program; unpickling compiles them again."""

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
        groups: Sequence[Group] = (),
        tiers: Sequence[Tier] = (),
    ) -> None:
        self.program = program
        self.money = money
        self.zone = ZoneInfo(time_zone)
        self.limits = tuple(limits)
        self.trackers = tuple(trackers)
        self._currencies = {currency.id: currency for currency in currencies}
        self._coupon_types = {coupon_type.id: coupon_type for coupon_type in coupon_types}
        self._standings: Mapping[str, Callable[[Facts], Standing]] = {each.id: bind_tracker(each) for each in trackers}
        self._levels = {tier.id: tier.levels for tier in tiers}
        of_groups = {tracker.id for tracker in trackers if tracker.per == "member_group"}
        self._tiers_of_groups = frozenset(tier.id for tier in tiers if tier.by in of_groups)
        self.award_trackers = award_trackers(trackers)
        self._account_actions = AccountActions.of(promotions)
        self.groups = {group.id: group for group in groups}
        self.tiers = tuple(BoundTier(tier, bind_last_day(tier.lasts)) for tier in tiers)
        self._conditions = tuple(conditions_on_events(trackers, promotions))
        self.promotions = self._bind(promotions)
        self._actions = {action.key: action for bound in self.promotions for action in bound.actions}
        self.recipients = tuple(
            {
                action.action.recipient: action.recipient
                for action in self._actions.values()
                if isinstance(action, BoundCurrencyAction) and action.recipient is not None
            }.values()
        )
        self.has_groups = any(each.exclusive is not None for each in promotions)
        self._indexes = _index(promotions)
        self._starts_of_days: dict[date, datetime] = {}
        self._ends_of_days: dict[date, datetime] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        parts = {
            "program": self.program,
            "time_zone": self.zone.key,
            "money": self.money,
            "currencies": tuple(self._currencies.values()),
            "limits": self.limits,
            "trackers": self.trackers,
            "coupon_types": tuple(self._coupon_types.values()),
            "promotions": tuple(bound.promotion for bound in self.promotions),
            "groups": tuple(self.groups.values()),
            "tiers": tuple(bound.tier for bound in self.tiers),
        }
        return _compiled, (parts,)

    def describe(self) -> str:
        """Return the compiled program as text: the path to each promotion, its remaining tests, and its actions.

        A promotion that is not below a `where` is tested for every event of its trigger; many of those make a large
        program slow.
        """
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        names = [bound.promotion.id for bound in self.promotions]
        for trigger, index in self._indexes.items():
            yield f"{trigger}:"
            yield from index.describe(names)
        yield "actions:"
        for bound in self.promotions:
            yield from (f"  {_describe_action(action)}" for action in bound.actions)

    def action(self, key: str) -> BoundAction:
        """Return the action of a key `PROMOTION/ACTION`; raise `LookupError` if the program has no such action."""
        try:
            return self._actions[key]
        except KeyError:
            raise LookupError(f"the program has no action {key}") from None

    @functools.cached_property
    def balances(self) -> tuple[str, ...]:
        """The currencies of which a base, a spend or a condition reads the balance of the member's account."""
        read = {base.currency for base in self._bases() if isinstance(base, Balance)}
        read |= {currency for _, currency in self._account_actions.spent}
        paths = (part.field for each in self._conditions for part in parts_of(each) if isinstance(part, Comparison))
        read |= {path.removeprefix("balances.") for path in paths if path.startswith("balances.")}
        return tuple(sorted(read))

    @functools.cached_property
    def line_fields(self) -> frozenset[str]:
        """The number fields of lines that some base of the program reads."""
        return frozenset(base.field for base in self._bases() if isinstance(base, LineItemExtendedField))

    def _bases(self) -> Iterator[object]:
        bound = (action for action in self._actions.values() if not isinstance(action, BoundExtensionAction))
        yield from (action.award.proration.of for action in bound if action.award is not None)
        yield from bases_beside_awards(self.trackers, self._coupon_types.values(), self._conditions)

    def facts(self, event: Transaction | Activity, snapshot: Snapshot) -> Facts:
        """Return the facts of an event in this program's time zone and money."""
        return Facts(event, snapshot, self.zone, self.money, self._standings, self._levels, self._tiers_of_groups)

    def reached(self, facts: Facts) -> list[BoundPromotion]:
        """Return the promotions of the event's trigger that it reaches in the index, in the order of the document."""
        index = self._indexes.get(facts.event.type)
        positions = sorted({candidate[0] for candidate in index.reached(facts)}) if index is not None else []
        return [self.promotions[position] for position in positions]

    def fired(self, facts: Facts) -> list[BoundPromotion]:
        """Return the promotions that fire, in the order of the document: their trigger, window and condition match."""
        index = self._indexes.get(facts.event.type)
        return [self.promotions[position] for position in index.fired(facts)] if index is not None else []

    def recipients_of(self, facts: Facts) -> list[str]:
        """Return the members whom fields of an event name as recipients of an action of the program."""
        named = [recipient_in(each, facts) for each in self.recipients]
        return [*dict.fromkeys(each for each in named if each is not None)]

    def counters(self, facts: Facts) -> list[Counter]:
        """Return the counters of the event's snapshot: those of trackers, and those of promotions that it reaches."""
        counters: dict[str, Counter] = {}
        if facts.member is not None:
            for tracker in self.trackers:
                holder = tracker.holder(facts.member)
                if holder is not None:
                    counter = tracker_counter(tracker, holder, facts.event_on)
                    counters[counter.name] = counter
        limits: set[str] = set()  # already included: most actions have the same limits
        for bound in self.reached(facts):
            for action in bound.actions:
                for counter in _counters_of(action, facts, limits):
                    counters[counter.name] = counter
        return list(counters.values())

    def start_of(self, day: date) -> datetime:
        """Return the first instant of a local day, cached: a look-up in the time zone is slow."""
        return self._cached(self._starts_of_days, start_of_day, day)

    def end_of(self, day: date) -> datetime:
        """Return the end of a local day, cached: the first instant of the next day."""
        return self._ends_of_days.get(day) or self._cached(self._ends_of_days, day_after, day)

    def _cached(
        self, cache: dict[date, datetime], instant_of: Callable[[date, ZoneInfo], datetime], day: date
    ) -> datetime:
        instant = cache.get(day)
        if instant is None:
            if len(cache) >= _MAX_CACHED_DAYS:
                cache.clear()
            instant = cache[day] = instant_of(day, self.zone)
        return instant

    def _bind(self, promotions: Sequence[Promotion]) -> tuple[BoundPromotion, ...]:
        binder = _Binder(self._account_actions)
        return tuple([self._bind_promotion(promotion, binder) for promotion in promotions])

    def _bind_promotion(self, promotion: Promotion, binder: "_Binder") -> BoundPromotion:
        payers = payers_of(promotion)
        actions = tuple(
            [
                self._bind_action(action_key(promotion.id, each.id), each, binder, payers.get(each.id, ()))
                for each in promotion.actions
            ]
        )
        spends = tuple([each for each in actions if isinstance(each, BoundSpendAction)])
        return BoundPromotion(promotion, actions, spends, frozenset(payers))

    def _bind_action(self, key: str, action: Action, binder: "_Binder", paid_by: tuple[str, ...]) -> BoundAction:
        if isinstance(action, ExtensionAction):
            return BoundExtensionAction(key, action, binder.once(bind_extension, action.after, action.through))
        if isinstance(action, SpendAction):
            return self._bind_spend(key, action, binder)
        if isinstance(action, CurrencyAction):
            rolling = action.expiry if isinstance(action.expiry, Rolling) else None
            named = isinstance(action.recipient, FieldRecipient)
            decimals = self._currencies[action.currency].decimals
            limits = tuple(limit for limit in self.limits if limit.currency == action.currency)
            return BoundCurrencyAction(
                key,
                action,
                decimals,
                unit_of(0, decimals),
                binder.award(key, action.proration, action.rounding, decimals),
                binder.once(bind_timing, action.timing),
                binder.once(_release_of, action.timing),
                binder.once(bind_expiry_of_another if named else bind_expiry, action.expiry),
                rolling,
                limits,
                bool(limits) or action.caps != NO_CAPS,
                binder.once(bind_extension, rolling.after, rolling.through) if rolling is not None else None,
                event_subject(action.recipient.field) if isinstance(action.recipient, FieldRecipient) else None,
                paid_by,
            )
        coupon_type, quantity = self._coupon_types[action.coupon_type], action.quantity
        rounding = Rounding(action.rounding.value, action.rounding.currency)
        award = binder.award(key, quantity, rounding, 0) if not isinstance(quantity, int) else None
        until = binder.once(bind_expiry, coupon_type.validity.expiry)
        return BoundCouponAction(
            key, action, coupon_type, until, award, self._worth_of(key, coupon_type, binder), paid_by
        )

    def _worth_of(self, key: str, coupon_type: CouponType, binder: "_Binder") -> BoundBase | None:
        benefit = coupon_type.benefit
        if isinstance(benefit, StoredValue) and not isinstance(benefit.amount, Decimal):
            return binder.base(key, benefit.amount)
        return None

    def _bind_spend(self, key: str, action: SpendAction, binder: "_Binder") -> BoundSpendAction:
        currency = self._currencies[action.currency]
        amount = award = None
        if isinstance(action.amount, Decimal):
            exact = micros(action.amount), MICRO
            amount = quantize_to_micros(round_to_units(exact, action.rounding.currency, currency.decimals))
        else:
            award = binder.award(key, action.amount, action.rounding, currency.decimals)
        extends = currency.redeem.extends if currency.redeem is not None else None
        return BoundSpendAction(
            key,
            action,
            amount,
            award,
            self._account_actions.issues(currency.id),
            self._account_actions.spends(currency.id),
            binder.once(bind_extension, extends.after, extends.through) if extends is not None else None,
            extends.scope if extends is not None else "balance",
        )


def _compiled(parts: Mapping[str, Any]) -> Plan:
    return Plan(**parts)


class _Binder:
    """A cache of bound policies: equal policies in a thousand promotions are bound once."""

    def __init__(self, account_actions: "AccountActions") -> None:
        self.cache: dict[Any, Any] = {}
        self.account_actions = account_actions

    def once(self, bind: Callable[..., T], *terms: Any) -> T:
        """Return `bind(*terms)`, computed once for equal terms."""
        if (bind, terms) not in self.cache:
            self.cache[bind, terms] = bind(*terms)
        bound: T = self.cache[bind, terms]
        return bound

    def award(self, key: str, proration: Proration, rounding: Rounding, decimals: int) -> Award:
        """Bind the calculation of an amount of the action `key`.

        Its rounding and proration do not depend on the selected lines, so awards on different lines share them.
        """
        if isinstance(proration.of, Balance):  # the only base that differs from one promotion to the next
            return self.once(self._award, proration, rounding, decimals, split_action_key(key)[0])
        return self.once(self._award, proration, rounding, decimals)

    def _award(self, proration: Proration, rounding: Rounding, decimals: int, promotion: str = "") -> Award:
        resolve = bind_resolution(proration)
        if resolve is None:
            return self._award_of(proration, rounding, decimals, promotion)
        resolved: dict[Proration, Award] = {}

        def award_of(facts: Facts) -> Award:
            of_event = resolve(facts)
            award = resolved.get(of_event)
            if award is None:
                if len(resolved) >= _MAX_CACHED_AWARDS:
                    resolved.clear()
                award = resolved[of_event] = self._award_of(of_event, rounding, decimals, promotion)
            return award

        return Award(proration, rounding, decimals, _unresolved, _unresolved, _no_base, resolve=award_of)

    def _award_of(self, proration: Proration, rounding: Rounding, decimals: int, promotion: str) -> Award:
        of = proration.of
        if of is None:
            return self._bound(proration, proration, rounding, decimals, _no_base)
        if isinstance(of, LineBase):
            # A fixed amount has no base, so this proration is another one, which has the field `of`.
            shared = attrs.evolve(proration, of=attrs.evolve(of, lines=None))  # type: ignore[arg-type]
            parts, by_line = self.once(bind_parts, of), of.aggregate != "total"
            return self._bound(
                proration, shared, rounding, decimals, _no_base, parts, by_line, of.aggregate == "each_unit"
            )
        return self._bound(proration, proration, rounding, decimals, self.base(promotion, of))

    def base(self, key: str, of: BaseValue) -> BoundBase:
        """Bind a base of an action `key`, or of its promotion."""
        if isinstance(of, Balance):
            actions, promotion = self.account_actions, key.partition("/")[0]
            return bind_balance(of, actions.issues(of.currency), actions.spends(of.currency, promotion))
        return self.once(bind_base, of)

    def _bound(self, proration: Proration, shared: Proration, rounding: Rounding, decimals: int, *base: Any) -> Award:
        # Shared by all events and actions, unless the proration was made for one event.
        amount_of = self.once(bind_amount, shared, rounding, decimals)
        steps = self.once(bind_steps, shared, rounding, decimals)
        return Award(proration, rounding, decimals, amount_of, steps, *base)


def _unresolved(*_base: Any) -> Any:
    raise AssertionError("the award of an event has to be resolved first")


def _release_of(timing: Timing) -> Release | None:
    if isinstance(timing, Immediate):
        return None
    return Release(timing.type, timing.when if isinstance(timing, TransactionUpdate) else None)  # type: ignore[arg-type]


def _no_base(_facts: Facts, _awarded: dict[str, int]) -> Ratio:
    return 0, 1


def _describe_action(action: BoundAction) -> str:
    if isinstance(action, BoundExtensionAction):
        return f"{action.key}: extends {action.action.currency}"
    if isinstance(action, BoundSpendAction):
        amount = _describe_award(action.award) if action.award is not None else micros_text(action.amount or 0)
        return f"{action.key}: spends {amount} in {action.action.currency}"
    if isinstance(action, BoundCurrencyAction):
        spec = action.action
        return (
            f"{action.key}: {_describe_award(action.award)} in {spec.currency}; {spec.timing.type}; {spec.expiry.type}"
        )
    quantity = _describe_award(action.award) if action.award is not None else str(action.action.quantity)
    return f"{action.key}: {quantity} × coupon {action.coupon_type.id}; {action.coupon_type.validity.expiry.type}"


_AGGREGATES = {"total": "", "each_line": " (line by line)", "each_unit": " (unit by unit)"}


def _describe_award(award: Award) -> str:
    proration, rounding = award.proration, award.rounding
    if proration.of is None:
        return describe_proration(proration, "")
    aggregate = getattr(proration.of, "aggregate", "total")
    base = describe_base(proration.of) + _AGGREGATES[aggregate]
    if rounding.value != "actual" and rounds_base(proration.of):
        base += f", rounded ({rounding.value}),"
    return describe_proration(proration, base) + (
        f" rounded ({rounding.currency})" if rounding.currency != "actual" else ""
    )


def _index(promotions: Sequence[Promotion]) -> Mapping[str, Index]:
    by_trigger: dict[str, list[tuple[int, Promotion]]] = {}
    for position, each in enumerate(promotions):
        by_trigger.setdefault(each.trigger, []).append((position, each))
    return {trigger: Index.of(triggered) for trigger, triggered in by_trigger.items()}


def _counters_of(action: BoundAction, facts: Facts, limits: set[str]) -> Iterator[Counter]:
    if isinstance(action, BoundCouponAction):
        for _, counter in coupon_counters(action.coupon_type, facts):
            yield counter
    elif isinstance(action, BoundCurrencyAction):
        named = recipient_in(action.recipient, facts) if action.recipient is not None else None
        if action.recipient is not None:
            if named is not None:
                yield from _counters_of_recipient(action, facts, named)
            return
        caps = action.action.caps
        for _, counter in cap_counters(action.key, caps.per_member, caps.total, facts):
            yield counter
        for limit in action.limits:
            if limit.id not in limits:
                limits.add(limit.id)
                limited = limit_counter(limit, facts)
                if limited is not None:
                    yield limited


def _counters_of_recipient(action: BoundCurrencyAction, facts: Facts, named: str) -> Iterator[Counter]:
    caps = action.action.caps
    for _, counter in cap_counters(action.key, caps.per_member, caps.total, facts, named):
        yield counter
    for limit in action.limits:
        limited = limit_counter(limit, facts, named)
        if limited is not None:
            yield limited
