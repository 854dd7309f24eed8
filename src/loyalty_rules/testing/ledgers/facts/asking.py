"""Facts about questions: skipped actions, explanations, progress, expiring units, previews. Source: semantics 16.

Every expected value is worked out by hand.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.ledger.receipts import SaleReceipt
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    BEN,
    DAYS_30,
    Till,
    coupon_type,
    earn,
    fixed,
    hand_out,
    moment,
    proportional,
    serial_of,
    shop,
)

__all__ = ["QuestionFacts"]

YEAR = {"type": "calendar", "unit": "year"}
STATUS = {
    "levels": ["bronze", "silver", "gold"],
    "by": "spent",
    "from": {"silver": "100", "gold": "500"},
    "lasts": {"type": "fixed_period", "after": {"years": 1}, "through": "year"},
}


class QuestionFacts:
    """Questions that members and the help desk ask; none of them writes."""

    def test_a_receipt_names_the_actions_that_were_skipped_and_why(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10")), earn(proportional("0"), "nothing")))
        receipts = [till.sell("T1"), till.sell("T1")]
        for receipt in receipts:
            assert isinstance(receipt, SaleReceipt)
            assert [(each.promotion, each.action, each.reason) for each in receipt.skipped] == [
                ("p", "nothing", "zero_amount")
            ]
        assert [each.status for each in receipts] == ["recorded", "already_recorded"]

    def test_a_receipt_quotes_no_value_of_a_free_form_field(self, till: Till) -> None:
        tip = {"type": "transaction_custom_field", "field": "tip"}
        till.runs(shop(earn({"type": "proportional", "percent": "10", "of": tip})))
        receipt = till.sell("T1", custom_fields={"tip": "a secret: of Anna"})
        assert isinstance(receipt, SaleReceipt)
        assert [each.detail for each in receipt.skipped] == ["custom_fields.tip is not a decimal"]

    def test_a_sale_is_explained_by_its_frozen_terms_and_its_present_state(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10")), hand_out(), coupon_types=coupon_type()))
        sold = till.sell("T1", "200")
        till.runs(shop(earn(proportional("50"))))  # an edit changes nothing about it
        till.on(1)
        till.spend("5")
        till.take_back("T1", "50", event="R1")
        till.redeem(serial_of(sold), "T2", store="S2")

        explained = till.ledger.explain(till.program, "T1")

        assert explained is not None
        assert explained.trace is not None
        (promotion,) = explained.trace.promotions
        assert [(each.action, each.outcome) for each in promotion.actions] == [
            ("earn", "20 points issued"),
            ("thanks", "1 × coupon next-visit"),
        ]
        assert explained.recorded == (
            "acme/T1/p/earn: 20 points issued",
            "acme/T1/p/thanks/1: coupon next-visit issued",
        )
        # A quarter of 20 is taken back; 5 were spent; so 10 are left.
        assert explained.since == (
            "return R1 at 2025-01-16T10:00:00+00:00",
            "acme/T1/p/earn: of 20 points 10 available, 5 spent, 5 taken back",
            "acme/T1/p/thanks/1: next-visit redeemed, last redeemed by T2 in S2, 15 off in all",
        )
        assert "10 % of 200 is 20" in str(explained)

    def test_the_explanation_says_what_a_cap_left_out_at_the_record(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), caps={"total": {"amount": "15"}})))
        decided = till.decide("T2")  # with nothing issued so far
        till.sell("T1")
        till.ledger.record(decided)
        explained = till.ledger.explain("acme", "T2")
        assert explained is not None
        assert explained.recorded == (
            "acme/T2/p/earn: 5 points issued",
            "acme/T2/p/earn: 5 of 10 recorded, because of p/earn/total/lifetime",
        )

    def test_a_return_is_explained_by_its_record_and_an_unknown_event_not_at_all(self, till: Till) -> None:
        till.runs(shop(earn(proportional("10"))))
        till.sell("T1", "200")
        till.spend("15")
        till.take_back("T1", "100", event="R1")
        explained = till.ledger.explain("acme", "R1")
        assert explained is not None
        assert (explained.trace, explained.since) == (None, ())
        (line,) = explained.recorded
        assert line.endswith("10 points taken back of acme/T1/p/earn, 5 short")
        assert str(explained).splitlines()[0] == "R1 under the program acme:"
        assert till.ledger.explain("acme", "T9") is None

    def test_units_that_expire_soon_are_listed_by_their_last_day(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=DAYS_30), earn(fixed("7"), "always")))
        till.sell("T1")  # until 14 February
        till.on(1)
        till.sell("T2")
        till.sell("T3")  # two lots until 15 February
        till.spend("4")  # from the lot that ends first
        till.ledger.hold(till.program, ANNA, "points", Decimal(8), moment(9), event="H1", at=till.now)

        def expiring(before: Any, at: Any = till.now) -> list[tuple[str, str, str]]:
            rows = till.ledger.expiring(till.program, ANNA, "points", at, before)
            return [(str(each.expires_on), str(each.available), str(each.held)) for each in rows]

        assert expiring(date(2025, 2, 15)) == [("2025-02-14", "0", "6")]
        assert expiring(date(2025, 2, 16)) == [("2025-02-14", "0", "6"), ("2025-02-15", "18", "2")]
        assert expiring(moment(31, 0)) == [("2025-02-14", "0", "6")]  # at midnight, as the 15th begins
        assert expiring(moment(30, 23, 59, 59)) == []
        assert expiring(date(2025, 2, 16), at=moment(9)) == [("2025-02-14", "6", "0"), ("2025-02-15", "20", "0")]
        assert expiring(date(2025, 2, 16), at=moment(31)) == [("2025-02-15", "20", "0")]
        assert [*till.ledger.expiring("acme", BEN, "points", till.now, date(2030, 1, 1))] == []

    def test_an_instant_without_an_offset_is_refused(self, till: Till) -> None:
        with pytest.raises(InvalidValueError, match="before"):
            till.ledger.expiring("acme", ANNA, "points", till.now, till.now.replace(tzinfo=None))

    def test_progress_has_each_tracker_and_level_with_what_is_missing(self, till: Till) -> None:
        till.runs(
            shop(
                earn(fixed("1")),
                trackers={
                    "spent": {"measure": {"type": "transaction_value"}, "target": "1000", "window": YEAR},
                    "visits": {"measure": {"type": "count"}, "target": "2", "repeats": True},
                    "first": {"measure": {"type": "count"}, "target": "1"},
                    "house": {"measure": {"type": "count"}, "target": "5", "per": "member_group"},
                },
                tiers={"status": STATUS},
            )
        )
        for number in range(3):
            till.sell(f"T{number}", "50.25")
        progress = till.ledger.progress(till.program, "anna", till.now)
        assert [
            (each.tracker, str(each.value), str(each.target), str(each.missing), each.reached)
            for each in progress.trackers
        ] == [
            ("spent", "150.75", "1000", "849.25", 0),
            ("visits", "3", "4", "1", 1),
            ("first", "3", "1", "0", 1),
        ]
        assert [(each.first, each.last) for each in progress.trackers[:2]] == [
            (date(2025, 1, 1), date(2025, 12, 31)),
            (None, None),
        ]
        status = progress.tiers["status"]
        assert (status.level, status.until, status.next_level) == ("silver", date(2026, 12, 31), "gold")
        assert status.to_next == Decimal("349.25")
        assert status == till.ledger.tier(till.program, "anna", "status", till.now)
        household = till.ledger.progress(till.program, "anna", till.now, group="household")
        assert household.trackers[-1].tracker == "house"

    def test_a_preview_of_a_cart_needs_no_serial_and_writes_nothing(self, till: Till) -> None:
        till.runs(
            shop(
                earn(proportional("10"), caps={"total": {"amount": "15"}}),
                hand_out(),
                coupon_types=coupon_type(),
                trackers={"visits": {"measure": {"type": "count"}, "target": "10"}},
            )
        )
        till.sell("T1", "100")
        before = till.everything()
        cart = till.bill("cart", "100")

        preview = till.ledger.preview(till.program, cart)

        points, coupon, visit = preview.intents
        assert points.type == "issue_currency"
        assert str(points.amount) == "5"  # 15 in all, 10 of them are issued
        assert coupon.type == "issue_coupon"
        assert (coupon.serial, coupon.coupon_type) == (None, "next-visit")
        assert visit.type == "advance_tracker"
        assert [(each.path, str(each.missing)) for each in preview.needed()] == [("trackers.visits", "8")]
        assert till.everything() == before
        assert till.ledger.explain("acme", "cart") is None
