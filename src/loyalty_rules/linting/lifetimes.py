"""Active windows that are empty or over, and expiries that come before the issue.

Source: semantics 5, 6, 9.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from loyalty_rules.linting.finding import Finding
from loyalty_rules.linting.possibility import can_hold
from loyalty_rules.paths import ActionPlace, Circumstances, actions_of, keyed, promotions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.conditions import AllOf, Comparison
from loyalty_rules.rules.coupons import CouponType
from loyalty_rules.rules.expiry import (
    EventDate,
    Expiry,
    FixedDate,
    FixedPeriod,
    FixedRecurring,
    RegistrationAnniversary,
    Rolling,
)
from loyalty_rules.rules.promotions import CurrencyAction, Promotion
from loyalty_rules.rules.timing import Delayed
from loyalty_rules.values.dates import Period, in_zone, instant_text

__all__ = ["lifetimes", "over", "windows"]

_CYCLE = [date(2024, 1, 1) + timedelta(days=number) for number in range(4 * 365 + 1)]
_A_MOMENT = timedelta(microseconds=1)


# -- active windows --------------------------------------------------------------------------------------------------


def windows(program: Program) -> Iterator[Finding]:
    """Yield active windows without any instant."""
    for path, promotion in promotions_of(program):
        starts_at, ends_at = promotion.starts_at, promotion.ends_at
        if starts_at is not None and ends_at is not None and ends_at <= starts_at:
            yield Finding(
                f"{path}.ends_at",
                "empty_window",
                f"{promotion.id} ends at {instant_text(ends_at)}, which is not after its start",
                "the window is half open and therefore empty: the promotion never fires",
                "write an end after the start",
            )


def over(program: Program, as_of: datetime) -> Iterator[Finding]:
    """Yield promotions that have ended by an instant, and fixed expiry dates before it."""
    today = in_zone(as_of, ZoneInfo(program.time_zone)).date()
    for path, promotion in promotions_of(program):
        if promotion.ends_at is not None and promotion.ends_at <= as_of:
            yield Finding(
                f"{path}.ends_at",
                "ended",
                f"{promotion.id} ended at {instant_text(promotion.ends_at)}",
                "no later sale fires it; only late receipts of sales before its end do",
                "remove it, or write its next window",
            )
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        yield from _date_past(f"{path}.validity.expiry.on", coupon_type.validity.expiry, today)
    for place in actions_of(program):
        ended = place.promotion.ends_at is not None and place.promotion.ends_at <= as_of
        if isinstance(place.action, CurrencyAction) and not ended:
            yield from _date_past(f"{place.path}.expiry.on", place.action.expiry, today)


def _date_past(path: str, expiry: Expiry, today: date) -> Iterator[Finding]:
    if isinstance(expiry, FixedDate) and expiry.on < today:
        yield Finding(
            path,
            "expiry_past",
            f"every issue expires on {expiry.on}, which is before {today}",
            "no sale earns it any more: the action is skipped with already_expired",
            "write the next date, or use an expiry relative to the sale, such as fixed_recurring or fixed_period",
        )


# -- expiries --------------------------------------------------------------------------------------------------------


def lifetimes(program: Program) -> Iterator[Finding]:
    """Yield currency that expires before its delay has ended, and coupons that expire before they become valid."""
    zone = ZoneInfo(program.time_zone)
    for path, coupon_type in keyed("coupon_types", program.coupon_types):
        yield from _coupon(path, coupon_type)
    for place in actions_of(program):
        if isinstance(place.action, CurrencyAction):
            yield from _delayed(place, place.action)
            if isinstance(place.action.expiry, FixedDate):
                yield from _fixed_date(place, place.action, place.action.expiry, zone)


def _delayed(place: ActionPlace, action: CurrencyAction) -> Iterator[Finding]:
    if not isinstance(action.timing, Delayed) or not isinstance(action.expiry, (EventDate, Rolling)):
        return
    least, most = _days(action.expiry.after)
    if least < action.timing.days:
        always = most < action.timing.days
        yield Finding(
            f"{place.path}.expiry.after",
            "expires_before_issue",
            f"it expires {_between(least, most)} after the sale, and is issued after {action.timing.days}",
            f"{'no sale' if always else 'in some months no sale'} earns it: the action is skipped with already_expired",
            "count the expiry from the issue with fixed_period, or make it longer than the delay",
        )


def _fixed_date(place: ActionPlace, action: CurrencyAction, expiry: FixedDate, zone: ZoneInfo) -> Iterator[Finding]:
    promotion = place.promotion
    delay = action.timing.days if isinstance(action.timing, Delayed) else 0
    first = _issue_day(promotion.starts_at, delay, zone)
    last = _issue_day(promotion.ends_at - _A_MOMENT, delay, zone) if promotion.ends_at is not None else None
    if first is not None and expiry.on < first:
        yield Finding(
            f"{place.path}.expiry.on",
            "expires_before_issue",
            f"it expires on {expiry.on}, and the first issue is on {first}",
            "no sale earns it: the action is always skipped with already_expired",
            "write an expiry after the end of the promotion and its delay",
        )
    elif (last is None or expiry.on < last) and _can_fire_after(promotion, expiry.on - timedelta(days=delay)):
        yield Finding(
            f"{place.path}.expiry.on",
            "outlives_expiry",
            f"it expires on {expiry.on}, and {promotion.id} {_goes_on(last)}",
            "later sales fire the promotion and earn nothing: the action is skipped with already_expired",
            "end the promotion by then, or use an expiry relative to the sale, such as fixed_recurring",
        )


def _can_fire_after(promotion: Promotion, day: date) -> bool:
    """Return whether the condition can hold after a day; a condition can end a promotion as its window does."""
    later = Comparison(field="local_date", more_than=day.isoformat())
    return promotion.when is None or can_hold(AllOf((promotion.when, later)), Circumstances(promotion.trigger))


def _goes_on(last: date | None) -> str:
    return "has no end" if last is None else f"issues until {last}"


def _issue_day(at: datetime | None, delay: int, zone: ZoneInfo) -> date | None:
    return in_zone(at, zone).date() + timedelta(days=delay) if at is not None else None


def _coupon(path: str, coupon_type: CouponType) -> Iterator[Finding]:
    starts_after, lasts = coupon_type.validity.starts_after, _lasts(coupon_type.validity.expiry)
    if starts_after is None or lasts is None:
        return
    soonest, latest = _days(starts_after)
    if latest > lasts[0]:
        never = soonest > lasts[1]
        yield Finding(
            f"{path}.validity.starts_after",
            "starts_after_expiry",
            f"it becomes valid {_between(soonest, latest)} after the sale, and expires {_between(*lasts)} after it",
            f"{'no' if never else 'not every'} coupon of this type can be redeemed",
            "both count from the day of the sale: write an expiry after the start",
        )


def _lasts(expiry: Expiry) -> tuple[int, int] | None:
    """Return the minimum and maximum number of days from the sale to the expiry; None if they are unknown."""
    match expiry:
        case FixedPeriod(after) | EventDate(after):
            return _days(after)
        case FixedRecurring() | RegistrationAnniversary():
            return 1, 366
    return None


@cache
def _days(period: Period) -> tuple[int, int]:
    """Return the minimum and maximum number of days of a period, over the days of four years."""
    ends = ((day, period.after(day)) for day in _CYCLE)
    lengths = [(end - day).days for day, end in ends if end is not None]
    return min(lengths), max(lengths)


def _between(least: int, most: int) -> str:
    if least == most:
        return f"{least} day{'' if least == 1 else 's'}"
    return f"{least} to {most} days"
