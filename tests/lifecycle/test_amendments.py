"""Amendments: edits of orders, claims of anonymous sales, another member. Source: semantics 11."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

from loyalty_rules.intents import AdvanceTracker, IssueCurrency, SendMessage
from loyalty_rules.ledger import IdempotencyConflict, Receipt
from loyalty_rules.lifecycle import Account, amendments
from shop import earn, fixed, lines, program, proportional, sale

from .laws import holds, is_broken
from .sales import dependent, sales
from .till import Till, advanced, instant, reversed_by

FULL = proportional("100")
AT = "2025-01-20T10:00:00Z"
FROM_100 = {"field": "amount", "at_least": "100"}


def amendment(number: int = 1, at: str = AT, **parts: object) -> dict:
    return {"type": "amendment", "id": f"A-{number}", "occurred_at": at, "of": "T-1", **parts}


def promotion(name: str, *actions: dict, **parts: object) -> dict:
    return {"id": name, "actions": list(actions), **parts}


def issued(receipt: Receipt) -> dict[str, Decimal]:
    """Return the issues of a receipt by their keys."""
    return {each.key: each.amount for each in receipt.intents if isinstance(each, IssueCurrency)}


def refused(receipt: Receipt) -> tuple[str, ...]:
    assert receipt.status == "refused"
    assert receipt.refusal is not None
    return receipt.refusal.reasons


def balance(till: Till, member: str = "M1", at: str = AT) -> Decimal:
    return till.ledger.balance("acme", Account("member", member), "points", instant(at)).available


# -- edits -----------------------------------------------------------------------------------------------------------

BASE_AND_BONUS = program(
    promotions=[promotion("base", earn(FULL)), promotion("bonus", earn(fixed("20")), when=FROM_100)]
)


def test_an_edit_upward_issues_the_difference_and_an_edit_downward_takes_it() -> None:
    till = Till(BASE_AND_BONUS)
    till.sell(sale("90"))
    assert issued(till.process(amendment(1, amount="110"))) == {"acme/A-1/base/earn": 20, "acme/A-1/bonus/earn": 20}
    assert balance(till) == 130
    assert reversed_by(till.process(amendment(2, amount="95"))) == 35  # 110 + 20 held, 95 earned
    assert balance(till) == 95
    assert issued(till.process(amendment(3, amount="100"))) == {"acme/A-3/base/earn": 5, "acme/A-3/bonus/earn": 20}
    assert balance(till) == 120


def test_the_first_action_of_the_document_gets_the_difference() -> None:
    """Double points from 100, else single. 90 earned 90; 120 earns 240: the difference of 150 goes to the first."""
    double = promotion("double", earn(proportional("200")), when=FROM_100, exclusive="x")
    till = Till(program(promotions=[double, promotion("single", earn(FULL), exclusive="x")]))
    till.sell(sale("90"))
    assert issued(till.process(amendment(amount="120"))) == {"acme/A-1/double/earn": 150}
    assert reversed_by(till.take_back("30")) == 150  # 90 is left, and earns 90
    assert balance(till) == 90


def test_edited_lines_replace_the_lines() -> None:
    of_food = {"type": "line_item_value", "lines": {"field": "category", "is": "food"}}
    till = Till(program(earn(proportional("100", of_food))))
    till.sell(sale("50", lines=[{**line, "category": "food"} for line in lines("30")]))
    edited = [{**line, "category": "food"} for line in lines("30", "15")]
    (issue,) = till.process(amendment(amount="65", lines=edited)).intents
    assert isinstance(issue, IssueCurrency)
    assert (issue.amount, issue.event, {share.line: share.amount for share in issue.shares}) == (
        15, "T-1", {"1": 10, "2": 5},
    )  # fmt: skip
    assert reversed_by(till.process(amendment(2, amount="20", lines=[]))) == 45


def test_a_new_issue_is_dated_as_that_of_the_sale() -> None:
    days_60 = {"type": "fixed_period", "after": {"days": 60}}
    till = Till(program(earn(FULL, expiry=days_60)))
    till.sell(sale("90"))
    (issue,) = till.process(amendment(amount="100")).intents
    assert isinstance(issue, IssueCurrency)
    assert (str(issue.issue_on), str(issue.expires_on)) == ("2025-01-15", "2025-03-16")
    assert issued(till.process(amendment(2, at="2025-03-17T00:00:00Z", amount="110"))) == {}  # it would have expired


@pytest.mark.parametrize(("at", "state"), [("2025-01-28T10:00:00Z", "promised"), ("2025-01-29T10:00:00Z", "issued")])
def test_a_due_time_that_has_passed_is_issued_at_once(at: str, state: str) -> None:
    till = Till(program(earn(FULL, timing={"type": "delayed", "days": 14})))
    till.sell(sale("90"))
    (issue,) = till.process(amendment(at=at, amount="100")).intents
    assert isinstance(issue, IssueCurrency)
    assert (issue.state, issue.amount) == (state, 10)


def test_a_status_releases_promises_and_a_later_difference_is_issued_at_once() -> None:
    shipped = {"type": "transaction_update", "when": {"field": "status", "is": "shipped"}}
    till = Till(program(earn(FULL, timing=shipped)))
    till.sell(sale("90"))
    till.process(amendment(1, status="shipped"))
    assert balance(till) == 90
    till.process(amendment(2, amount="100"))
    assert balance(till) == 100


def test_a_sale_of_nothing_holds_nothing() -> None:
    till = Till(BASE_AND_BONUS)
    till.sell(sale("110"))
    assert reversed_by(till.process(amendment(amount="0"))) == 130


def test_new_units_pay_a_debt_first() -> None:
    till = Till(
        program(earn(FULL), currencies={"points": {"redeem": {"points": "1", "value": "1"}}}, shortfall="carry")
    )
    till.sell(sale("90"))
    till.spend("90", event="S-1")
    till.process(amendment(1, amount="60"))
    till.process(amendment(2, amount="100"))
    assert balance(till) == 10  # 30 owed, 40 new


# -- policies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "steps", "held"),
    [
        ("recompute", ["120"], 120),
        ("keep", ["120", "50"], 120),
        ("reverse", ["120"], 120),
        ("reverse", ["120", "90"], 0),
        ("reverse", ["90", "120"], 0),  # something has come back: nothing more is issued
        ("proportional", ["120"], 120),
        ("proportional", ["120", "90"], 90),  # a quarter of 120 came back
        ("proportional", ["50", "120"], 50),
    ],
)
def test_the_policies_of_actions_in_edits(policy: str, steps: list[str], held: int) -> None:
    till = Till(program(earn(FULL, on_return=policy)))
    till.sell(sale("100"))
    for number, amount in enumerate(steps, 1):
        till.process(amendment(number, amount=amount))
    assert balance(till) == held


@pytest.mark.parametrize("policy", ["reverse", "proportional"])
def test_nothing_more_is_issued_once_something_has_come_back(policy: str) -> None:
    till = Till(program(earn(FULL, on_return=policy)))
    till.sell(sale("100"))
    till.take_back("50")
    before = balance(till)
    till.process(amendment(amount="150"))
    assert balance(till) == before


def test_returns_so_far_still_count() -> None:
    till = Till(program(earn(FULL)))
    till.sell(sale("100"))
    till.take_back("40")
    till.process(amendment(amount="150"))
    assert balance(till) == 110
    assert reversed_by(till.take_back("110")) == 110


# -- caps, coupons, trackers -----------------------------------------------------------------------------------------


def test_caps_are_those_of_now() -> None:
    till = Till(program(earn(FULL, caps={"per_member": {"amount": "100"}})))
    till.sell(sale("80"))
    till.sell(sale("15", id="T-2"))
    assert issued(till.process(amendment(amount="200"))) == {"acme/A-1/p/earn": 5}
    assert reversed_by(till.process(amendment(2, amount="50"))) == 35
    till.sell(sale("100", id="T-3"))  # takes the 35 that are free again
    assert balance(till) == 100


def test_a_cap_of_times_counts_an_action_once() -> None:
    till = Till(program(earn(FULL, caps={"total": {"times": 1}})))
    till.sell(sale("80"))
    assert issued(till.process(amendment(amount="100"))) == {"acme/A-1/p/earn": 20}


GIFT = {
    "gift": {"benefit": {"type": "amount_off", "amount": "5"}, "caps": {"total": 3}},
}
ONE_FOR_50 = {"type": "stepped", "step_size": "50", "points_per_step": "1"}


def test_coupons_follow_the_edits() -> None:
    gift = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "quantity": ONE_FOR_50}
    till = Till(program(gift, coupon_types=GIFT))
    till.sell(sale("50"))
    till.process(amendment(1, amount="100"))
    assert {key: each.state for key, each in till.coupons().items()} == {
        "acme/T-1/p/gift/1": "issued", "acme/A-1/p/gift/1": "issued",
    }  # fmt: skip
    assert len({each.issue.serial for each in till.coupons().values()}) == 2
    till.process(amendment(2, amount="99"))
    assert till.coupons()["acme/A-1/p/gift/1"].state == "voided"
    till.process(amendment(3, amount="250"))  # five, but the type has a cap of three
    assert sum(each.state == "issued" for each in till.coupons().values()) == 3


def test_trackers_follow_the_edits() -> None:
    trackers = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}
    till = Till(program(earn(FULL), trackers=trackers))
    till.sell(sale("50"))
    assert advanced(till.process(amendment(1, amount="80")).intents) == {"spend": 30}
    assert advanced(till.process(amendment(2, amount="70")).intents) == {"spend": -10}


def test_a_message_goes_out_about_the_new_units() -> None:
    email = {"template": "earned", "mandatory": ["email"]}
    till = Till(program(earn(FULL, communication=email)))
    till.sell(sale("50", member={"id": "M1", "contacts": {"email": "m@example.org"}}))
    receipt = till.process(amendment(amount="80"))
    (message,) = [each for each in receipt.intents if isinstance(each, SendMessage)]
    assert (message.key, message.about) == ("acme/A-1/p/earn/message", ("acme/A-1/p/earn",))


# -- members ---------------------------------------------------------------------------------------------------------

SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "150"}}
MILESTONE = program(
    promotions=[
        promotion("base", earn(FULL)),
        promotion("goal", earn(fixed("50")), when={"tracker": "spend", "crossed": True}),
    ],
    trackers=SPEND,
)


def test_a_claim_is_decided_with_the_counters_of_the_member_now() -> None:
    till = Till(MILESTONE)
    till.sell(sale("100", member=None))
    till.sell(sale("60", id="T-2"))
    receipt = till.process(amendment(member={"id": "M1"}))
    assert issued(receipt) == {"acme/A-1/base/earn": 100, "acme/A-1/goal/earn": 50}  # 60 + 100 crosses 150
    assert balance(till) == 210
    assert reversed_by(till.take_back("100")) == 150
    assert balance(till) == 60


def test_a_sale_on_the_wrong_card_goes_to_the_other_member_whatever_the_policy() -> None:
    till = Till(program(earn(FULL, on_return="keep"), trackers=SPEND))
    till.sell(sale("100"))
    receipt = till.process(amendment(member={"id": "M2"}))
    assert (balance(till), balance(till, "M2")) == (0, 100)
    steps = {(each.member, each.value) for each in receipt.intents if isinstance(each, AdvanceTracker)}
    assert steps == {("M1", -100), ("M2", 100)}
    till.process(amendment(2, amount="150"))
    assert (balance(till), balance(till, "M2")) == (0, 150)


def test_points_that_the_first_member_has_spent_are_short() -> None:
    till = Till(program(earn(FULL), currencies={"points": {"redeem": {"points": "1", "value": "1"}}}))
    till.sell(sale("100"))
    till.spend("60", event="S-1")
    till.process(amendment(member={"id": "M2"}))
    assert (balance(till), balance(till, "M2")) == (0, 100)
    assert till.lots()["acme/T-1/p/earn"].reversed == 40


@pytest.mark.parametrize(("at", "reasons"), [("2025-01-29T23:59:59Z", None), ("2025-01-30T00:00:00Z", ("too_late",))])
def test_a_claim_comes_within_the_period_of_the_program(at: str, reasons: tuple | None) -> None:
    till = Till(program(earn(FULL), claims={"within": {"days": 14}}))
    till.sell(sale("100", member=None))
    receipt = till.process(amendment(at=at, member={"id": "M1"}))
    assert (receipt.refusal.reasons if receipt.refusal is not None else None) == reasons


# -- refusals and retries --------------------------------------------------------------------------------------------


def test_an_amendment_below_the_returns_is_refused_and_nothing_is_kept() -> None:
    till = Till(program(earn(FULL)))
    till.sell(sale("100", lines=lines("60", "40")))
    till.take_back("60", {"1": 1})
    assert refused(till.process(amendment(1, amount="50"))) == ("more_than_bought",)
    assert refused(till.process(amendment(2, amount="100", lines=lines("0", "100")[1:]))) == ("more_than_bought",)
    early = amendment(3, at="2025-01-15T09:59:59Z", amount="50")
    assert refused(till.process(early)) == ("too_early", "more_than_bought")
    assert balance(till) == 40


def test_an_amendment_of_an_unknown_sale_is_refused() -> None:
    assert refused(Till(program(earn(FULL))).process(amendment(amount="1"))) == ("unknown_sale",)


def test_an_activity_has_no_amount_but_may_be_of_another_member() -> None:
    till = Till(program(promotions=[promotion("p", earn(fixed("50")), trigger="registration")]))
    till.process({"type": "registration", "id": "T-1", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}})
    assert refused(till.process(amendment(1, amount="50"))) == ("not_a_transaction",)
    till.process(amendment(2, member={"id": "M2"}))
    assert (balance(till), balance(till, "M2")) == (0, 50)


def test_a_retry_changes_nothing_and_another_amendment_under_its_id_is_a_conflict() -> None:
    till = Till(program(earn(FULL)))
    till.sell(sale("100"))
    first = till.process(amendment(amount="120"))
    again = till.process(amendment(amount="120"))
    assert (again.status, again.intents) == ("already_recorded", first.intents)
    with pytest.raises(IdempotencyConflict):
        till.process(amendment(amount="130"))
    assert balance(till) == 120


# -- the law ---------------------------------------------------------------------------------------------------------


@st.composite
def amended_sales(draw: Callable) -> tuple[dict, dict, list[dict]]:
    """Draw a program that recomputes everything, a snapshot, and the states of one sale, the first to the last."""
    document = deepcopy(draw(dependent()))
    for each in document["promotions"]:
        for action in each["actions"]:
            action["on_return"] = "recompute" if action["type"] == "issue_currency" else "void_if_unredeemed"
    states = draw(st.lists(sales(), min_size=2, max_size=4))
    return document, states[0][1], [state for state, _ in states]


def the_sale_holds_what_its_last_state_earns(case: tuple) -> None:
    document, snapshot, states = case
    edited, fresh = Till(document), Till(document)
    edited.sell(states[0], snapshot)
    for number, state in enumerate(states[1:], 1):
        edited.process(amendment(number, **{name: state[name] for name in ("amount", "lines", "tax")}))
    fresh.sell(states[-1], snapshot)
    assert held(edited) == held(fresh)


def held(till: Till) -> tuple[Decimal, int]:
    """Return the units that no return has taken, and the number of coupons that are not voided."""
    units = sum((lot.issued - lot.taken_back for lot in till.lots().values()), Decimal(0))
    return units, sum(each.state != "voided" for each in till.coupons().values())


def test_a_sale_holds_what_its_last_state_earns() -> None:
    holds(the_sale_holds_what_its_last_state_earns, amended_sales(), tries=60)


@pytest.mark.parametrize("part", ["_gains_of", "_dues_of"])
def test_an_amendment_that_forgets_one_direction_is_caught(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: Any = {} if part == "_dues_of" else ()
    monkeypatch.setattr(amendments._Balance, part, lambda *_: nothing)
    is_broken(the_sale_holds_what_its_last_state_earns, amended_sales(), tries=200)


def test_coupons_that_an_amendment_forgets_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amendments, "_missing_coupons", lambda *_: ())
    is_broken(the_sale_holds_what_its_last_state_earns, amended_sales(), tries=200)
