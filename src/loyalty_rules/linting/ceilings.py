"""Caps and limits that are reached at once or never. Source: semantics 8."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import attrs

from loyalty_rules.errors import path_step
from loyalty_rules.keys import is_action_key
from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import ActionPlace, actions_of, keyed
from loyalty_rules.program import Program
from loyalty_rules.rules.caps import Cap, CouponCaps
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, ExtensionAction
from loyalty_rules.rules.proration import PRORATIONS
from loyalty_rules.rules.rounding import round_to_units
from loyalty_rules.rules.windows import LIFETIME, Calendar, RollingDays, Window
from loyalty_rules.values.amounts import MICRO, micros, micros_text, text_of

__all__ = ["ceilings"]


@attrs.frozen
class _Ceiling:
    """One cap or limit.

    `of` is the counted currency, action or coupon type, `scope` the event, member, store or total that it counts for.
    `most` is in millionths of the currency, or in millionths of a time or a coupon.
    """

    path: str
    of: str
    scope: str
    most: int
    window: Window = LIFETIME
    unit: str = "amount"


def ceilings(program: Program) -> Iterator[Finding]:
    """Yield caps of zero, caps below the first issue, and caps that no issue can reach."""
    groups = [*_currency_groups(program), *_coupon_groups(program)]
    for group in groups:
        for ceiling in group:
            if ceiling.most == 0:
                yield _zero(ceiling)
            else:
                yield from _out_of_reach(ceiling, group)
    for place in actions_of(program):
        yield from _against_one_issue(place, program)
    yield from _never_drawn(program)
    yield from _alone_in_a_transaction(program)


def _zero(ceiling: _Ceiling) -> Finding:
    return Finding(
        ceiling.path,
        "cap_of_zero",
        "the cap is zero",
        "it is reached before the first issue: every issue is skipped with cap_reached",
        "raise the cap, or remove the action or coupon type",
    )


# -- which of two caps is reached first ------------------------------------------------------------------------------


def _currency_groups(program: Program) -> Iterator[list[_Ceiling]]:
    """Yield the limits of each currency, and the caps of each action with the limits of its currency."""
    limits = {currency.id: list(_limits(program, currency.id)) for currency in program.currencies}
    yield from limits.values()
    for place in actions_of(program):
        if isinstance(place.action, CurrencyAction):
            yield [*_caps(place, place.action), *(limits[place.action.currency])]


def _limits(program: Program, currency: str) -> Iterator[_Ceiling]:
    in_money = {limit.id for limit in program.limits if limit.money is not None}
    for path, limit in keyed("limits", program.limits_in_units):
        if limit.currency == currency:
            key = "money" if limit.id in in_money else "amount"
            yield _Ceiling(f"{path}.{key}", currency, limit.per, micros(limit.units), limit.window)


def _caps(place: ActionPlace, action: CurrencyAction) -> Iterator[_Ceiling]:
    caps = action.caps
    if caps.per_event is not None:
        yield _Ceiling(f"{place.path}.caps.per_event", place.key, "event", micros(caps.per_event))
    for scope, name, cap in (("member", "per_member", caps.per_member), ("total", "total", caps.total)):
        if cap is not None:
            yield _ceiling_of_cap(cap, f"{place.path}.caps.{name}", place.key, scope)


def _ceiling_of_cap(cap: Cap, path: str, of: str, scope: str) -> _Ceiling:
    if cap.times is not None:
        return _Ceiling(f"{path}.times", of, scope, cap.times * MICRO, cap.window, "times")
    assert cap.amount is not None
    return _Ceiling(f"{path}.amount", of, scope, micros(cap.amount), cap.window)


def _coupon_groups(program: Program) -> Iterator[list[_Ceiling]]:
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        yield list(_coupon_caps(path, coupon_type))


def _coupon_caps(path: str, coupon_type: CouponType) -> Iterator[_Ceiling]:
    for field in attrs.fields(CouponCaps):
        cap = getattr(coupon_type.caps, field.name)
        if cap is not None:
            scope = "event" if field.name == "per_transaction" else field.name.removeprefix("per_")
            yield _Ceiling(f"{path}.caps.{field.name}", coupon_type.id, scope, cap * MICRO)


_WITHIN = {
    "event": ("event", "member", "total"),  # not "store": a limit per store does not apply to an event without one
    "member": ("member", "total"),
    "member_group": ("member_group", "total"),
    "store": ("store", "total"),
    "total": ("total",),
}
"""The scopes that count at least as much as each scope: an issue to a member counts for the total too."""


def _out_of_reach(ceiling: _Ceiling, group: Sequence[_Ceiling]) -> Iterator[Finding]:
    for other in group:
        if other.most and other.most < ceiling.most and _counts_no_less(other, ceiling):
            yield Finding(
                ceiling.path,
                "cap_out_of_reach",
                f"{micros_text(ceiling.most)} is more than {micros_text(other.most)} at {other.path}",
                "the other counts every issue that this cap counts, and is reached first: it never trims an issue",
                "lower this cap, raise the other, or remove this cap",
            )
            return


def _counts_no_less(other: _Ceiling, ceiling: _Ceiling) -> bool:
    """Return whether the other ceiling counts at least as much as this one at every event."""
    same = other.of == ceiling.of or not is_action_key(other.of)  # a limit counts every action of its currency
    return (
        same
        and other.unit == ceiling.unit
        and other.scope in _WITHIN[ceiling.scope]
        and (ceiling.scope == "event" or _covers(other.window, ceiling.window))
    )


_LONGER: dict[str, tuple[str, ...]] = {
    "day": ("day", "week", "month", "quarter", "year"),
    "week": ("week",),
    "month": ("month", "quarter", "year"),
    "quarter": ("quarter", "year"),
    "year": ("year",),
}


def _covers(outer: Window, inner: Window) -> bool:
    # A rolling window ends with the event's day. A calendar window can count issues of later days too.
    match outer, inner:
        case (RollingDays(most), RollingDays(days)):
            return days <= most
        case (Calendar(unit), Calendar(part)):
            return unit in _LONGER[part]
        case (Calendar(), RollingDays(days)):
            return days == 1
        case (Calendar() | RollingDays(), _):
            return False
    return True


# -- the amount of one issue -----------------------------------------------------------------------------------------


def _against_one_issue(place: ActionPlace, program: Program) -> Iterator[Finding]:
    """Compare the caps of an action with the amount of one issue, if that amount is known."""
    group = _caps_on(place, program)
    least, exact = _one_issue(place, program)
    for ceiling in group:
        if ceiling.unit != "amount" or not ceiling.most or not least:
            continue
        if ceiling.most < least:
            yield Finding(
                ceiling.path,
                "cap_reached_at_once",
                f"{place.key} issues {micros_text(least)} {'at a time' if exact else 'or more at a time'}, and the cap "
                f"is {micros_text(ceiling.most)}",
                "the first issue is trimmed: no member ever gets the amount of the action",
                "raise the cap, or lower the amount of the action",
            )
        elif exact and ceiling.scope == "event" and ceiling.of == place.key and least < ceiling.most:
            yield Finding(
                ceiling.path,
                "cap_out_of_reach",
                f"the cap is {micros_text(ceiling.most)}, and the action issues {micros_text(least)} at a time",
                "the cap never trims an issue",
                "remove the cap, or correct one of the two amounts",
            )


def _caps_on(place: ActionPlace, program: Program) -> list[_Ceiling]:
    if isinstance(place.action, CurrencyAction):
        return [*_caps(place, place.action), *_limits(program, place.action.currency)]
    if not isinstance(place.action, CouponAction):
        return []
    coupon_id = place.action.coupon_type
    [coupon_type] = [each for each in program.coupon_types if each.id == coupon_id]
    return list(_coupon_caps(f"$.coupon_types{path_step(coupon_type.id)}", coupon_type))


def _one_issue(place: ActionPlace, program: Program) -> tuple[int, bool]:
    """Return the least amount of an issue in millionths (0 if unknown), and whether every issue is that amount."""
    action = place.action
    if isinstance(action, CouponAction) and isinstance(action.quantity, int):
        return action.quantity * MICRO, True
    if isinstance(action, ExtensionAction):
        return 0, False
    proration = place.proration
    unit = PRORATIONS[type(proration)].unit(proration) if proration is not None else None
    if proration is None or unit is None:
        return 0, False
    decimals = 0 if isinstance(action, CouponAction) else _decimals(program, action.currency)
    return _rounded(unit, action.rounding.currency, decimals), proration.of is None


def _decimals(program: Program, currency: str) -> int:
    return program.decimals_of(currency)


def _rounded(amount: Decimal, mode: str, decimals: int) -> int:
    numerator, denominator = round_to_units((micros(amount), MICRO), mode, decimals)
    return numerator * MICRO // denominator


def _alone_in_a_transaction(program: Program) -> Iterator[Finding]:
    """Yield caps per transaction of public codes that may not meet another coupon of their type."""
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        most = coupon_type.caps.per_transaction
        if coupon_type.public and most is not None and most > 1 and not coupon_type.redemption.allows(coupon_type.id):
            yield Finding(
                f"{path}.caps.per_transaction",
                "cap_out_of_reach",
                f"the cap is {most}, and redemption.together lets no two coupons of the type share a transaction",
                "a second code in the same transaction is refused with not_combinable, so the cap is never reached",
                f"add {coupon_type.id} to redemption.together, or remove the cap",
            )


def _never_drawn(program: Program) -> Iterator[Finding]:
    issued = {place.action.currency for place in actions_of(program) if isinstance(place.action, CurrencyAction)}
    for path, limit in keyed("limits", program.limits_in_units):
        if limit.currency not in issued and limit.units:
            yield Finding(
                path,
                "limit_never_drawn",
                f"no action issues {limit.currency}, of which at most {text_of(limit.units)} are allowed",
                "the limit can't be reached",
                "remove it, or name the intended currency",
            )
