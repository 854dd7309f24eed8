"""Facts about `forget`: the losses of the account, the refusals afterwards, the answers that stay."""

# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.intents import ForgetMember
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.testing.ledgers.facts.till import (
    ANNA,
    BEN,
    HOUSEHOLD,
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

__all__ = ["ForgetFacts"]

WHY: dict[str, Any] = {"reason": "asked for it", "by": "desk-3"}
LIKED: dict[str, Any] = {"custom_fields": {"note": "likes figs"}}
REFERRED: dict[str, Any] = {"custom_fields": {"referred_by": "ben"}}


class ForgetFacts:
    """Facts about a member whose account is closed. Source: semantics 13."""

    def forget(self, till: Till, member: str = "anna", event: str = "F1") -> Receipt:
        return till.ledger.forget(till.program, member, event=event, at=till.now, **WHY)

    @pytest.fixture
    def shopper(self, till: Till) -> Till:
        """Sell for 100 to Anna, a point for a unit of money, with personal fields."""
        till.runs(shop(earn(proportional("100")), currencies={"points": {"redeem": {"points": "1", "value": "1"}}}))
        till.sell("T1", "100", **LIKED)
        return till

    def refused(self, receipt: Receipt) -> tuple[str, ...]:
        assert receipt.refusal is not None
        return receipt.refusal.reasons

    # -- the losses of the account

    def test_units_are_voided(self, shopper: Till) -> None:
        shopper.on(1)
        receipt = self.forget(shopper)
        (forgotten,) = receipt.intents
        assert isinstance(forgotten, ForgetMember)
        assert (forgotten.key, forgotten.member, forgotten.members) == ("acme/F1/forget", "anna", ("anna",))
        assert [(each.lot, each.amount) for each in forgotten.draws] == [("acme/T1/p/earn", 100)]
        assert (shopper.points(), shopper.points(at=moment(0))) == (0, 100)
        assert shopper.lots()[0].voided == 100

    def test_the_statement_shows_the_reason_and_the_person(self, shopper: Till) -> None:
        self.forget(shopper)
        shown = [(each.target, each.amount, each.reason, each.by) for each in shopper.statement()[1:]]
        assert sorted(shown, key=str) == [("", 0, "asked for it", "desk-3"), ("voided", 100, "closed", "desk-3")]

    def test_promises_holds_and_coupons_end(self, till: Till) -> None:
        waits = earn(fixed("7"), "later", timing={"type": "external"})
        rate = {"points": {"redeem": {"points": "1", "value": "1"}}}
        till.runs(shop(earn(fixed("10")), waits, hand_out(), currencies=rate, coupon_types=coupon_type()))
        sale = till.sell("T1")
        held = till.ledger.hold(till.program, ANNA, "points", Decimal(4), moment(9), event="H1", at=till.now)
        receipt = self.forget(till)
        types = ["release_hold", "cancel_promise", "void_coupon", "forget_member"]
        assert [each.type for each in receipt.intents] == types
        assert till.ledger.balance("acme", ANNA, "points", till.now).held == 0
        assert [till.points(), till.promised()] == [0, 0]
        assert till.coupon(sale).state == "voided"
        assert self.refused(till.confirm("acme/T1/p/later")) == ("closed_account",)
        captured = till.ledger.capture(till.program, held.intents[0].key, event="C1", at=till.now)
        assert self.refused(captured) == ("closed_account",)
        assert till.redeem(serial_of(sale), "T2", member="ben").status == "refused"

    def test_a_debt_is_written_off(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), shortfall="carry"))
        till.sell("T1", "100")
        till.spend("100")
        till.take_back("T1", "100")
        assert till.debt() == 100
        till.on(1)
        receipt = self.forget(till)
        assert till.debt() == 0
        assert [each.amount for each in receipt.intents[-1].written_off] == [100]  # type: ignore[union-attr]

    def test_the_account_of_the_group_is_left_alone(self, till: Till) -> None:
        waits = earn(fixed("7"), "later", recipient="member_group", timing={"type": "external"})
        till.runs(shop(earn(fixed("10")), earn(fixed("5"), "shared", recipient="member_group"), waits))
        till.process({"type": "transaction", "id": "T1", "amount": "1", "member": {"id": "anna", "group": "household"}})
        self.forget(till)
        assert [till.points(), till.points(HOUSEHOLD)] == [0, 5]
        till.confirm("acme/T1/p/later")
        assert till.points(HOUSEHOLD) == 12

    # -- the refusals afterwards

    def test_whatever_is_new_is_refused(self, shopper: Till) -> None:
        shopper.sell("T2", "50", member="ben")
        spent = shopper.spend("10")
        self.forget(shopper)
        ledger, program, given = shopper.ledger, shopper.program, {**WHY, "at": shopper.now}
        refused = [
            shopper.sell("T3"),
            shopper.activity("A1"),
            shopper.take_back("T1", "10"),
            shopper.update("T1", "paid"),
            shopper.spend("1"),
            shopper.undo_spend(spent),
            ledger.adjust(program, ANNA, "points", Decimal(5), event="J1", **given),
            ledger.merge(program, "anna", "ben", event="M1", **given),
            ledger.merge(program, "ben", "anna", event="M2", **given),
            self.forget(shopper, event="F2"),
            ledger.hold(program, ANNA, "points", Decimal(1), moment(9), event="H1", at=shopper.now),
            ledger.redeem_all(program, [], [(BEN, "points", Decimal(1))], shopper.bill("T4")),
            shopper.process({"type": "amendment", "id": "D1", "of": "T1", "amount": "120"}),
            shopper.process({"type": "amendment", "id": "D2", "of": "T2", "member": {"id": "anna"}}),
            ledger.record(program.evaluate(shopper.bill("T5"))),
        ]
        assert [self.refused(each) for each in refused] == [("closed_account",)] * len(refused)
        assert [shopper.points(), shopper.points(BEN)] == [0, 50]

    def test_no_units_come_by_a_transfer(self, till: Till) -> None:
        till.runs(shop(earn(proportional("100")), currencies={"points": {"transfer": {}}}))
        till.sell("T1", "50", member="ben")
        self.forget(till)
        for source, target in ((BEN, ANNA), (ANNA, BEN)):
            receipt = till.ledger.transfer(
                till.program, source, target, "points", Decimal(1), event="X1", at=till.now, **WHY
            )
            assert self.refused(receipt) == ("closed_account",)

    def test_a_forget_that_is_dated_before_a_change_is_refused(self, shopper: Till) -> None:
        shopper.on(-1)
        assert self.refused(self.forget(shopper)) == ("too_early",)
        assert shopper.points(at=moment(0)) == 100

    # -- the answers that stay

    def test_a_retry_is_answered_as_before(self, shopper: Till) -> None:
        before = shopper.journal[-1][1]
        first = self.forget(shopper)
        again = shopper.sell("T1", "100", **LIKED)
        assert (again.status, again.intents) == ("already_recorded", before.intents)
        assert (self.forget(shopper).status, self.forget(shopper).intents) == ("already_recorded", first.intents)

    def test_a_closed_recipients_part_of_anothers_sale_counts_as_taken(self, till: Till) -> None:
        reward = earn(proportional("10"), "thanks", recipient={"field": "custom_fields.referred_by"})
        till.runs(shop(earn(proportional("100")), reward, shortfall="carry"))
        till.sell("T1", "100", **REFERRED)
        till.spend("4", account=BEN)
        self.forget(till, "ben")
        receipt = till.take_back("T1", "100")
        taken = {
            each.issue: (each.amount, each.shortfall) for each in receipt.intents if each.type == "reverse_currency"
        }
        assert taken == {"acme/T1/p/earn": (100, 0), "acme/T1/p/thanks": (10, 0)}
        assert [till.points(), till.debt(BEN)] == [0, 0]

    def test_a_closed_recipient_receives_nothing(self, till: Till) -> None:
        reward = earn(fixed("5"), "thanks", recipient={"field": "custom_fields.referred_by"})
        till.runs(shop(earn(fixed("10")), reward))
        self.forget(till, "ben")
        receipt = till.sell("T1", **REFERRED)
        assert [each.key for each in receipt.intents] == ["acme/T1/p/earn"]
        assert [till.points(), till.points(BEN)] == [10, 0]

    def test_members_that_a_merge_has_brought_in_are_forgotten_too(self, shopper: Till) -> None:
        shopper.sell("T2", "50", member="ben", **LIKED)
        shopper.ledger.merge(shopper.program, "ben", "anna", event="M1", at=shopper.now, **WHY)
        receipt = self.forget(shopper, "ben")
        assert receipt.intents[-1].members == ("anna", "ben")  # type: ignore[union-attr]
        assert [shopper.points(), shopper.points(BEN)] == [0, 0]
        assert self.refused(shopper.sell("T3", member="ben")) == ("closed_account",)

    def test_the_level_of_a_closed_account_is_not_reviewed(self, till: Till) -> None:
        spend = {"measure": {"type": "transaction_value"}, "target": "1"}
        lasts = {"type": "fixed_period", "after": {"days": 10}}
        status = {"levels": ["basic", "gold"], "by": "spend", "from": {"gold": "50"}, "lasts": lasts}
        till.runs(shop(trackers={"spend": spend}, tiers={"status": status}))
        till.sell("T1")
        self.forget(till)
        till.on(99)
        assert till.ledger.review_tiers(till.program, till.now) == []
