"""Purchases: a spend and what it pays for are recorded all together or not at all. Source: semantics 12, 17."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.ledger import MemoryLedger, SaleReceipt
from loyalty_rules.ledger.purchases import purchases_of
from shop import Serials, earn, fixed, program, sale

ANNA = lr.Account("member", "M1")
LATER = datetime(2025, 2, 1, tzinfo=UTC)
PAY = {"type": "spend_currency", "id": "pay", "currency": "points", "amount": "500"}
COFFEE = {"type": "issue_coupon", "id": "coffee", "coupon_type": "coffee"}
THANKS = earn(fixed("5"), "thanks", currency="stars", communication={"template": "thanks", "mandatory": ["app"]})
VISIT = {"type": "extend_expiry", "id": "visit", "currency": "points", "after": {"years": 1}}


def shop(*reward: dict, **parts: Any) -> lr.Program:
    return lr.load_program(
        program(
            **{
                "currencies": {"points": {"redeem": {"points": "100", "value": "1"}}, "stars": {}},
                "coupon_types": {"coffee": {"benefit": {"type": "amount_off", "amount": "3"}}},
                "promotions": [
                    {"id": "base", "actions": [earn({"type": "multiplier", "percent": "100"})]},
                    {"id": "reward", "trigger": "reward", "actions": list(reward)},
                ],
                **parts,
            }
        )
    )


def reward(number: int, **parts: Any) -> lr.Activity:
    event: Any = lr.load_event(
        {
            "type": "reward",
            "id": f"A{number}",
            "occurred_at": f"2025-01-2{number}T10:00:00Z",
            "member": {"id": "M1"},
            **parts,
        }
    )
    return event


def earned(ledger: MemoryLedger, loaded: lr.Program, amount: str) -> None:
    ledger.process(loaded, lr.load_event(sale(amount)))


def both(ledger: MemoryLedger, loaded: lr.Program) -> list[SaleReceipt]:
    """Record two rewards that were decided before either was recorded."""
    events = [reward(1), reward(2)]
    decided = [loaded.evaluate(each, ledger.snapshot(loaded, each), serials=Serials()) for each in events]
    return [ledger.record(each) for each in decided]


def types(receipt: SaleReceipt) -> list[str]:
    return [each.type for each in receipt.intents]


def test_a_balance_that_is_too_small_by_now_refuses_the_spend_and_all_that_it_pays_for() -> None:
    ledger, loaded = MemoryLedger(), shop(PAY, COFFEE, THANKS, VISIT)
    earned(ledger, loaded, "900")
    first, second = both(ledger, loaded)

    assert types(first) == ["spend_currency", "issue_coupon", "issue_currency", "send_message", "extend_expiry"]
    assert types(second) == []
    assert [(each.intent.rpartition("/reward/")[2], each.counter, each.left) for each in second.trims] == [
        ("pay", "balance/member/M1/points", 0),
        ("coffee/1", "balance/member/M1/points", 0),
        ("thanks", "balance/member/M1/points", 0),
    ]
    assert ledger.balance("acme", ANNA, "points", LATER).available == 400
    assert ledger.balance("acme", ANNA, "stars", LATER).available == 5
    assert ledger.check_invariants() == []


def test_a_cap_that_is_reached_by_now_refuses_the_spend_too() -> None:
    caps = {"coffee": {"benefit": {"type": "amount_off", "amount": "3"}, "caps": {"total": 1}}}
    ledger, loaded = MemoryLedger(), shop(COFFEE, PAY, coupon_types=caps)
    earned(ledger, loaded, "2000")
    first, second = both(ledger, loaded)

    assert types(first) == ["issue_coupon", "spend_currency"]
    assert types(second) == []
    assert {each.counter for each in second.trims} == {"coupon/coffee/total"}
    assert ledger.balance("acme", ANNA, "points", LATER).available == 1500


def test_an_action_that_no_spend_pays_for_is_recorded_by_itself() -> None:
    ledger, loaded = MemoryLedger(), shop({**PAY, "for": ["coffee"]}, COFFEE, THANKS, VISIT)
    earned(ledger, loaded, "900")
    _, second = both(ledger, loaded)

    assert types(second) == ["issue_currency", "send_message", "extend_expiry"]


def test_a_spend_draws_on_units_that_the_same_event_has_issued() -> None:
    parts = {"promotions": [{"id": "p", "actions": [earn(fixed("500")), PAY, COFFEE]}]}
    ledger, loaded = MemoryLedger(), shop(**parts)
    receipt: Any = ledger.process(loaded, lr.load_event(sale()), serials=Serials())
    [spend] = [each for each in receipt.intents if isinstance(each, lr.SpendCurrency)]

    assert spend.draws == (lr.LotDraw("acme/T-1/p/earn", Decimal(500)),)
    assert ledger.balance("acme", ANNA, "points", LATER).available == 0


def test_an_account_that_owes_less_than_the_program_knew_lacks_it() -> None:
    """A spend by itself takes 450 of 900 between the decision and its record: 450 are not 500."""
    ledger, loaded = MemoryLedger(), shop(PAY, COFFEE)
    earned(ledger, loaded, "900")
    event = reward(1)
    decided = loaded.evaluate(event, ledger.snapshot(loaded, event), serials=Serials())
    ledger.spend(loaded, ANNA, "M1", "points", Decimal(450), event="B", at=datetime(2025, 1, 16, tzinfo=UTC))

    assert types(ledger.record(decided)) == []


def test_only_spends_of_an_evaluation_make_purchases() -> None:
    spent = lr.SpendCurrency("acme/B/spend/points", "B", "M1", None, "points", Decimal(5))

    assert [*purchases_of([spent])] == []


def test_units_that_an_undo_gives_back_have_the_later_day_of_an_extension() -> None:
    """100 of January live to 15 July; all are spent, a visit extends to 10 December, and the undo brings them back."""
    half_a_year = {"type": "fixed_period", "after": {"months": 6}}
    visit = {"id": "visit", "trigger": "visit", "actions": [{**VISIT, "after": {"months": 6}}]}
    promotions = [{"id": "base", "actions": [earn(fixed("100"), expiry=half_a_year)]}, visit]
    ledger, loaded = MemoryLedger(), shop(promotions=promotions)
    earned(ledger, loaded, "10")
    spent: Any = ledger.spend(
        loaded, ANNA, "M1", "points", Decimal(100), event="B", at=datetime(2025, 6, 1, tzinfo=UTC)
    )
    ledger.process(loaded, reward(3, type="visit", occurred_at="2025-06-10T10:00:00Z"))
    ledger.undo_spend(loaded, spent.spend.key, event="X", at=datetime(2025, 6, 11, tzinfo=UTC))

    assert ledger.balance("acme", ANNA, "points", datetime(2025, 12, 10, tzinfo=UTC)).available == 100
    assert ledger.balance("acme", ANNA, "points", datetime(2025, 12, 11, tzinfo=UTC)).available == 0
