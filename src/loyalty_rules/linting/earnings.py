"""Amounts of actions: factors written as percentages, awards of zero, sums of different currencies."""

from collections.abc import Iterator

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import ActionPlace, actions_of, keyed
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import BASES, Awarded
from loyalty_rules.rules.coupons import PercentOff
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, ExtensionAction, SpendAction
from loyalty_rules.rules.proration import PRORATIONS, Multiplier, PercentBy, rounds_base
from loyalty_rules.values.amounts import MICRO, micros, text_of

__all__ = ["coupons", "earnings"]

_LARGEST_FACTOR = 10


def earnings(program: Program) -> Iterator[Finding]:
    """Yield actions whose amount is probably a mistake."""
    currencies = {
        place.key: place.action.currency for place in actions_of(program) if isinstance(place.action, CurrencyAction)
    }
    for place in actions_of(program):
        yield from _factor(place)
        yield from _nothing(place)
        yield from _no_sale(place)
        yield from _mixed(place, currencies)
        yield from _rounded_up(place, program)


def _factor(place: ActionPlace) -> Iterator[Finding]:
    proration = place.proration
    if not isinstance(proration, Multiplier):
        return
    if isinstance(proration.percent, PercentBy):
        return
    percent = micros(proration.percent)
    if 0 < percent <= _LARGEST_FACTOR * MICRO and percent % MICRO == 0:
        factor = percent // MICRO
        yield Finding(
            f"{place.proration_path}.percent",
            "percent_as_factor",
            f"a multiplier of {factor} % issues {factor} for each 100",
            f"a multiplier is a percentage: {factor * 100} issues {factor} times the base",
            f"write {factor * 100}; if you mean {factor} %, use proportional",
        )


def _nothing(place: ActionPlace) -> Iterator[Finding]:
    proration, path = place.proration, place.proration_path
    if proration is not None:
        rate = PRORATIONS[type(proration)].rate
        if rate is None:
            return
        is_zero, path = not getattr(proration, rate), f"{path}.{rate}"
    else:
        is_zero = isinstance(place.action, CouponAction) and place.action.quantity == 0
    if not is_zero:
        return
    yield Finding(
        path,
        "issues_nothing",
        f"{place.key} is worth zero",
        "it never issues anything: it is always skipped with zero_amount",
        "write the intended amount, or remove the action",
    )


def _no_sale(place: ActionPlace) -> Iterator[Finding]:
    base = place.base
    if place.promotion.trigger == "transaction" or base is None or not BASES[type(base)].needs_sale:
        return
    yield Finding(
        f"{place.proration_path}.of",
        "needs_a_sale",
        f"the activity {place.promotion.trigger!r} has no {base.type}",
        "an activity has no amount and no lines, and advances no tracker: the action never issues anything",
        "use a fixed amount or a field of the activity, or trigger the promotion by a transaction",
    )


def _mixed(place: ActionPlace, currencies: dict[str, str]) -> Iterator[Finding]:
    if isinstance(place.base, Awarded):
        names = sorted({currencies[key] for key in place.base.actions if key in currencies})
        if len(names) > 1:
            yield Finding(
                f"{place.proration_path}.of.actions",
                "mixed_currencies",
                f"it adds awards in {' and '.join(names)}",
                "amounts of different currencies are added as they are: 100 of one and 2 of another are 102",
                "name the actions of one currency here, and those of the other in another action",
            )


# -- rounding --------------------------------------------------------------------------------------------------------


def _rounded_up(place: ActionPlace, program: Program) -> Iterator[Finding]:
    """Yield roundings up of amounts that grow with the basket: each part of a split basket then gains."""
    base, action = place.base, place.action
    if place.promotion.trigger != "transaction" or base is None or isinstance(action, (ExtensionAction, SpendAction)):
        return
    rounding = action.rounding
    if rounding.value == "up" and rounds_base(base):
        yield _invites_splitting(f"{place.path}.rounding.value", "the base")
    if rounding.currency == "up" and _has_fractions(place, program):
        yield _invites_splitting(f"{place.path}.rounding.currency", "the amount")


def _has_fractions(place: ActionPlace, program: Program) -> bool:
    """Return whether an amount can have more decimals than its currency; whole steps of whole points have none."""
    unit = PRORATIONS[type(place.proration)].unit(place.proration)
    if unit is None:
        return True
    decimals = 0
    if isinstance(place.action, CurrencyAction):
        currency = place.action.currency
        decimals = program.decimals_of(currency)
    scale: int = 10**decimals
    return micros(unit) * scale % MICRO != 0


def _invites_splitting(path: str, name: str) -> Finding:
    return Finding(
        path,
        "split_earns_more",
        f"{name} of each receipt is rounded up",
        "a basket that is paid in parts earns up to one unit more for each part",
        "round down; `loyalty-rules prove` shows the gain of splitting",
    )


# -- coupons ---------------------------------------------------------------------------------------------------------


def coupons(program: Program) -> Iterator[Finding]:
    """Yield coupon types that no action issues, and discounts whose percentage is probably a mistake."""
    issued = {place.action.coupon_type for place in actions_of(program) if isinstance(place.action, CouponAction)}
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        if coupon_type.id not in issued and not coupon_type.public:
            yield Finding(
                path,
                "coupon_never_issued",
                f"no action issues {coupon_type.id}",
                "no member ever gets such a coupon",
                "add an issue_coupon action, or remove the coupon type",
            )
        if isinstance(coupon_type.benefit, PercentOff):
            yield from _percent_off(f"{path}.benefit.percent", coupon_type.benefit)


def _percent_off(path: str, benefit: PercentOff) -> Iterator[Finding]:
    percent = micros(benefit.percent)
    if percent > 100 * MICRO:
        yield Finding(
            path,
            "percent_off_over_100",
            f"{text_of(benefit.percent)} % off is more than the price",
            "a discount is never more than the bill: the goods are free",
            "write the intended percentage, at most 100",
        )
    elif 0 < percent < MICRO:
        yield Finding(
            path,
            "percent_off_as_fraction",
            f"{text_of(benefit.percent)} % off is less than one cent of each 1.00",
            "a percentage is not a fraction: 15 is 15 %, and 0.15 is 0.15 %",
            "multiply it by 100 if you mean a fraction",
        )
