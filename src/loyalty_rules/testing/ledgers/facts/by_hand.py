"""Operations by hand on an account: adjust, transfer, extend, reassign, void, top up. Source: semantics 13."""

# mypy: disable-error-code="comparison-overlap"
# A Decimal amount may be compared with a whole number.

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.receipts import AdjustReceipt, Receipt, TransferReceipt
from loyalty_rules.ledger.reports import conversion, issuance, liability
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.testing.ledgers.facts.promising import reasons
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    BEN,
    Document,
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

__all__ = ["AdjustFacts", "CardFacts", "HandFacts", "MergeFacts", "ReportFacts", "TransferFacts"]

WHY: Document = {"reason": "typed by mistake", "by": "desk-3"}
DAYS_30: Document = {"type": "fixed_period", "after": {"days": 30}}


def adjust(till: Till, amount: str, event: str = "A1", account: Account = ANNA, **parts: Any) -> AdjustReceipt:
    terms = {**WHY, "event": event, "at": till.now, **parts}
    return till.ledger.adjust(till.program, account, "points", Decimal(amount), **terms)


def transfer(till: Till, amount: str, event: str = "X1", target: Account = BEN, **parts: Any) -> TransferReceipt:
    terms = {**WHY, "event": event, "at": till.now, **parts}
    return till.ledger.transfer(till.program, ANNA, target, "points", Decimal(amount), **terms)


def giving(**terms: Any) -> Document:
    """Return the part of a program by which points can be given away."""
    return {"currencies": {"points": {"transfer": terms, "redeem": {"points": "100", "value": "1.00"}}}}


class AdjustFacts:
    """Facts about adjustments of a balance."""

    def test_an_upward_adjustment_is_a_lot_that_lives_through_its_last_day(self, till: Till) -> None:
        adjust(till, "40", expires_on=date(2025, 1, 20))
        assert (till.points(), till.points(at=moment(5, 23)), till.points(at=moment(6, 0))) == (40, 40, 0)

    def test_a_downward_adjustment_takes_from_the_lot_that_expires_soonest(self, till: Till) -> None:
        adjust(till, "100", "A1")
        adjust(till, "50", "A2", expires_on=date(2025, 2, 1))
        assert adjust(till, "-60", "A3").status == "recorded"
        assert [lot.outstanding for lot in till.lots()] == [90, 0]
        assert [lot.voided for lot in till.lots()] == [10, 50]

    def test_a_downward_adjustment_takes_at_most_what_is_there(self, till: Till) -> None:
        adjust(till, "100", "A1")
        assert reasons(adjust(till, "-100.000001", "A2")) == ("not_enough",)
        assert adjust(till, "-100", "A3").status == "recorded"
        assert till.points() == 0

    def test_the_rules_of_redeeming_do_not_bind_an_adjustment(self, till: Till) -> None:
        rate = {"points": "100", "value": "5", "least": "500", "block": "100", "most": "1000"}
        till.runs(shop(currencies={"points": {"redeem": rate}}))
        adjust(till, "5020", "A1")
        adjust(till, "-4990", "A2")
        assert till.points() == 30

    def test_the_statement_has_the_reason_and_the_person(self, till: Till) -> None:
        adjust(till, "30", "A1", reason="a present", by="desk-1")
        adjust(till, "-10", "A2")
        lines = [(each.source, each.target, each.amount, each.reason, each.by) for each in till.statement()]
        assert lines == [
            ("issued", "available", 30, "a present", "desk-1"),
            ("available", "voided", 10, "typed by mistake", "desk-3"),
        ]

    def test_the_program_can_name_the_reasons_and_the_maximum(self, till: Till) -> None:
        till.runs(shop(adjustments={"reasons": ["goodwill"], "most": "100"}))
        assert reasons(adjust(till, "101", "A1")) == ("reason_not_allowed", "above_most")
        assert reasons(adjust(till, "-101", "A2", reason="goodwill")) == ("above_most", "not_enough")
        assert adjust(till, "100", "A3", reason="goodwill").status == "recorded"

    def test_another_person_must_confirm_an_adjustment_above_the_threshold(self, till: Till) -> None:
        till.runs(shop(adjustments={"approve_over": "100"}))
        adjust(till, "100", "A1")
        adjust(till, "101", "A2")
        assert (till.points(), till.promised()) == (100, 101)
        confirmation = {"type": "confirmation", "promise": "acme/A2/adjust/points", "outcome": "issue"}
        assert reasons(till.process({**confirmation, "id": "C1", "by": "desk-3"})) == ("same_person",)
        assert reasons(till.process({**confirmation, "id": "C2"})) == ("same_person",)
        assert till.process({**confirmation, "id": "C3", "by": "boss"}).status == "recorded"
        assert (till.points(), till.promised()) == (201, 0)
        assert reasons(till.process({**confirmation, "id": "C4", "by": "boss"})) == ("already_resolved",)

    def test_a_downward_adjustment_needs_no_confirmation(self, till: Till) -> None:
        till.runs(shop(adjustments={"approve_over": "100"}))
        adjust(till, "100", "A1")
        adjust(till, "100", "A2")
        adjust(till, "-150", "A3")
        assert (till.points(), till.promised()) == (50, 0)

    def test_the_lot_of_a_confirmed_adjustment_begins_with_the_confirmation(self, till: Till) -> None:
        till.runs(shop(adjustments={"approve_over": "0"}))
        adjust(till, "10", expires_on=date(2025, 1, 31))
        till.on(3)
        part = {"type": "confirmation", "promise": "acme/A1/adjust/points", "outcome": "issue", "by": "boss"}
        till.process({**part, "id": "C1", "amount": "4"})
        assert (till.points(), till.promised(), till.points(at=moment(2))) == (4, 6, 0)
        till.on(20)  # after the last day, 31 January
        till.process({**part, "id": "C2"})
        assert (till.points(), till.promised()) == (0, 0)

    def test_an_adjustment_is_recorded_once(self, till: Till) -> None:
        first = adjust(till, "40")
        again = adjust(till, "40")
        assert (again.status, again.intents) == ("already_recorded", first.intents)
        with pytest.raises(IdempotencyConflict):
            adjust(till, "41")
        assert till.points() == 40

    @pytest.mark.parametrize(
        ("parts", "reason"),
        [({"amount": "0"}, "zero_amount"), ({"amount": "1", "expires_on": date(2025, 1, 14)}, "already_expired")],
    )
    def test_an_adjustment_without_an_effect_is_refused(self, till: Till, parts: Any, reason: str) -> None:
        assert reasons(adjust(till, **parts)) == (reason,)

    def test_an_upward_adjustment_pays_a_debt_first(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), shortfall="carry"))
        till.sell("T1", "100")
        till.spend("70")
        till.take_back("T1", "100")  # 30 are there, 70 are owed
        adjust(till, "80")
        assert (till.points(), till.debt()) == (10, 0)

    def test_adjustments_are_issued_and_voided_units_of_no_sale(self, till: Till) -> None:
        adjust(till, "100", "A1")
        adjust(till, "-30", "A2")
        (row,) = till.ledger.report_rows("acme", till.now).lots
        assert (row.lot.store, row.lot.issued, row.lot.voided, row.lot.outstanding) == (None, 100, 30, 70)


class TransferFacts:
    """Facts about transfers of units to another account."""

    @pytest.fixture
    def generous(self, till: Till) -> Till:
        """Issue Anna 100 points, which expire after 30 days and can be given away."""
        till.runs(shop(earn(proportional("100"), expiry=DAYS_30), **giving()))
        till.sell("T1", "100")
        return till

    def test_units_keep_their_last_day(self, generous: Till) -> None:
        transfer(generous, "60")
        (lot,) = generous.lots(BEN)
        assert (generous.points(), generous.points(BEN), lot.expires_on) == (40, 60, date(2025, 2, 14))

    def test_units_move_lot_by_lot_soonest_first(self, generous: Till) -> None:
        generous.on(1)
        generous.sell("T2", "100")
        transfer(generous, "130")
        assert [(lot.outstanding, lot.expires_on.day) for lot in generous.lots(BEN)] == [(100, 14), (30, 15)]  # type: ignore[union-attr]
        assert generous.points() == 70

    def test_the_fee_comes_on_top_and_is_drawn_after_the_units(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), **giving(fee="5")))
        till.sell("T1", "100")
        assert reasons(transfer(till, "96")) == ("insufficient",)
        transfer(till, "95", "X2")
        assert (till.points(), till.points(BEN)) == (0, 95)
        assert [(each.target, each.amount) for each in till.statement()][1:] == [("moved", 95), ("voided", 5)]

    def test_a_currency_without_terms_cannot_be_given_away(self, till: Till) -> None:
        till.runs(shop(earn(fixed("100"))))
        till.sell("T1")
        assert reasons(transfer(till, "1")) == ("not_transferable",)

    def test_the_terms_and_the_accounts_are_checked(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), **giving(least="10")))
        till.sell("T1", "100")
        assert reasons(transfer(till, "9", "X1")) == ("below_least",)
        assert reasons(transfer(till, "0", "X2")) == ("not_positive", "below_least")
        assert reasons(transfer(till, "101", "X3", ANNA)) == ("same_member", "insufficient")

    def test_the_maximum_counts_what_the_source_sent_in_the_window_without_fees(self, till: Till) -> None:
        most = {"amount": "50", "window": {"type": "calendar", "unit": "month"}}
        till.runs(shop(earn(proportional("100")), **giving(fee="1", most=most)))
        till.sell("T1", "200")
        transfer(till, "30", "X1")
        assert reasons(transfer(till, "21", "X2")) == ("above_most",)
        assert transfer(till, "20", "X3").status == "recorded"
        till.on(17)  # 1 February
        assert transfer(till, "50", "X4").status == "recorded"
        assert till.points(BEN) == 100

    def test_a_rolling_maximum_holds_for_every_window(self, till: Till) -> None:
        most = {"amount": "50", "window": {"type": "rolling", "days": 3}}
        till.runs(shop(earn(proportional("100")), **giving(most=most)))
        till.sell("T1", "200")
        till.on(4)
        transfer(till, "30", "X1")
        till.on(2)  # uploaded late: days 2 to 4 are one window
        assert reasons(transfer(till, "21", "X2")) == ("above_most",)
        assert transfer(till, "20", "X3").status == "recorded"
        till.on(1)  # of days 1 to 3 only the second has 20
        assert transfer(till, "30", "X4").status == "recorded"

    def test_a_return_takes_transferred_units_last(self, generous: Till) -> None:
        generous.on(1)
        generous.sell("T2", "20")
        transfer(generous, "60")  # of the first sale: 40 are left at Anna's, and 20 of the second sale
        generous.take_back("T1", "70")  # 40 of the sale, 20 others of Anna's, 10 of Ben's
        assert (generous.points(), generous.points(BEN)) == (0, 50)

    def test_a_return_takes_units_that_were_given_back_as_the_own_ones(self, generous: Till) -> None:
        transfer(generous, "60", "X1")
        terms = {**WHY, "event": "X2", "at": generous.now}
        generous.ledger.transfer(generous.program, BEN, ANNA, "points", Decimal(50), **terms)
        generous.sell("T2", "30")
        generous.take_back("T1", "90")  # 40 and the 50 that came back, none of the second sale
        assert (generous.points(), generous.points(BEN)) == (30, 10)

    def test_a_shortfall_after_a_transfer_is_the_sources(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), shortfall="carry", **giving()))
        till.sell("T1", "100")
        transfer(till, "60")
        till.spend("60", account=BEN)
        till.take_back("T1", "100")
        assert (till.debt(), till.debt(BEN), till.points(), till.points(BEN)) == (60, 0, 0, 0)

    def test_incoming_units_pay_a_debt_first(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), shortfall="carry", **giving()))
        till.sell("T1", "100", member="ben")
        till.spend("100", account=BEN)
        till.take_back("T1", "100")
        till.sell("T2", "150")
        transfer(till, "120")
        assert (till.points(BEN), till.debt(BEN), till.points()) == (20, 0, 30)

    def test_both_statements_have_the_reason(self, generous: Till) -> None:
        transfer(generous, "60")
        assert [(each.amount, each.reason, each.by) for each in generous.statement(BEN)] == [
            (60, "typed by mistake", "desk-3")
        ]
        assert generous.statement()[-1].by == "desk-3"

    def test_units_that_moved_on_expire_with_a_sweep(self, generous: Till) -> None:
        transfer(generous, "60")
        generous.on(31)
        assert len(generous.expire()) == 2
        assert [lot.expired for lot in (*generous.lots(), *generous.lots(BEN))] == [40, 60]


class HandFacts:
    """Facts about lots and coupons that a person extends, gives to another member, or voids."""

    @pytest.fixture
    def gift(self, till: Till) -> Till:
        """Issue Anna a coupon that only its holder redeems, until 14 February."""
        terms = {"validity": {"expiry": DAYS_30}, "redemption": {"holder_only": True}}
        amount = {"type": "amount_off", "amount": "5"}
        till.runs(shop(hand_out(), coupon_types=coupon_type(amount, **terms)))
        return till

    COUPON = "acme/T1/p/thanks/1"

    def test_a_coupon_that_is_extended_can_be_redeemed_until_its_new_last_day(self, gift: Till) -> None:
        sale = gift.sell("T1")
        days = {"expires_on": date(2025, 3, 1), "event": "E1", "at": gift.now, **WHY}
        assert gift.ledger.extend(gift.program, coupon=self.COUPON, **days).status == "recorded"
        gift.on(36)  # 20 February
        assert gift.redeem(serial_of(sale), "P1").status == "recorded"

    def test_an_extension_never_shortens_and_revives_nothing(self, gift: Till) -> None:
        gift.sell("T1")
        terms = {"event": "E1", "at": gift.now, **WHY}
        same = gift.ledger.extend(gift.program, date(2025, 2, 14), coupon=self.COUPON, **terms)
        assert reasons(same) == ("not_later",)
        late = {**terms, "event": "E2", "at": moment(31)}
        assert reasons(gift.ledger.extend(gift.program, date(2025, 4, 1), coupon=self.COUPON, **late)) == ("expired",)

    def test_a_coupon_of_another_member_is_redeemed_by_that_member(self, gift: Till) -> None:
        sale = gift.sell("T1")
        terms = {"event": "E1", "at": gift.now, **WHY}
        gift.ledger.reassign(gift.program, self.COUPON, "ben", **terms)
        assert [each.key for each in gift.ledger.coupons("acme", "ben")] == [self.COUPON]
        assert [*gift.ledger.coupons("acme", "anna")] == []
        assert reasons(gift.redeem(serial_of(sale), "P1")) == ("wrong_member",)
        assert gift.redeem(serial_of(sale), "P2", member="ben").status == "recorded"

    def test_a_coupon_that_ended_is_not_given_away(self, gift: Till) -> None:
        gift.sell("T1")
        gift.void(self.COUPON)
        terms = {"event": "E1", "at": gift.now, **WHY}
        assert reasons(gift.ledger.reassign(gift.program, self.COUPON, "ben", **terms)) == ("voided",)
        assert reasons(gift.ledger.reassign(gift.program, "acme/none", "ben", **terms)) == ("unknown",)

    def test_a_void_by_hand_stands_in_the_statement(self, gift: Till) -> None:
        gift.sell("T1")
        gift.ledger.void(gift.program, self.COUPON, event="V1", at=gift.now, **WHY)
        (line,) = gift.statement()
        assert (line.lot, line.amount, line.reason, line.by) == (self.COUPON, 0, "typed by mistake", "desk-3")

    def test_a_lot_that_is_extended_lives_longer(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), expiry=DAYS_30)))
        till.sell("T1")
        terms = {"event": "E1", "at": till.now, **WHY}
        till.ledger.extend(till.program, date(2025, 3, 1), lot="acme/T1/p/earn", **terms)
        assert (till.points(at=moment(45)), till.points(at=moment(46))) == (10, 0)
        assert till.statement()[-1].by == "desk-3"

    def test_a_lot_that_never_expires_is_not_extended(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"))))
        till.sell("T1")
        terms = {"event": "E1", "at": till.now, **WHY}
        never = till.ledger.extend(till.program, date(2025, 3, 1), lot="acme/T1/p/earn", **terms)
        assert reasons(never) == ("not_later",)


class CardFacts:
    """Facts about additions to a stored value."""

    CARD = "acme/T1/p/thanks/1"

    @pytest.fixture
    def card(self, till: Till) -> Till:
        """Sell Anna a card with a value of 50."""
        till.runs(shop(hand_out(), coupon_types=coupon_type({"type": "stored_value", "amount": "50"})))
        return till

    def add(self, till: Till, amount: str, event: str = "U1") -> Any:
        return till.ledger.top_up(till.program, self.CARD, Decimal(amount), event=event, at=till.now, **WHY)

    def test_an_addition_can_be_redeemed(self, card: Till) -> None:
        sale = card.sell("T1")
        assert self.add(card, "30").addition.remaining == 80
        card.redeem(serial_of(sale), "P1", "75")
        assert card.coupon(sale).remaining == 5

    def test_a_card_at_zero_becomes_valid_again(self, card: Till) -> None:
        sale = card.sell("T1")
        card.redeem(serial_of(sale), "P1", "50")
        assert card.coupon(sale).state == "redeemed"
        self.add(card, "20")
        assert (card.coupon(sale).state, card.coupon(sale).remaining) == ("issued", 20)

    def test_a_card_that_was_voided_takes_no_addition(self, card: Till) -> None:
        card.sell("T1")
        card.void(self.CARD)
        assert reasons(self.add(card, "20")) == ("voided",)

    def test_another_coupon_takes_no_addition(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type()))
        till.sell("T1")
        assert reasons(self.add(till, "20")) == ("not_stored_value",)

    def test_additions_stay_on_a_card_whose_sale_comes_back(self, card: Till) -> None:
        sale = card.sell("T1")
        self.add(card, "30")  # 80, of which the purchase takes the original 50 first
        card.redeem(serial_of(sale), "P1", "60")
        card.take_back("T1", "100")
        assert (card.coupon(sale).state, card.coupon(sale).remaining) == ("issued", 20)


class ReportFacts:
    """Facts about reports of operations on an account, and by further dimensions."""

    def report(self, till: Till, *by: Any) -> dict[Any, tuple[Decimal, Decimal, Decimal, Decimal | None]]:
        """Return issued, redeemed, voided and outstanding units by the values of the dimensions.

        The report from sums and that from all rows are the same.
        """
        rows = till.ledger.issuance(till.program, till.now, by)
        assert rows == issuance(till.program, till.ledger.report_rows("acme", till.now), by)
        return {(*row.group.values(),): (row.issued, row.redeemed, row.voided, row.outstanding) for row in rows}

    def test_adjusted_units_are_issued_and_voided_without_a_promotion(self, till: Till) -> None:
        adjust(till, "100", "A1")
        adjust(till, "-30", "A2")
        assert self.report(till, "promotion", "member", "store") == {(None, "anna", None): (100, 0, 30, 70)}

    def test_a_transfer_issues_and_redeems_nothing(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), **giving()))
        till.sell("T1", "100")
        transfer(till, "60")
        till.spend("50", account=BEN)
        assert self.report(till) == {(): (100, 50, 0, 50)}
        assert self.report(till, "member") == {("anna",): (100, 50, 0, 50)}  # to whom they were issued
        assert self.report(till, "redeemed_member") == {("ben",): (0, 50, 0, None), (None,): (100, 0, 0, None)}

    def test_units_are_split_by_facts_of_their_sale(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100"))))
        till.sell("T1", "10", channel="web")
        gold = {"id": "ben", "tier": "gold"}
        till.process({"type": "transaction", "id": "T2", "amount": "7", "member": gold, "channel": "pos"})
        assert self.report(till, "tier", "channel") == {("gold", "pos"): (7, 0, 0, 7), (None, "web"): (10, 0, 0, 10)}

    def test_coupons_are_split_by_facts_of_their_sale(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type()))
        till.sell("T1", channel="web")
        till.void("acme/T1/p/thanks/1")
        till.sell("T2", member=None)
        found = self.report(till, "member", "channel")
        assert found == {("anna", "web"): (1, 0, 1, 0), (None, None): (1, 0, 0, 1)}

    def test_the_liability_from_sums_is_that_from_all_rows(self, till: Till) -> None:
        five = coupon_type({"type": "amount_off", "amount": "5"})
        till.runs(shop(earn(proportional("100")), hand_out(), coupon_types=five))
        till.sell("T1", "10")
        owed = till.ledger.liability(till.program, till.now)
        assert owed == liability(till.program, till.ledger.report_rows("acme", till.now))
        assert owed.total == Decimal("5.1")  # ten points at 0.01, and a coupon of 5

    def test_the_journal_has_an_entry_for_two_accounts_in_a_period(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100"))))
        till.sell("T1", "200")
        till.spend("50")
        adjust(till, "-20", "A1")
        entries = till.ledger.journal(till.program, till.now)
        # 200 points at 0.01 are issued, 50 redeemed, and 20 taken by hand.
        assert [(each.narration, str(each.lines[0].amount)) for each in entries] == [
            ("points adjusted by hand", "-0.2"),
            ("points issued, less returns", "2"),
            ("points redeemed", "0.5"),
        ]
        assert all(each.lines[0].amount + each.lines[1].amount == 0 for each in entries)

    def test_changes_are_split_by_day_and_week(self, till: Till) -> None:
        adjust(till, "10", "A1")
        till.on(5)  # Monday, 20 January
        adjust(till, "-4", "A2")
        assert self.report(till, "day") == {("2025-01-15",): (10, 0, 0, None), ("2025-01-20",): (0, 0, 4, None)}
        assert self.report(till, "week") == {("2025-W03",): (10, 0, 0, None), ("2025-W04",): (0, 0, 4, None)}


class MergeFacts:
    """Facts about two members that become one."""

    def merge(self, till: Till, event: str = "M1", old: str = "ben", new: str = "anna") -> Receipt:
        return till.ledger.merge(till.program, old, new, event=event, at=till.now, **WHY)

    @pytest.fixture
    def couple(self, till: Till) -> Till:
        """Issue 100 points to Anna and 200 to Ben, a point for a unit of money."""
        till.runs(shop(earn(proportional("100"))))
        till.sell("T1", "100")
        till.sell("T2", "200", member="ben")
        return till

    def test_units_go_to_the_new_member_from_the_merge_on(self, couple: Till) -> None:
        couple.on(1)
        self.merge(couple)
        assert (couple.points(), couple.points(BEN)) == (300, 0)
        assert (couple.points(at=moment(0)), couple.points(BEN, at=moment(0))) == (100, 200)

    def test_a_return_of_the_old_members_sale_takes_from_the_new_one(self, couple: Till) -> None:
        self.merge(couple)
        couple.take_back("T2", "150")
        assert (couple.points(), couple.points(BEN)) == (150, 0)

    def test_new_events_of_the_old_member_are_the_new_ones(self, couple: Till) -> None:
        self.merge(couple)
        couple.sell("T3", "50", member="ben")
        couple.spend("340", account=BEN)
        assert (couple.points(), couple.points(BEN)) == (10, 0)
        couple.take_back("T3", "10")
        assert couple.points() == 0

    def test_an_undo_gives_units_back_to_the_new_member(self, couple: Till) -> None:
        spent = couple.spend("150", account=BEN)
        self.merge(couple)
        couple.undo_spend(spent)
        assert (couple.points(), couple.points(BEN)) == (300, 0)

    def test_promises_go_to_the_new_member(self, till: Till) -> None:
        till.runs(shop(earn(fixed("10"), timing={"type": "external"})))
        till.sell("T1", member="ben")
        self.merge(till)
        assert (till.promised(), till.promised(BEN)) == (10, 0)
        till.confirm("acme/T1/p/earn")
        assert till.points() == 10

    def test_debts_are_paid_in_the_merge(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), shortfall="carry"))
        till.sell("T1", "100")
        till.sell("T2", "70", member="ben")
        till.spend("70", account=BEN)
        till.take_back("T2", "70")
        assert till.debt(BEN) == 70
        till.on(1)
        self.merge(till)
        assert (till.points(), till.debt(), till.debt(BEN)) == (30, 0, 0)
        assert till.debt(BEN, at=moment(0)) == 70

    def test_coupons_go_to_the_new_member_and_are_redeemed_by_both_names(self, till: Till) -> None:
        terms = {"redemption": {"holder_only": True}}
        till.runs(shop(hand_out(), coupon_types=coupon_type(**terms)))
        sales = [till.sell(f"T{number}", member="ben") for number in (1, 2)]
        self.merge(till)
        assert len(till.ledger.coupons("acme", "anna")) == 2
        assert till.redeem(serial_of(sales[0]), "P1").status == "recorded"
        assert till.redeem(serial_of(sales[1]), "P2", member="ben").status == "recorded"

    def test_a_return_voids_a_coupon_that_a_merge_moved(self, till: Till) -> None:
        till.runs(shop(hand_out(), coupon_types=coupon_type()))
        sale = till.sell("T1", member="ben")
        self.merge(till)
        till.take_back("T1", "40")  # the rest still earns it
        assert till.coupon(sale).state == "issued"
        till.take_back("T1", "60")
        assert till.coupon(sale).state == "voided"

    def test_trackers_and_counters_are_summed(self, till: Till) -> None:
        spend = {"measure": {"type": "transaction_value"}, "target": "1000"}
        limits = {"most": {"currency": "points", "per": "member", "amount": "250", "window": {"type": "lifetime"}}}
        till.runs(shop(earn(proportional("100")), trackers={"spend": spend}, limits=limits))
        till.sell("T1", "100")
        till.sell("T2", "200", member="ben")
        self.merge(till)
        for member in ("anna", "ben"):
            snapshot = till.ledger.snapshot(till.program, till.bill("probe", member=member))
            assert (snapshot.trackers["spend"], snapshot.limits["most"]) == (300, 300)  # caps do not bind the sum
        till.sell("T3", "10")
        assert till.points() == 300
        till.take_back("T2", "100")
        snapshot = till.ledger.snapshot(till.program, till.bill("probe"))
        assert (snapshot.trackers["spend"], snapshot.limits["most"]) == (210, 200)

    def test_a_merge_changes_no_report(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), hand_out(), coupon_types=coupon_type()))
        sold = [till.sell(f"T{number}", member="ben", store="S1", channel="web") for number in (1, 2)]
        till.sell("T3", "40", store="S2")
        till.spend("50", account=BEN)
        till.redeem(serial_of(sold[0]), "P1", store="S3")
        till.take_back("T2", "30")
        till.on(20)

        def reports() -> list[Any]:
            rows = till.ledger.report_rows("acme", till.now)
            dimensions: Any = ("promotion", "store", "tier", "channel", "issued_in", "day", "redeemed_store")
            return [
                *(issuance(till.program, rows, by=[each]) for each in dimensions),
                conversion(till.program, rows, moment(-1).date(), moment(30).date(), by=["store"]),
                liability(till.program, rows),
            ]

        before = reports()
        self.merge(till)
        assert reports() == before

    def test_both_statements_show_the_merge(self, couple: Till) -> None:
        self.merge(couple)
        lines = [(each.source, each.target, each.amount, each.by) for each in couple.statement()]
        assert lines[1:] == [("moved", "available", 200, "desk-3")]
        assert (couple.statement(BEN)[-1].target, couple.statement(BEN)[-1].amount) == ("moved", 200)

    def test_a_member_is_merged_once(self, couple: Till) -> None:
        self.merge(couple)
        assert reasons(self.merge(couple, "M2", "ben", "carla")) == ("closed_account",)
        assert reasons(self.merge(couple, "M3", "anna", "ben")) == ("closed_account",)
        assert reasons(self.merge(couple, "M4", "anna", "anna")) == ("same_member",)
        assert self.merge(couple, "M5", "anna", "carla").status == "recorded"
        couple.sell("T3", "1", member="ben")
        assert couple.points(Account("member", "carla")) == 301

    def test_the_higher_level_remains_unless_the_sum_reaches_a_higher_one(self, till: Till) -> None:
        spend = {"measure": {"type": "transaction_value"}, "target": "1000"}
        lasts = {"type": "fixed_period", "after": {"days": 10}}
        levels = {"levels": ["bronze", "silver", "gold"], "by": "spend", "from": {"silver": "100", "gold": "300"}}
        till.runs(shop(trackers={"spend": spend}, tiers={"status": {**levels, "lasts": lasts}}))
        till.sell("T1", "50")
        till.sell("T2", "150", member="ben")
        till.on(1)
        self.merge(till)
        held = till.ledger.tier(till.program, "anna", "status", till.now)
        assert (held.level, held.until) == ("silver", date(2025, 1, 25))
        till.sell("T3", "100", member="carla")
        till.on(2)
        self.merge(till, "M2", "carla", "anna")
        held = till.ledger.tier(till.program, "ben", "status", till.now)
        assert (held.level, held.until) == ("gold", date(2025, 1, 27))
