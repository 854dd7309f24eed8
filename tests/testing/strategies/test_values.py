"""Every registered type has a strategy for its values."""

from __future__ import annotations

from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.events import Contact, CouponCounts, Member, ReturnedLine, Tender
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, Promotion
from loyalty_rules.testing.registration import TYPES
from loyalty_rules.testing.strategies import values
from loyalty_rules.testing.strategies.values import values_of
from properties.examples import drawn


def test_every_registered_type_has_a_strategy() -> None:
    assert set(values._STRATEGIES) == set(TYPES)


def test_another_type_has_no_strategy() -> None:
    with pytest.raises(KeyError):
        values_of(Decimal)


def test_a_member_is_one_of_two_by_default() -> None:
    assert {member.id for member in drawn(values_of(Member), 30)} == {"M1", "M2"}


def test_a_tender_is_never_below_zero() -> None:
    tenders = drawn(values_of(Tender), 30)

    assert {tender.type for tender in tenders} == {"card", "cash", "gift_card"}
    assert all(0 <= tender.amount <= 1000 for tender in tenders)


def test_a_contact_has_an_address_or_none() -> None:
    assert {contact.to for contact in drawn(values_of(Contact), 60)} == {None, "a@example.org", True, False}


def test_a_returned_line_may_have_no_piece() -> None:
    assert {line.quantity for line in drawn(values_of(ReturnedLine), 60)} == {Decimal(number) for number in range(6)}


def test_the_counts_of_coupons_are_at_most_ten() -> None:
    found = drawn(values_of(CouponCounts), 60)

    assert all(0 <= number <= 10 for counts in found for number in (counts.store, counts.member, counts.total))


def test_a_promotion_is_the_first_of_a_valid_program() -> None:
    assert {promotion.id for promotion in drawn(values_of(Promotion), 20)} == {"p1"}


@pytest.mark.parametrize(("cls", "kind"), [(CurrencyAction, "issue_currency"), (CouponAction, "issue_coupon")])
def test_an_action_is_loaded_from_a_program(cls: type, kind: str) -> None:
    assert {action.type for action in drawn(values_of(cls), 20)} == {kind}


def test_a_program_is_loaded() -> None:
    assert {shop.id for shop in drawn(values_of(lr.Program), 10)} == {"shop"}
