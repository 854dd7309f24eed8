"""Released claims: units that are taken back are subtracted from the counters of their issue. Source: semantics 8."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.intents import Claim, IssueCoupon, IssueCurrency
from loyalty_rules.lifecycle.claims import released_claims, released_claims_of_coupon
from loyalty_rules.lifecycle.records import CouponRecord, Lot
from shop import Serials, earn, fixed, program, sale

CAPS = {"total": {"amount": 100}, "per_member": {"times": 5}}
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
SHOP = lr.load_program(program(earn(fixed(10), caps=CAPS), GIFT, coupon_types={"gift": {"caps": {"total": 3}}}))
ISSUE, COUPON = SHOP.evaluate(lr.load_event(sale()), serials=Serials()).intents
assert isinstance(ISSUE, IssueCurrency)
assert isinstance(COUPON, IssueCoupon)

AMOUNT, TIMES = "p/earn/total/lifetime", "p/earn/member/M1/lifetime/times"


def amounts(claims: tuple[Claim, ...]) -> dict[str, Decimal]:
    return {claim.counter: claim.amount for claim in claims}


@pytest.mark.parametrize(
    ("before", "amount", "released"),
    [
        (0, "4", {AMOUNT: Decimal(-4)}),
        (0, "10", {AMOUNT: Decimal(-10), TIMES: Decimal(-1)}),
        (6, "4", {AMOUNT: Decimal(-4), TIMES: Decimal(-1)}),
        (6, "3.999999", {AMOUNT: Decimal("-3.999999")}),
        (10, "0", {AMOUNT: Decimal(0)}),
    ],
)
def test_a_counter_of_amounts_is_released_in_part_and_one_of_times_with_the_last_unit(
    before: int, amount: str, released: dict[str, Decimal]
) -> None:
    assert isinstance(ISSUE, IssueCurrency)
    lot = Lot(ISSUE, 0, Decimal(10))

    assert amounts(released_claims(lot, Decimal(amount), before * 1_000_000)) == released


def test_a_released_claim_keeps_the_counter_its_limit_and_its_days() -> None:
    assert isinstance(ISSUE, IssueCurrency)
    claims = {claim.counter: claim for claim in ISSUE.claims}

    for released in released_claims(Lot(ISSUE, 0, Decimal(10)), Decimal(10), 0):
        claim = claims[released.counter]
        assert attrs.evolve(released, amount=claim.amount) == claim


def test_a_coupon_releases_each_of_its_counters() -> None:
    assert isinstance(COUPON, IssueCoupon)

    assert amounts(released_claims_of_coupon(CouponRecord(COUPON))) == {"coupon/gift/total": Decimal(-1)}
