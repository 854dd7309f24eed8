"""Extensions by hand, changes of member, and additions to cards. Source: semantics 13."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.intents import ExtendCoupon, ExtendLot, IssueCoupon, ReassignCoupon, TopUpCoupon
from loyalty_rules.lifecycle import CouponRecord, Refusal
from loyalty_rules.lifecycle.by_hand import extend_coupon, extend_lot, reassign, top_up

from .accounts import AT, WHY, lot, shop

CARDS = {
    "card": {"benefit": {"type": "stored_value", "amount": "50"}},
    "off": {"benefit": {"type": "amount_off", "amount": "5"}},
}
GIVE = {"type": "issue_coupon", "id": "give", "coupon_type": "card"}
SHOP = shop(coupon_types=CARDS)
LAST_DAY, MARCH = date(2025, 2, 14), date(2025, 3, 1)


def coupon(coupon_type: str = "card", expires_on: date | None = LAST_DAY, **state: Any) -> CouponRecord:
    issued_at = datetime(2025, 1, 15, 10, tzinfo=UTC)
    ends = datetime(expires_on.year, expires_on.month, expires_on.day + 1, tzinfo=UTC) if expires_on else None
    issue = IssueCoupon(
        "acme/T-1/p/give/1",
        "p",
        "give",
        "T-1",
        "anna",
        None,
        coupon_type,
        "S",
        None,
        issued_at,
        issued_at,
        expires_on,
        ends,
        "",
        (),
    )
    return CouponRecord(issue, **state)


def reasons_of(decision: object) -> tuple[str, ...]:
    assert isinstance(decision, Refusal)
    return decision.reasons


# -- extensions ------------------------------------------------------------------------------------------------------


def test_a_lot_is_extended_through_a_later_day() -> None:
    intent = extend_lot(SHOP, lot("T-1", 5, LAST_DAY), MARCH, **WHY)

    assert isinstance(intent, ExtendLot)
    assert (intent.key, intent.lot) == ("acme/E-1/extend/T-1/p/earn", "acme/T-1/p/earn")
    assert (intent.expires_on, intent.expires_at) == (MARCH, datetime(2025, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("last_day", "reason"),
    [(MARCH, "not_later"), (date(2025, 3, 2), "not_later"), (None, "not_later"), (date(2025, 1, 19), "expired")],
)
def test_an_extension_of_a_lot_never_shortens_and_revives_nothing(last_day: date | None, reason: str) -> None:
    assert reasons_of(extend_lot(SHOP, lot("T-1", 5, last_day), MARCH, **WHY)) == (reason,)


def test_a_coupon_is_extended_through_a_later_day() -> None:
    intent = extend_coupon(SHOP, coupon(), MARCH, **WHY)

    assert isinstance(intent, ExtendCoupon)
    assert (intent.key, intent.expires_at) == ("acme/E-1/extend/T-1/p/give/1", datetime(2025, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"expires_on": MARCH}, "not_later"),
        ({"expires_on": None}, "not_later"),
        ({"expires_on": date(2025, 1, 19)}, "expired"),
        ({"state": "expired", "expires_on": date(2025, 1, 19)}, "expired"),
        ({"state": "voided"}, "voided"),
    ],
)
def test_an_extension_of_a_coupon_never_shortens_and_revives_nothing(state: Any, reason: str) -> None:
    assert reasons_of(extend_coupon(SHOP, coupon(**state), MARCH, **WHY)) == (reason,)


# -- members and cards -----------------------------------------------------------------------------------------------


def test_a_coupon_goes_to_another_member() -> None:
    intent = reassign(SHOP, coupon(), "ben", **WHY)

    assert isinstance(intent, ReassignCoupon)
    assert (intent.key, intent.from_member, intent.member) == ("acme/E-1/reassign/T-1/p/give/1", "anna", "ben")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"state": "redeemed"}, "already_redeemed"),
        ({"state": "voided"}, "voided"),
        ({"expires_on": date(2025, 1, 19)}, "expired"),
    ],
)
def test_a_coupon_that_has_ended_stays_with_its_member(state: Any, reason: str) -> None:
    assert reasons_of(reassign(SHOP, coupon(**state), "ben", **WHY)) == (reason,)


@pytest.mark.parametrize(
    ("state", "remaining"),
    [({}, "80"), ({"remaining": Decimal(20)}, "50"), ({"state": "redeemed", "remaining": Decimal(0)}, "30")],
)
def test_an_addition_raises_the_rest_of_a_card(state: Any, remaining: str) -> None:
    intent = top_up(SHOP, coupon(**state), Decimal(30), **WHY)

    assert isinstance(intent, TopUpCoupon)
    assert (intent.key, intent.remaining) == ("acme/E-1/top_up/T-1/p/give/1", Decimal(remaining))


@pytest.mark.parametrize(
    ("amount", "state", "reasons"),
    [
        ("0", {}, ("not_positive",)),
        ("5", {"coupon_type": "off"}, ("not_stored_value",)),
        ("5", {"state": "voided"}, ("voided",)),
        ("5", {"state": "expired", "expires_on": date(2025, 1, 19)}, ("expired",)),
        ("5", {"state": "redeemed", "remaining": Decimal(0), "expires_on": date(2025, 1, 19)}, ("expired",)),
        ("-1", {"coupon_type": "off", "state": "voided"}, ("not_positive", "not_stored_value", "voided")),
    ],
)
def test_an_addition_is_refused_with_every_reason(amount: str, state: Any, reasons: tuple[str, ...]) -> None:
    assert reasons_of(top_up(SHOP, coupon(**state), Decimal(amount), **WHY)) == reasons


def test_the_decisions_are_as_of_their_instant() -> None:
    assert datetime(2025, 2, 15, tzinfo=UTC) > AT  # before the end of the coupon
    after = {**WHY, "at": datetime(2025, 2, 15, tzinfo=UTC)}

    assert reasons_of(extend_coupon(SHOP, coupon(), MARCH, **after)) == ("expired",)
