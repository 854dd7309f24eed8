"""The coupons that a sale loses when goods come back. Source: semantics 9 and 11.

The coupons of a type are counted over all `void_if_unredeemed` actions of the sale, those of other policies by action.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from loyalty_rules.events import Amendment, Return
from loyalty_rules.intents import VoidCoupon
from loyalty_rules.keys import ordinal_in, return_void_key
from loyalty_rules.lifecycle.claims import released_claims_of_coupon
from loyalty_rules.lifecycle.records import CouponRecord, Sale
from loyalty_rules.lifecycle.remaining_award import RemainingAward, action_of, amendment_of

__all__ = ["coupon_pools", "is_coupon_earned", "surplus_coupons", "void_key_of", "voids"]


def voids(back: Return, key: str, remainder: RemainingAward, coupons: Sequence[CouponRecord]) -> Iterator[VoidCoupon]:
    """Yield the void of each surplus coupon that is still issued, the newest first; an expired one counts as voided."""
    issued = {action_of(coupon.issue) for coupon in coupons}
    for members in coupon_pools(remainder, coupons):
        surplus = surplus_coupons(remainder, members, issued) - sum(coupon.is_lost for coupon in members)
        unused = [each for each in reversed(members) if each.state in ("issued", "expired") and not each.is_lost]
        for coupon in unused[: max(surplus, 0)]:
            if coupon.state_at(back.occurred_at) == "issued":
                yield VoidCoupon(void_key_of(key, coupon), coupon.key, back.id, released_claims_of_coupon(coupon))


def void_key_of(event: str, coupon: CouponRecord) -> str:
    """Return the key of the void of a coupon by a return or an amendment; `event` is the key of that event."""
    issue = coupon.issue
    return return_void_key(event, action_of(issue), ordinal_in(coupon.key), amendment_of(issue))


def coupon_pools(remainder: RemainingAward, coupons: Sequence[CouponRecord]) -> Iterable[list[CouponRecord]]:
    """Return the coupons of each member, by type over all `void_if_unredeemed` actions, by action for other policies.

    The member is the one to whom a coupon was issued: an amendment may have given the sale to another since.
    """
    pools: dict[tuple[str, str, str | None], list[CouponRecord]] = {}
    for coupon in coupons:
        policy = remainder.policy(coupon.issue)
        pool = coupon.issue.coupon_type if policy == "void_if_unredeemed" else action_of(coupon.issue)
        pools.setdefault((policy, pool, coupon.issue.member), []).append(coupon)
    return pools.values()


def surplus_coupons(remainder: RemainingAward, members: Sequence[CouponRecord], issued: set[str]) -> int:
    """Return the number of coupons of a pool that the remainder would not have issued."""
    issue = members[0].issue
    policy = remainder.policy(issue)
    if policy == "keep":
        return 0
    if remainder.sale is None:
        return len(members)
    if policy == "reverse":
        return len(members) if remainder.has_come_back else 0
    kept = sum(
        (each.coupon_type, each.member) == (issue.coupon_type, issue.member)
        and (remainder.policy(each) == "void_if_unredeemed" or action_of(each) not in issued)
        for each in remainder.coupons
    )
    return max(len(members) - kept, 0)


def is_coupon_earned(sale: Sale, coupons: Sequence[CouponRecord], coupon: CouponRecord, at: datetime) -> bool:
    """Return whether a coupon of a sale is still earned: its returns were due no more coupons than they could void.

    `coupons` are all coupons of the sale, in the order of issue; those that have expired by `at` count as voided.
    Source: semantics 9 and 11.
    """
    if coupon.is_lost and coupon.state != "voided":
        return False  # a card that keeps an addition
    if not sale.returns and not any(isinstance(each, Amendment) for each in sale.updates):
        return True
    remainder = RemainingAward(sale, sale.returns)
    issued = {action_of(each.issue) for each in coupons}
    pool = next(each for each in coupon_pools(remainder, coupons) if coupon.key in {one.key for one in each})
    gone = sum(each.is_lost or each.state_at(at) == "expired" for each in pool)
    return surplus_coupons(remainder, pool, issued) <= gone
