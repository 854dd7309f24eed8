"""The conditions and bases that a program reads. Source: semantics 3, 7, 11."""

from collections.abc import Iterable, Iterator

from loyalty_rules.rules.conditions import BaseTest, Condition, parts_of
from loyalty_rules.rules.coupons import CouponType, StoredValue
from loyalty_rules.rules.promotions import CurrencyAction, Promotion
from loyalty_rules.rules.timing import TransactionUpdate
from loyalty_rules.rules.trackers import Tracker

__all__ = ["bases_beside_awards", "conditions_on_events"]


def conditions_on_events(trackers: Iterable[Tracker], promotions: Iterable[Promotion]) -> Iterator[Condition]:
    """Yield the conditions on events: of trackers, of promotions, of promises."""
    yield from (tracker.when for tracker in trackers if tracker.when is not None)
    for promotion in promotions:
        if promotion.when is not None:
            yield promotion.when
        timings = (each.timing for each in promotion.actions if isinstance(each, CurrencyAction))
        yield from (timing.when for timing in timings if isinstance(timing, TransactionUpdate))


def bases_beside_awards(
    trackers: Iterable[Tracker], coupon_types: Iterable[CouponType], conditions: Iterable[Condition]
) -> Iterator[object]:
    """Yield the bases of trackers, of stored values and of conditions: all but those of awards."""
    yield from (tracker.measure for tracker in trackers)
    benefits = (coupon_type.benefit for coupon_type in coupon_types)
    yield from (benefit.amount for benefit in benefits if isinstance(benefit, StoredValue))
    yield from (part.base for each in conditions for part in parts_of(each) if isinstance(part, BaseTest))
