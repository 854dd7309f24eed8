"""A receipt in text: the event above, its bill, its intents, and the skipped actions."""

from __future__ import annotations

import pytest

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.testing.ledgers.facts.till import Till, coupon_type, fixed, hand_out, shop
from loyalty_rules.testing.ledgers.facts.till import earn as award
from loyalty_rules.testing.till_receipts import intent_rows, money, till_receipt
from shop import earn, program, sale


@pytest.mark.parametrize(
    ("text", "shown"), [("5", "5"), ("5.5", "5.50"), ("5.25", "5.25"), ("0.001", "0.001"), ("-3.1", "-3.10"), ("", "")]
)
def test_an_amount_is_whole_or_has_at_least_two_decimals(text: str, shown: str) -> None:
    assert money(text) == shown


def test_a_sale_has_its_member_its_fields_and_its_bill() -> None:
    event = sale(
        "12.5",
        store="S1",
        custom_fields={"tip": "2"},
        lines=[{"id": "1", "quantity": "2", "sku": "MUG", "category": "FOOD", "value": "10"}],
        tax="2.5",
        tenders=[{"type": "card", "amount": "12.5"}],
    )

    assert till_receipt(event).splitlines() == [
        "T-1  sale  2025-01-15T10:00:00Z               M1",
        "  store                                       S1",
        "  custom_fields.tip                            2",
        "  2 × line 1 MUG FOOD                         10",
        "  tax                                       2.50",
        "  paid by card                             12.50",
        "  amount                                   12.50",
    ]


def test_a_line_without_a_value_shows_its_unit_price() -> None:
    event = sale("10", lines=[{"id": "1", "quantity": "2", "unit_price": "5.5"}])

    assert "  2 × line 1                                5.50" in till_receipt(event).splitlines()


def test_an_anonymous_sale_is_of_nobody_known() -> None:
    assert till_receipt(sale(member=None)).splitlines()[0].endswith("  nobody known")


def test_a_return_names_its_sale() -> None:
    event = {"type": "return", "id": "R1", "occurred_at": "2025-01-16T10:00:00Z", "of": "T-1", "amount": "5"}

    assert till_receipt(event).splitlines() == [
        "R1  return  2025-01-16T10:00:00Z          of T-1",
        "  amount                                       5",
    ]


def test_a_row_that_is_too_wide_keeps_two_spaces() -> None:
    rows = till_receipt(sale(store="x" * 60)).splitlines()

    assert rows[1] == "  store  " + "x" * 60


def test_an_award_and_a_skipped_action_are_below_the_bill() -> None:
    document = program(earn(fixed("5")), earn(fixed("0"), "gift"))
    evaluation = lr.load_program(document).evaluate(lr.load_event(sale("10")))

    assert till_receipt(sale("10"), evaluation.intents, evaluation.skipped).splitlines()[1:] == [
        "  amount                                      10",
        "+ 5 points                                p/earn",
        "  nothing: zero_amount                    p/gift",
    ]


# -- rows of intents -------------------------------------------------------------------------------------------------


@pytest.fixture
def till() -> Till:
    return Till(MemoryLedger())


def test_an_issued_coupon_and_its_redemption_are_rows(till: Till) -> None:
    till.runs(shop(hand_out(), coupon_types=coupon_type({"type": "amount_off", "amount": "5"})))
    issued = till.sell("T1")
    redeemed = till.redeem(issued.intents[0].serial, "T2", "100")

    assert intent_rows(issued.intents) == ["+ coupon next-visit                     p/thanks"]
    assert intent_rows(redeemed.intents) == ["- 5 off by a coupon                     p/thanks"]


def test_a_voided_coupon_is_a_row(till: Till) -> None:
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    [issue] = till.sell("T1").intents

    assert intent_rows(till.void(issue.key).intents) == ["- coupon                                p/thanks"]


def test_a_spend_and_a_reversal_are_rows(till: Till) -> None:
    till.runs(shop(award(fixed("5"))))
    till.sell("T1")
    spent, returned = till.spend("2"), till.take_back("T1", "100")

    assert intent_rows(spent.intents) == ["- 2 points spent"]
    assert intent_rows(returned.intents) == ["- 5 points                                p/earn"]


def test_a_promise_and_its_cancellation_are_rows(till: Till) -> None:
    till.runs(shop(award(fixed("5"), timing={"type": "external"})))
    promised = till.sell("T1")
    cancelled = till.confirm(promised.intents[0].key, "cancel")

    assert intent_rows(promised.intents) == ["+ 5 points promised                       p/earn"]
    assert intent_rows(cancelled.intents) == ["- 5 promised                              p/earn"]


def test_the_advance_of_a_tracker_is_not_a_row(till: Till) -> None:
    till.runs(shop(trackers={"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}))
    receipt = till.sell("T1")

    assert [intent.type for intent in receipt.intents] == ["advance_tracker"]
    assert intent_rows(receipt.intents) == []
