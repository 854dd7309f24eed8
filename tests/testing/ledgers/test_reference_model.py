"""The reference model of a ledger, worked by hand: sales, returns, spends, coupons and expiry of one member."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from loyalty_rules.testing.ledgers.model.state import in_order
from loyalty_rules.testing.ledgers.reference_model import Model
from loyalty_rules.testing.ledgers.reference_programs import FIRST, SECOND, Bill, CounterUse, CouponRule, CurrencyRule
from loyalty_rules.testing.ledgers.reference_records import Counters, GoodsBack, Lot

NOON = datetime(2025, 1, 27, 6, 30, tzinfo=UTC)  # 12:00 in the zone of the programs
ANNA = ("member", "anna")


def bill(id: str = "T1", amount: int = 2000, *, member: str | None = "anna", at: datetime = NOON) -> Bill:
    """Return a sale of one piece in the store S1, with an amount in hundredths."""
    return Bill(id, at, member, "S1", amount, 1)


def sold(*bills: Bill, model: Model | None = None) -> Model:
    """Return a model after these sales under the first program."""
    model = model or Model()
    for each in bills:
        model.record(model.decide(FIRST, each, model.copy_of_counters()))
    return model


def lot(key: str, expires_at: datetime | None, outstanding: int = 100) -> Lot:
    rule = CurrencyRule("base", "points", lambda _: 100, {})
    return Lot(key, rule, bill(), ANNA, 100, [], expires_at, None, outstanding=outstanding)


# -- counters --------------------------------------------------------------------------------------------------------


def test_a_counter_sums_the_days_of_its_window() -> None:
    counters = Counters()
    for day, amount in ((1, 10), (2, 20), (2, 5), (3, 40)):
        counters.add(("cap", "a"), date(2025, 1, day), amount)

    assert counters.value(("cap", "a"), date(2025, 1, 2), date(2025, 1, 3)) == 65
    assert counters.value(("cap", "a"), date(2025, 1, 2), date(2025, 1, 2)) == 25
    assert counters.value(("cap", "a"), None, date(2025, 1, 1)) == 75
    assert counters.value(("cap", "b"), None, date(2025, 1, 1)) == 0


def test_the_rest_of_a_limit_may_be_below_zero() -> None:
    counters = Counters()
    counters.add(("cap", "a"), date(2025, 1, 1), 70)

    assert counters.left(CounterUse(("cap", "a"), date(2025, 1, 1), None, 50, 0)) == -20


def test_a_copy_of_the_counters_does_not_change() -> None:
    model = Model()
    seen = model.copy_of_counters()
    model.counters.add(("cap", "a"), date(2025, 1, 1), 70)

    assert seen.value(("cap", "a"), None, date(2025, 1, 1)) == 0


# -- sales -----------------------------------------------------------------------------------------------------------


def test_a_sale_of_20_earns_points_at_once_and_promises_of_points() -> None:
    """Base: 1 point for each 10. Late: 10 percent. Piece: 1 point. Small: 3. Stars: ship, roll, goods and family."""
    model = sold(bill())

    assert {key.split("/")[2]: lot.issued for key, lot in model.lots.items()} == {
        "base": 200,
        "late": 200,
        "ship": 100,
        "roll": 200,
        "family": 200,
        "piece": 100,
        "goods": 200,
        "small": 300,
    }
    assert model.balance(ANNA, "points", NOON) == (500, 300, 0, 0)
    assert model.balance(ANNA, "stars", NOON) == (400, 100, 0, 0)
    assert model.balance(("group", "home"), "stars", NOON) == (200, 0, 0, 0)


def test_an_anonymous_sale_earns_no_currency() -> None:
    assert sold(bill(member=None)).lots == {}


def test_a_daily_limit_trims_the_last_award() -> None:
    """Points for a member on one day: at most 60. A sale of 400 earns 40 of base, and 20 of late instead of 40."""
    model = sold(bill(amount=40000))

    assert [lot.issued for lot in model.lots.values() if lot.rule.id in ("base", "late")] == [4000, 2000]
    assert "acme/T1/milestone/do" not in model.lots


def test_the_third_visit_in_three_days_reaches_the_tracker() -> None:
    model = sold(*(bill(f"T{number}", 100) for number in (1, 2, 3)))

    assert [key for key in model.lots if "regular" in key] == ["acme/T3/regular/do"]


def test_a_sale_decided_by_old_counters_is_trimmed_when_it_is_recorded() -> None:
    model = Model()
    seen = model.copy_of_counters()
    decided = [model.decide(FIRST, bill(id, 40000), seen) for id in ("T1", "T2")]
    for decision in decided:
        model.record(decision)

    assert sum(lot.issued for lot in model.lots.values() if lot.rule.currency == "points") == 6000


# -- promises --------------------------------------------------------------------------------------------------------


def test_a_delayed_promise_is_released_after_three_days() -> None:
    model = sold(bill())

    assert model.settle(NOON + timedelta(days=3, seconds=-1)) == []
    assert [lot.key for lot in model.settle(NOON + timedelta(days=3))] == ["acme/T1/late/do"]
    assert model.balance(ANNA, "points", NOON + timedelta(days=3)) == (700, 100, 0, 0)


def test_a_shipped_sale_releases_its_promise_once() -> None:
    model = sold(bill())
    sale = model.sales["T1"]

    model.update(sale, "L1", NOON, "packed", None)
    assert model.lots["acme/T1/ship/do"].promised == 100
    for event in ("L2", "L3"):
        model.update(sale, event, NOON, "Shipped", None)
        assert (model.lots["acme/T1/ship/do"].promised, model.lots["acme/T1/ship/do"].outstanding) == (0, 100)


def test_a_promise_whose_expiry_is_past_is_cancelled() -> None:
    model = sold(bill())
    ship = model.lots["acme/T1/ship/do"]
    model.release(ship, NOON + timedelta(days=5))

    assert (ship.voided, ship.outstanding, ship.promised) == (100, 0, 0)


# -- returns ---------------------------------------------------------------------------------------------------------


def test_a_full_return_takes_back_all_but_kept_awards() -> None:
    model = sold(bill())

    assert model.take_back(model.sales["T1"], NOON, GoodsBack(2000, 1))
    assert model.balance(ANNA, "points", NOON) == (300, 0, 0, 0)
    assert [lot.rule.id for lot in model.lots.values() if lot.outstanding or lot.promised] == ["ship", "small"]


def test_a_half_return_recomputes_the_award() -> None:
    """The rest of 10 earns 1 point of base and 1 of the piece, of 3; the proportional 2 points of late become 1."""
    model = sold(bill())
    model.take_back(model.sales["T1"], NOON, GoodsBack(1000, 0))

    assert model.lots["acme/T1/base/do"].outstanding == 100
    assert model.lots["acme/T1/late/do"].promised == 100


def test_more_pieces_than_bought_are_refused() -> None:
    model = sold(bill())

    assert not model.take_back(model.sales["T1"], NOON, GoodsBack(0, 2))
    assert model.sales["T1"].pieces_back() == 0


def test_a_shortfall_is_carried_and_paid_by_the_next_award() -> None:
    model = sold(bill(amount=4000))
    assert model.spend(FIRST, "B1", ANNA, "points", 400, NOON) == []
    model.take_back(model.sales["T1"], NOON, GoodsBack(4000, 1))
    assert model.balance(ANNA, "points", NOON)[2] == 400

    sold(bill("T2", 5000), model=model)

    assert model.balance(ANNA, "points", NOON) == (100, 600, 0, 0)


def test_a_shortfall_that_is_written_off_leaves_no_debt() -> None:
    model = Model()
    model.record(model.decide(SECOND, bill(), model.copy_of_counters()))  # 4 points of base
    model.spend(SECOND, "B1", ANNA, "points", 400, NOON)
    model.take_back(model.sales["T1"], NOON, GoodsBack(2000, 1))

    assert model.balance(ANNA, "points", NOON) == (0, 0, 0, 0)


# -- spends ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "reasons"),
    [
        (400, []),
        (600, ["insufficient"]),
        (500, ["not_a_block", "insufficient"]),
        (200, ["below_least"]),
        (4200, ["above_most", "insufficient"]),
        (-200, ["not_positive", "below_least"]),
    ],
)
def test_a_spend_is_refused_for_every_reason(amount: int, reasons: list[str]) -> None:
    """At least 4 points, in blocks of 2, at most 40; the balance is 4."""
    assert sold(bill(amount=4000)).spend(FIRST, "B1", ANNA, "points", amount, NOON) == reasons


def test_an_undone_spend_restores_live_lots_and_expires_others() -> None:
    model = sold(bill(amount=4000))
    model.spend(FIRST, "B1", ANNA, "points", 400, NOON)
    base = model.lots["acme/T1/base/do"]
    assert base.expires_at is not None

    model.undo_spend(model.spends["acme/B1/spend/points"], base.expires_at)

    assert (base.outstanding, base.spent, base.expired) == (0, 0, 400)
    assert model.spends["acme/B1/spend/points"].is_undone


def test_lots_are_spent_by_expiry_and_those_without_expiry_last() -> None:
    late, never, soon = lot("late", NOON + timedelta(days=2)), lot("never", None), lot("soon", NOON + timedelta(days=1))
    past, empty = lot("past", NOON), lot("empty", None, outstanding=0)

    assert [each.key for each in in_order([late, never, soon, past, empty], NOON)] == ["soon", "late", "never"]


# -- coupons ---------------------------------------------------------------------------------------------------------


def test_a_stored_value_is_redeemed_in_parts() -> None:
    """A bill of 60 earns a card with a stored value of 50, valid from the next midnight."""
    model = sold(bill(amount=6000))
    [card] = [coupon for coupon in model.coupons.values() if coupon.rule.id == "card"]
    tomorrow = NOON + timedelta(days=1)

    assert model.redeem(card, bill("T2", 3000))[0] == ["not_yet_valid"]
    reasons, first = model.redeem(card, bill("T3", 3000, at=tomorrow))
    assert (reasons, first and first.discount, card.remaining, card.state) == ([], 3000, 2000, "issued")
    _, second = model.redeem(card, bill("T4", 3000, at=tomorrow))
    assert second is not None
    assert (second.discount, card.remaining, card.state) == (2000, 0, "redeemed")
    model.undo_redemption(second, tomorrow)
    assert (card.remaining, card.state, card.redeemed_by) == (2000, "issued", None)


def test_only_the_holder_redeems_a_card() -> None:
    model = sold(bill(amount=6000))
    [card] = [coupon for coupon in model.coupons.values() if coupon.rule.id == "card"]
    tomorrow = NOON + timedelta(days=1)

    assert model.redeem(card, bill("T2", member="ben", at=tomorrow))[0] == ["wrong_member"]
    assert model.redeem(card, bill("T3", member=None, at=tomorrow))[0] == ["wrong_member"]


def test_a_percentage_is_rounded_half_up() -> None:
    """15 percent of 30.10 is 4.515."""
    model = sold(bill(amount=3000))
    coupon = model.coupons["acme/T1/next/do/1"]
    _, redemption = model.redeem(coupon, bill("T2", 3010))

    assert redemption is not None
    assert redemption.discount == 452
    assert model.redeem(coupon, bill("T3"))[0] == ["already_redeemed"]


def test_a_shared_code_finds_the_own_coupon_of_a_member() -> None:
    model = sold(bill("T1", 5000, member="ben"), bill("T2", 5000))
    shared = [coupon for coupon in model.coupons.values() if coupon.rule.code == "FIVE"]

    found = model.find(shared[0], "anna", NOON)
    assert found is not None
    assert found.bill.id == "T2"
    assert model.find(shared[0], "carl", NOON) is None


def test_a_coupon_is_redeemed_under_the_terms_of_its_issue() -> None:
    """5 off a bill of 20, whatever today's version of the program says."""
    model = sold(bill(amount=5000))
    five = next(coupon for coupon in model.coupons.values() if coupon.rule.id == "five")

    reasons, redemption = model.redeem(five, bill("T2"))

    assert (reasons, redemption and redemption.discount) == ([], 500)


def test_a_voided_coupon_returns_its_counters() -> None:
    """Two coupons of one type were issued, and one of them is voided: 5, 4 and 8 less one."""
    model = sold(bill(amount=3000))
    coupon = model.coupons["acme/T1/next/do/1"]
    model.void(coupon)

    assert coupon.state == "voided"
    assert [model.counters.left(use) for use in coupon.uses] == [4, 3, 7]


# -- time ------------------------------------------------------------------------------------------------------------


def test_lots_and_coupons_expire_at_their_end_and_once() -> None:
    """A bill of 30 earns 3 points for 9 days, and two coupons for 4 days, each until the end of its last day."""
    model = sold(bill(amount=3000))
    base, coupon = model.lots["acme/T1/base/do"], model.coupons["acme/T1/next/do/1"]
    end = datetime(2025, 1, 31, 18, 30, tzinfo=UTC)

    assert coupon.state_at(end - timedelta(seconds=1)) == "issued"
    assert coupon.state_at(end) == "expired"
    assert base.is_live(datetime(2025, 2, 5, 18, 29, 59, tzinfo=UTC))
    assert model.expire(datetime(2025, 2, 5, 18, 30, tzinfo=UTC)) == 6  # base, roll, family, goods and both coupons
    assert (base.expired, base.outstanding, coupon.state) == (300, 0, "expired")
    assert model.expire(datetime(2025, 2, 5, 18, 30, tzinfo=UTC)) == 0


def test_coming_instants_are_later_expiries_and_due_dates() -> None:
    """A bill of 20: late is due in 3 days. A coupon lives 4 days, roll and family 5, goods 6, small 8, and base 9."""
    model = sold(bill())
    due, issued_on = NOON + timedelta(days=3), datetime(2025, 1, 27, 18, 30, tzinfo=UTC)
    ends = [issued_on + timedelta(days=days) for days in (4, 5, 6, 8, 9)]

    assert model.coming_instants(NOON) == [due, *ends]
    assert model.coming_instants(due) == ends
    assert model.coming_instants(ends[-1]) == []


def test_a_rolling_issue_extends_the_live_lots_of_its_account() -> None:
    """Roll expires after 5 days, for all stars of the account: the lot of T1 gets the end of T2."""
    later = NOON + timedelta(days=2)
    model = sold(bill("T1"), bill("T2", at=later))

    assert model.lots["acme/T1/roll/do"].expires_at == model.lots["acme/T2/roll/do"].expires_at
    assert model.lots["acme/T1/roll/do"].expires_at == datetime(2025, 2, 3, 18, 30, tzinfo=UTC)


def test_a_rule_for_coupons_without_days_never_expires() -> None:
    rule = CouponRule("five", lambda _: 1, 1, {"type": "amount_off", "amount": "5"})
    model = Model()
    model.issue_coupon("T1", rule, bill(), 1, [])

    assert model.coupons["acme/T1/five/do/1"].state_at(NOON + timedelta(days=36_500)) == "issued"


# -- parts, holds, amendments, transfers -----------------------------------------------------------------------------


def test_a_part_of_a_spend_comes_back_to_the_lot_drawn_last() -> None:
    """The points of base (4, for 9 days) and of welcome (25, without end): 20 are spent, and 17 undone."""
    model = sold(bill(amount=4000), Bill("T2", NOON, "anna", None, 0, 0))
    model.spend(FIRST, "B1", ANNA, "points", 2000, NOON)
    spend = model.spends["acme/B1/spend/points"]

    assert model.undo_spend(spend, NOON, 1700) == []
    assert (model.lots["acme/T2/welcome/do"].spent, model.lots["acme/T1/base/do"].spent) == (0, 300)
    assert model.undo_spend(spend, NOON, 400) == ["more_than_spent"]


def test_a_captured_part_of_a_hold_is_spent_and_the_rest_released() -> None:
    """The 4 points of base are held, and 3 captured."""
    model = sold(bill(amount=4000))
    assert model.hold(FIRST, "H1", ANNA, "points", 400, NOON, NOON + timedelta(days=1)) == []
    hold = model.holds["acme/H1/hold/points"]
    assert model.balance(ANNA, "points", NOON)[::3] == (0, 400)

    assert model.capture(hold, "B1", NOON, 300) == []
    assert model.balance(ANNA, "points", NOON)[::3] == (100, 0)
    assert model.release_hold(hold, NOON) == ["hold_ended"]


def test_a_hold_that_is_over_settles_the_shortfall_of_its_lot() -> None:
    """A return finds the 4 points of base held: they are short, and settle that when the hold is over."""
    model = sold(bill(amount=4000))
    model.hold(FIRST, "H1", ANNA, "points", 400, NOON, NOON + timedelta(days=1))
    model.take_back(model.sales["T1"], NOON, GoodsBack(4000, 1))
    assert model.balance(ANNA, "points", NOON) == (0, 0, 400, 400)

    model.end_holds(NOON + timedelta(days=1))
    assert model.balance(ANNA, "points", NOON) == (0, 0, 0, 0)


def test_an_amendment_issues_the_difference_and_takes_it_back() -> None:
    """A bill of 20 becomes one of 40: base earns 4 points instead of 2; and one of 10: it earns 1."""
    model = sold(bill())
    sale = model.sales["T1"]

    assert model.amend(sale, "A1", NOON, Bill("T1", NOON, "anna", "S1", 4000, 1)) == []
    assert model.lots["acme/A1/base/do"].outstanding == 200
    assert model.amend(sale, "A2", NOON, Bill("T1", NOON, "anna", "S1", 1000, 1)) == []
    assert [model.lots[f"acme/{event}/base/do"].outstanding for event in ("T1", "A1")] == [100, 0]


def test_a_claimed_sale_earns_for_its_member() -> None:
    model = sold(bill(member=None))

    assert model.amend(model.sales["T1"], "A1", NOON, bill()) == []
    assert model.balance(ANNA, "points", NOON) == (500, 300, 0, 0)


def test_a_transfer_moves_units_and_voids_its_fee() -> None:
    """Stars of a bill of 20: roll 2 and goods 2. One is given away, for a fee of 0.5."""
    model = sold(bill())
    ben = ("member", "ben")

    assert model.transfer(FIRST, "J1", ANNA, ben, "stars", 100, NOON) == []
    assert (model.balance(ANNA, "stars", NOON)[0], model.balance(ben, "stars", NOON)[0]) == (250, 100)
    assert model.lots["acme/T1/roll/do"].voided + model.lots["acme/T1/goods/do"].voided == 50


def test_an_adjustment_above_15_points_waits_for_another_person() -> None:
    model = Model()
    assert model.adjust(FIRST, "J1", ANNA, "points", 1600, "goodwill", "clerk", NOON, None) == []
    lot = model.lots["acme/J1/adjust/points"]

    assert model.balance(ANNA, "points", NOON) == (0, 1600, 0, 0)
    assert model.against_confirmation(lot, None, "clerk") == ["same_person"]
    model.confirm(lot, "L1", NOON, None, is_cancelled=False)
    assert model.balance(ANNA, "points", NOON) == (1600, 0, 0, 0)


def test_a_merge_brings_units_and_counters_to_the_other_member() -> None:
    model = sold(bill(member="carl"), bill("T2", member="ben"))
    seen = model.copy_of_counters()
    assert model.merge("carl", "ben", NOON) == []

    assert model.balance(("member", "ben"), "points", NOON)[0] == 1000
    assert seen.value(("tracker", "visits", "ben"), None, date(2025, 1, 27)) == 1
    assert model.counters.value(("tracker", "visits", "ben"), None, date(2025, 1, 27)) == 2
    assert model.merge("carl", "anna", NOON) == ["closed_account"]


def test_a_set_of_coupons_and_points_pays_a_bill_in_its_order() -> None:
    """On a bill of 20: 15 percent are 3, 5 points are worth 0.25; 4 points of base and 25 of welcome are there."""
    model = sold(bill(amount=4000), Bill("T2", NOON, "anna", None, 0, 0))
    coupon = model.coupons["acme/T1/next/do/1"]

    assert model.redeem_all(FIRST, [coupon], [(ANNA, "points", 600)], bill("T3")) == set()
    assert model.left_of_bill(bill("T3")) == (2000 - 300 - 30) * 1_000_000
    assert model.redeem_all(FIRST, [coupon], [(ANNA, "points", 4000)], bill("T4")) == {
        "already_redeemed", "insufficient",
    }  # fmt: skip
