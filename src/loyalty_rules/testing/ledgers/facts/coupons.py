"""Coupons: each is in one state, and is redeemed once. Source: semantics 9, ledger P3 and 5."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from decimal import Decimal

import attrs
import pytest

from loyalty_rules.intents import IssueCoupon, RedeemCoupon
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.lifecycle.records import CouponRecord
from loyalty_rules.serials import parse_serial
from loyalty_rules.testing.ledgers.facts.promising import reasons
from loyalty_rules.testing.ledgers.facts.till import Document, Till, coupon_type, hand_out, moment, serial_of, shop

__all__ = ["CouponFacts", "CouponStory", "RedemptionFacts"]

THREE_DAYS: Document = {"expiry": {"type": "fixed_period", "after": {"days": 3}}}
GIFT_CARD: Document = {"type": "stored_value", "amount": "100"}
SHARED: Document = {"serial_managed": False, "code": "THANKS"}


def discount(receipt: Receipt) -> Decimal:
    """Return the discount of a redemption."""
    (redeemed,) = receipt.intents
    assert isinstance(redeemed, RedeemCoupon)
    return redeemed.discount


def issue_to_anna(till: Till, benefit: Document | None = None, **parts: object) -> str:
    """Issue Anna a coupon, and return its serial."""
    till.runs(shop(hand_out(), coupon_types=coupon_type(benefit, **parts)))
    return serial_of(till.sell("T1"))


def found(till: Till, serial: str) -> CouponRecord:
    """Return the coupon of a serial."""
    coupon = till.ledger.coupon("acme", serial)
    assert coupon is not None
    return coupon


class CouponFacts:
    """Facts about coupons: they are issued, found, voided, and expire."""

    def test_a_coupon_is_found_by_its_serial_however_it_is_written(self, till: Till) -> None:
        serial = issue_to_anna(till)
        plain = parse_serial(serial)
        for written in (serial, plain, serial.lower(), f" {plain} ", plain.replace("0", "o").replace("1", "l")):
            coupon = found(till, written)
            assert (coupon.issue.serial, coupon.state) == (serial, "issued")

    def test_an_unknown_serial_finds_no_coupon(self, till: Till) -> None:
        serial = issue_to_anna(till)
        for other in ("", "T1", serial[:-1], serial[::-1]):
            assert till.ledger.coupon("acme", other) is None
        assert till.ledger.coupon("other", serial) is None

    def test_the_coupons_of_a_member_come_in_the_order_of_issue(self, till: Till) -> None:
        till.runs(shop(hand_out(quantity=2), coupon_types=coupon_type()))
        sales = [till.sell("T2"), till.sell("T1")]
        till.sell("T3", member="ben")
        till.sell("T4", member=None)
        held = [coupon.issue.serial for coupon in till.ledger.coupons("acme", "anna")]
        assert held == [serial_of(sale, number) for sale in sales for number in (1, 2)]

    def test_every_coupon_has_a_serial_of_its_own(self, till: Till) -> None:
        till.runs(shop(hand_out(quantity=20), coupon_types=coupon_type()))
        till.sell("T1")
        till.sell("T2")
        assert len({coupon.issue.serial for coupon in till.ledger.coupons("acme", "anna")}) == 40

    def test_a_voided_coupon_cannot_be_redeemed(self, till: Till) -> None:
        serial = issue_to_anna(till)
        assert till.void("acme/T1/p/thanks/1").status == "recorded"
        assert reasons(till.redeem(serial, "T2")) == ("voided",)

    def test_a_coupon_is_voided_once(self, till: Till) -> None:
        issue_to_anna(till)
        first = till.void("acme/T1/p/thanks/1", event="V1")
        assert till.void("acme/T1/p/thanks/1", event="V1") == attrs.evolve(first, status="already_recorded")
        assert reasons(till.void("acme/T1/p/thanks/1")) == ("voided",)

    def test_a_redeemed_coupon_cannot_be_voided(self, till: Till) -> None:
        serial = issue_to_anna(till)
        till.redeem(serial, "T2")
        assert reasons(till.void("acme/T1/p/thanks/1")) == ("already_redeemed",)
        assert found(till, serial).state == "redeemed"

    @pytest.mark.parametrize("swept", [False, True])
    def test_an_expired_coupon_cannot_be_voided(self, till: Till, swept: bool) -> None:
        issue_to_anna(till, validity=THREE_DAYS)
        till.on(4, 0)
        if swept:
            till.expire()
        assert reasons(till.void("acme/T1/p/thanks/1")) == ("expired",)

    def test_only_a_coupon_is_voided(self, till: Till) -> None:
        assert reasons(till.void("acme/T1/p/thanks/1")) == ("unknown",)

    def test_a_voided_coupon_no_longer_counts_against_its_cap(self, till: Till) -> None:
        issue_to_anna(till, caps={"per_member": 1})
        till.void("acme/T1/p/thanks/1")
        assert [intent.type for intent in till.sell("T2").intents] == ["issue_coupon"]

    def test_a_sweep_records_the_expiry_of_a_coupon(self, till: Till) -> None:
        serial = issue_to_anna(till, validity=THREE_DAYS)
        till.on(3, 23, 59, 59)
        assert [*till.expire()] == []
        till.on(4, 0)
        assert [intent.type for receipt in till.expire() for intent in receipt.intents] == ["expire_coupon"]
        assert found(till, serial).state == "expired"

    def test_a_redeemed_coupon_does_not_expire(self, till: Till) -> None:
        serial = issue_to_anna(till, validity=THREE_DAYS)
        till.redeem(serial, "T2")
        till.on(9)
        assert [*till.expire()] == []

    def test_a_shared_code_redeems_the_members_own_coupon_or_else_an_anonymous_one(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type(**SHARED)))
        for number, name in enumerate((None, "ben", "anna", None)):
            till.sell(f"T{number}", member=name)
        redeemed = [till.redeem("THANKS", f"R{number}").intents for number in range(3)]
        assert [each.coupon for (each,) in redeemed if isinstance(each, RedeemCoupon)] == [
            "acme/T2/p/thanks/1",
            "acme/T0/p/thanks/1",
            "acme/T3/p/thanks/1",
        ]

    def test_a_shared_code_never_redeems_the_coupon_of_another_member(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type(**SHARED)))
        till.sell("T1", member="ben")
        assert reasons(till.redeem("THANKS", "T2")) == ("wrong_member",)
        till.sell("T3", member="ben")
        assert reasons(till.redeem("THANKS", "T4")) == ("wrong_member",)
        assert till.redeem("THANKS", "T5", member="ben").status == "recorded"


class RedemptionFacts:
    """Facts about redemptions: a coupon is checked when it is redeemed, and redeemed once."""

    def test_a_redemption_takes_its_percentage_off(self, till: Till) -> None:
        serial = issue_to_anna(till)
        receipt = till.redeem(serial, "T2", "79.99")
        assert discount(receipt) == 12
        coupon = found(till, serial)
        assert (coupon.state, coupon.redeemed_at) == ("redeemed", moment(0))
        assert (coupon.redeemed_by, coupon.redemption) == ("T2", receipt.intents[0].key)

    def test_a_coupon_is_redeemed_once(self, till: Till) -> None:
        serial = issue_to_anna(till)
        till.redeem(serial, "T2")
        assert reasons(till.redeem(serial, "T3")) == ("already_redeemed",)

    def test_a_retried_redemption_is_recorded_once(self, till: Till) -> None:
        serial = issue_to_anna(till)
        first = till.redeem(serial, "T2")
        before = till.everything()
        assert till.redeem(serial, "T2") == attrs.evolve(first, status="already_recorded")
        assert till.everything() == before

    def test_another_spelling_of_the_serial_is_the_same_redemption(self, till: Till) -> None:
        serial = issue_to_anna(till)
        first = till.redeem(serial, "T2")
        again = till.redeem(serial.lower().replace("-", ""), "T2")
        assert again == attrs.evolve(first, status="already_recorded")

    def test_the_same_redemption_for_another_bill_is_a_conflict(self, till: Till) -> None:
        serial = issue_to_anna(till)
        till.redeem(serial, "T2", "100")
        with pytest.raises(IdempotencyConflict) as conflict:
            till.redeem(serial, "T2", "200")
        assert conflict.value.field == "event.amount"
        assert serial not in str(conflict.value)

    def test_an_unknown_serial_and_a_malformed_one_are_refused_alike(self, till: Till) -> None:
        serial = issue_to_anna(till)
        refusals = [till.redeem(code, "T2").refusal for code in (serial[::-1], "0000000000000000 00", "SAVE10")]
        assert [refusal.reasons for refusal in refusals if refusal is not None] == [("unknown",)] * 3
        assert len(set(refusals)) == 1

    def test_an_expired_coupon_is_refused_swept_or_not(self, till: Till) -> None:
        serial = issue_to_anna(till, validity=THREE_DAYS)
        till.on(4, 0)
        assert reasons(till.redeem(serial, "T2")) == ("expired",)
        till.expire()
        assert reasons(till.redeem(serial, "T2")) == ("expired",)

    def test_in_its_last_second_a_coupon_is_redeemed(self, till: Till) -> None:
        serial = issue_to_anna(till, validity=THREE_DAYS)
        till.on(3, 23, 59, 59)
        assert till.redeem(serial, "T2").status == "recorded"

    def test_a_coupon_is_not_redeemed_before_its_first_day(self, till: Till) -> None:
        serial = issue_to_anna(till, validity={"starts_after": {"days": 2}})
        till.on(1, 23, 59, 59)
        assert reasons(till.redeem(serial, "T2")) == ("not_yet_valid",)
        till.on(2, 0)
        assert till.redeem(serial, "T2").status == "recorded"

    def test_a_holder_only_coupon_is_redeemed_by_its_holder(self, till: Till) -> None:
        serial = issue_to_anna(till, redemption={"holder_only": True})
        assert reasons(till.redeem(serial, "T2", member="ben")) == ("wrong_member",)
        assert reasons(till.redeem(serial, "T3", member=None)) == ("wrong_member",)
        assert till.redeem(serial, "T4").status == "recorded"

    def test_any_other_coupon_is_redeemed_by_any_member(self, till: Till) -> None:
        assert till.redeem(issue_to_anna(till), "T2", member="ben").status == "recorded"

    def test_a_coupon_is_redeemed_in_its_stores_and_for_its_brands(self, till: Till) -> None:
        serial = issue_to_anna(till, redemption={"stores": ["S1"], "brands": ["acme"]})
        assert reasons(till.redeem(serial, "T2", store="S2", brand="acme")) == ("wrong_store",)
        assert reasons(till.redeem(serial, "T3", store="S1", brand="emca")) == ("wrong_brand",)
        assert till.redeem(serial, "T4", store="S1", brand="acme").status == "recorded"

    def test_a_coupon_is_redeemed_if_its_condition_holds(self, till: Till) -> None:
        serial = issue_to_anna(till, redemption={"when": {"field": "amount", "at_least": "50"}})
        assert reasons(till.redeem(serial, "T2", "49.99")) == ("condition_not_met",)
        assert till.redeem(serial, "T3", "50").status == "recorded"

    def test_a_refusal_lists_every_reason(self, till: Till) -> None:
        redemption = {"holder_only": True, "stores": ["S1"], "brands": ["acme"], "when": {"field": "amount", "is": "1"}}
        serial = issue_to_anna(till, validity=THREE_DAYS, redemption=redemption)
        till.void("acme/T1/p/thanks/1")
        till.on(9)
        refused = reasons(till.redeem(serial, "T2", member="ben"))
        assert refused == ("voided", "expired", "wrong_member", "wrong_store", "wrong_brand", "condition_not_met")

    def test_a_refused_redemption_leaves_the_coupon_as_it_was(self, till: Till) -> None:
        serial = issue_to_anna(till, redemption={"stores": ["S1"]})
        before = till.everything()
        till.redeem(serial, "T2", store="S2")
        assert till.everything() == before

    # -- undone

    def test_an_undone_redemption_reinstates_the_coupon(self, till: Till) -> None:
        serial = issue_to_anna(till)
        till.undo_redemption(till.redeem(serial, "T2"))
        coupon = found(till, serial)
        assert (coupon.state, coupon.redeemed_by, coupon.redeemed_at) == ("issued", None, None)
        assert till.redeem(serial, "T3").status == "recorded"

    def test_a_redemption_is_undone_once(self, till: Till) -> None:
        serial = issue_to_anna(till)
        redeemed = till.redeem(serial, "T2")
        first = till.undo_redemption(redeemed, event="X1")
        till.redeem(serial, "T3")
        assert till.undo_redemption(redeemed, event="X1") == attrs.evolve(first, status="already_recorded")
        assert reasons(till.undo_redemption(redeemed)) == ("already_undone",)
        assert reasons(till.redeem(serial, "T4")) == ("already_redeemed",)

    def test_a_retry_of_an_undone_redemption_redeems_nothing(self, till: Till) -> None:
        serial = issue_to_anna(till)
        till.undo_redemption(till.redeem(serial, "T2"))
        till.redeem(serial, "T3")
        again = till.redeem(serial, "T2")
        assert (again.status, again.undone) == ("already_recorded", True)
        coupon = found(till, serial)
        assert (coupon.redeemed_by, coupon.redemption) == ("T3", "acme/T3/redeem/T1/p/thanks/1")

    def test_an_undone_redemption_does_not_reinstate_an_expired_coupon(self, till: Till) -> None:
        serial = issue_to_anna(till, validity=THREE_DAYS)
        redeemed = till.redeem(serial, "T2")
        till.on(4, 0)
        till.undo_redemption(redeemed)
        assert found(till, serial).state == "expired"
        assert reasons(till.redeem(serial, "T3")) == ("expired",)

    def test_only_a_redemption_is_undone(self, till: Till) -> None:
        issue_to_anna(till)
        for key in ("acme/T1/p/thanks/1", "acme/T2/redeem/T1/p/thanks/1"):
            receipt = till.ledger.undo_redemption(till.program, key, event="X1", at=till.now)
            assert reasons(receipt) == ("unknown_redemption",)

    def test_one_event_undoes_two_redemptions(self, till: Till) -> None:
        till.runs(shop(hand_out(quantity=2), coupon_types=coupon_type()))
        sale = till.sell("T1")
        redeemed = [till.redeem(serial_of(sale, number), "T2") for number in (1, 2)]
        assert [till.undo_redemption(each, event="X1").status for each in redeemed] == ["recorded"] * 2
        assert [till.coupon(sale, number).state for number in (1, 2)] == ["issued"] * 2

    def test_a_full_return_of_the_redeeming_sale_reinstates_the_coupon(self, till: Till) -> None:
        serial = issue_to_anna(till)
        till.sell("T2", "100")
        till.redeem(serial, "T2")
        till.take_back("T2", "40")
        assert found(till, serial).state == "redeemed"
        till.take_back("T2", "60")
        assert found(till, serial).state == "issued"
        assert till.redeem(serial, "T3").status == "recorded"

    # -- stored value

    def test_100_on_a_gift_card_are_30_and_50_and_20(self, till: Till) -> None:
        serial = issue_to_anna(till, GIFT_CARD)
        taken = [discount(till.redeem(serial, f"B{bill}", bill)) for bill in ("30", "50", "40")]
        assert (taken, found(till, serial).remaining) == ([30, 50, 20], 0)
        assert reasons(till.redeem(serial, "T5", "10")) == ("already_redeemed",)

    def test_a_gift_card_with_a_remaining_value_can_be_redeemed(self, till: Till) -> None:
        serial = issue_to_anna(till, GIFT_CARD)
        till.redeem(serial, "T2", "99.99")
        coupon = found(till, serial)
        assert (coupon.state, coupon.remaining) == ("issued", Decimal("0.01"))

    def test_a_gift_card_pays_a_bill_once(self, till: Till) -> None:
        serial = issue_to_anna(till, GIFT_CARD)
        till.redeem(serial, "T2", "30")
        assert till.redeem(serial, "T2", "30").status == "already_recorded"
        assert found(till, serial).remaining == 70

    def test_an_undone_redemption_restores_the_value_of_a_gift_card(self, till: Till) -> None:
        serial = issue_to_anna(till, GIFT_CARD)
        first = till.redeem(serial, "T2", "30")
        till.redeem(serial, "T3", "70")
        till.undo_redemption(first)
        coupon = found(till, serial)
        assert (coupon.state, coupon.remaining) == ("issued", 30)
        assert discount(till.redeem(serial, "T4", "50")) == 30

    def test_an_undone_redemption_does_not_reinstate_a_voided_gift_card(self, till: Till) -> None:
        serial = issue_to_anna(till, GIFT_CARD)
        redeemed = till.redeem(serial, "T2", "30")
        till.void("acme/T1/p/thanks/1")
        till.undo_redemption(redeemed)
        assert found(till, serial).state == "voided"

    def test_an_expired_gift_card_pays_nothing(self, till: Till) -> None:
        serial = issue_to_anna(till, GIFT_CARD, validity=THREE_DAYS)
        till.redeem(serial, "T2", "30")
        till.on(4, 0)
        assert reasons(till.redeem(serial, "T3", "30")) == ("expired",)
        till.expire()
        assert reasons(till.redeem(serial, "T3", "30")) == ("expired",)


class CouponStory:
    """The story of a coupon: buy two mugs, get 15 % off the next visit."""

    def test_the_coupon_story(self, till: Till) -> None:
        two_mugs = {"lines": {"field": "sku", "is": "MUG"}, "quantity": {"at_least": "2"}}
        validity = {"expiry": {"type": "fixed_period", "after": {"days": 30}}}
        till.runs(
            shop(
                promotions=[{"id": "mugs", "when": two_mugs, "actions": [hand_out()]}],
                coupon_types=coupon_type(validity=validity, caps={"per_transaction": 1, "total": 5000}),
            )
        )
        mug = {"id": "1", "sku": "MUG", "unit_price": "12.50"}

        # One mug is not enough. Two mugs earn a coupon, even in an anonymous sale.
        assert till.sell("T1", "12.50", member=None, store="S1", lines=[{**mug, "quantity": "1"}]).intents == ()
        sales = [
            till.sell(event, "25", member=None, store="S1", lines=[{**mug, "quantity": "2"}])
            for event in ("T2", "T3", "T4")
        ]
        (coupon,) = (intent for intent in sales[0].intents if isinstance(intent, IssueCoupon))
        serial = serial_of(sales[0])
        assert (coupon.member, coupon.store, coupon.expires_on) == (None, "S1", moment(30).date())
        assert coupon.till_message == f"Coupon issued: {serial}"

        # A week later another member redeems the first in another store: 15 % of 80 is 12.
        till.on(7)
        redeemed = till.redeem(serial.lower(), "T5", "80", member="ben", store="S2")
        assert discount(redeemed) == 12
        assert reasons(till.redeem(serial, "T6", "80", store="S3")) == ("already_redeemed",)

        # The sale of the second is returned, which voids its coupon. The first is redeemed, the third is still issued.
        till.take_back("T3", "25", {"1": "2"})
        assert [till.coupon(sale).state for sale in sales] == ["redeemed", "voided", "issued"]

        # On the 31st day the third has expired.
        till.on(31, 0)
        till.expire()
        assert [till.coupon(sale).state for sale in sales] == ["redeemed", "voided", "expired"]
        assert till.ledger.snapshot(till.program, till.bill("probe")).coupons["next-visit"].total == 2
