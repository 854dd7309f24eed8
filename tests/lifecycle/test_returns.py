"""Returns: the laws, each with a mistake that breaks it, and the table of the policies."""

from __future__ import annotations

import itertools
from copy import deepcopy
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import assume
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.intents import ReverseCurrency
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations import TakeBack
from loyalty_rules.lifecycle import Account, Lot, Refusal, returns
from loyalty_rules.values.amounts import micros
from reference import documents
from shop import earn, fixed, lines, program, proportional, sale, stepped

from .laws import holds, is_broken
from .sales import everything, goods_back, money, monotone, returned_sales, sales, together
from .till import BACK_AT, LONG_AFTER, MEMBER, Till, advanced, instant, reversed_by, voids

ONE_PER_TEN = program(earn(stepped("10", "1")))


def after_returns(program: dict, sale: dict, snapshot: dict, returns: list) -> tuple[dict, set, dict]:
    """Sell and take back; return the units taken of each lot, the voided coupons, and the changes of trackers."""
    till = Till(program)
    till.sell(sale, snapshot)
    taken = [till.take_back(money(amount), goods) for amount, goods in returns]
    back = advanced(intent for receipt in taken for intent in receipt.intents)
    return till.taken(), till.voided(), back


# -- mistakes --------------------------------------------------------------------------------------------------------


def floor_per_return(sale: Any, remainder: Any, lot: Lot) -> int:
    """The mistake that the rules warn of: take the award of the returned part alone, return by return."""
    back = remainder.returns[-1]
    amount = micros(remainder.event.amount)
    alone = attrs.evolve(remainder.event, amount=back.amount) if amount else remainder.event
    evaluation = sale.program.evaluate(alone, sale.snapshot, serials=returns._Unnamed())
    earned = sum(
        micros(each.amount)
        for each in evaluation.intents
        if each.type == "issue_currency"
        and f"{each.promotion}/{each.action}" == f"{lot.issue.promotion}/{lot.issue.action}"
    )
    return min(micros(lot.taken_back) + earned, micros(lot.issued))


@pytest.fixture
def floors_each_return(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = returns._Remainder.__init__

    def remember(self: Any, sale: Any, event: Any, back: Any) -> None:
        self.returns = back
        decide(self, sale, event, back)

    monkeypatch.setattr(returns._Remainder, "__init__", remember)
    monkeypatch.setattr(returns, "_due_in_all", floor_per_return)


# -- the split and the order of returns make no difference -----------------------------------------------------------


def split_and_order_make_no_difference(case: tuple, order: Any) -> None:
    program, sale, snapshot, back = case
    shuffled = list(back)
    order.shuffle(shuffled)
    at_once = after_returns(program, sale, snapshot, [together(back)])
    assert after_returns(program, sale, snapshot, back) == at_once
    assert after_returns(program, sale, snapshot, shuffled) == at_once


def test_the_split_and_the_order_of_returns_make_no_difference() -> None:
    holds(split_and_order_make_no_difference, returned_sales(), st.randoms(use_true_random=False), tries=80)


@pytest.mark.usefixtures("floors_each_return")
def test_arithmetic_that_floors_each_return_is_caught() -> None:
    is_broken(split_and_order_make_no_difference, returned_sales(), st.randoms(use_true_random=False), tries=80)


def test_coupons_voided_anew_by_each_return_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    voids = returns._voids

    def forgetful(back: Any, key: str, remainder: Any, coupons: Any) -> Any:
        gone = [attrs.evolve(each, state="redeemed") if each.state == "voided" else each for each in coupons]
        return voids(back, key, remainder, gone)

    monkeypatch.setattr(returns, "_voids", forgetful)
    is_broken(split_and_order_make_no_difference, returned_sales(), st.randoms(use_true_random=False), tries=80)


@pytest.mark.parametrize("parts", [["20"], ["5"] * 4, ["15", "5"], ["0.01"] * 3 + ["19.97"]])
def test_a_sale_with_two_points_in_steps_of_ten_loses_two_in_any_parts(parts: list[str]) -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("21.90"))
    assert sum(reversed_by(till.take_back(part)) for part in parts) == 2


@pytest.mark.usefixtures("floors_each_return")
def test_the_mistake_of_flooring_each_of_four_returns_of_five_takes_no_points() -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("21.90"))
    assert [reversed_by(till.take_back("5")) for _ in range(4)] == [0, 0, 0, 0]


def test_units_once_taken_back_stay_taken_although_a_smaller_sale_earns_more() -> None:
    small = earn(fixed("9"), "small")
    rules = program(
        promotions=[
            {"id": "large", "when": {"field": "amount", "at_least": "60"}, "actions": [earn(fixed("5"))]},
            {"id": "middle", "when": {"field": "amount", "at_most": "80"}, "actions": [small]},
        ]
    )
    till = Till(rules)
    till.sell(sale("70"))
    assert till.taken() == {"large/earn": 0, "middle/small": 0}
    till.take_back("20")
    assert till.taken() == {"large/earn": 5, "middle/small": 0}


# -- a full return takes exactly the units issued --------------------------------------------------------------------


def a_full_return_takes_what_was_issued(case: tuple) -> None:
    """In any parts: only issues with the policy `keep` remain, and trackers are as before the sale."""
    program, document, snapshot, back = case
    till = Till(program)
    sold = till.sell(document, snapshot)
    receipts = [till.take_back(money(amount), goods) for amount, goods in back]
    amount, goods = everything(document)
    so_far = together(back)[1]
    rest = {line: quantity - so_far.get(line, 0) for line, quantity in goods.items()}
    receipts.append(till.take_back(money(amount), {line: quantity for line, quantity in rest.items() if quantity}))
    policy = policies(program)
    for key, lot in till.lots().items():
        issued = Decimal(0) if policy[key.split("/", 2)[2]] == "keep" else lot.issued
        assert lot.taken_back == issued, key
    for key, coupon in till.coupons().items():
        kept = policy[key.split("/", 2)[2].rpartition("/")[0]] == "keep"
        assert coupon.state == ("issued" if kept else "voided"), key
    moved = advanced(intent for receipt in [sold, *receipts] for intent in receipt.intents)
    assert all(value == 0 for value in moved.values())


def policies(program: dict) -> dict[str, str]:
    return {
        f"{promotion['id']}/{action['id']}": action.get("on_return") or "recompute"
        for promotion in program["promotions"]
        for action in promotion["actions"]
    }


def test_a_full_return_takes_exactly_what_was_issued() -> None:
    holds(a_full_return_takes_what_was_issued, returned_sales(), tries=80)


def test_a_return_that_rounds_its_own_proportion_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def proportion(_sale: Any, remainder: Any, lot: Lot) -> int:
        if remainder.policy(lot.issue) == "keep":
            return 0
        amount = micros(remainder.event.amount)
        return micros(lot.issued) * min(remainder.returned, amount) // (amount + 1)

    monkeypatch.setattr(returns, "_due_in_all", proportion)
    is_broken(a_full_return_takes_what_was_issued, returned_sales(), tries=80)


# -- any program -----------------------------------------------------------------------------------------------------


@st.composite
def any_returned_sale(draw: Any) -> tuple[dict, dict, dict | None, list[tuple[int, dict]], int]:
    """A program over the whole format, a sale, its returns, and the percentage that is spent before them."""
    program, event, snapshot = draw(documents.cases())
    assume(event["type"] == "transaction")
    sold = lr.dump(lr.load_event(event))
    bought = {line["id"]: Decimal(line["quantity"]) for line in sold["lines"]}
    back = []
    for _ in range(draw(st.integers(1, 3))):
        goods = {line: quantity for line, quantity in bought.items() if draw(st.booleans())}
        bought = {line: quantity for line, quantity in bought.items() if line not in goods}
        most = max(int(Decimal(sold["amount"])), 0)
        back.append((draw(st.integers(0, most)), goods))
    back.append((max(Decimal(sold["amount"]), Decimal(0)), bought))
    return program, event, snapshot, back, draw(st.sampled_from((0, 50, 100)))


def no_balance_is_raised_and_no_more_is_taken_than_was_issued(case: tuple) -> None:
    program, event, snapshot, back, percent = case
    till = Till(program)
    till.sell(event, snapshot or {})
    at = instant(lr.dump(lr.load_event(event))["occurred_at"])
    accounts = {(lot.account, lot.issue.currency) for lot in till.lots().values()}
    for account, currency in accounts:
        part = till.ledger.balance(till.program.id, account, currency, at).available * percent / 100
        member = account.id if account.kind == "member" else "M1"
        if part:
            part = part.quantize(Decimal("0.000001"))
            till.ledger.spend(till.program, account, member, currency, part, event=f"spend {account}", at=at)
    for amount, goods in back:
        before = balances(till, accounts, at)
        receipt = till.take_back(amount, goods, of=event["id"], at=at.isoformat())
        assert receipt.status == "recorded"
        for intent in receipt.intents:
            if isinstance(intent, ReverseCurrency):
                assert intent.amount > 0
                assert sum(draw.amount for draw in intent.draws) + intent.shortfall == intent.amount
        for one, other in zip(before, balances(till, accounts, at), strict=True):
            assert other <= one
    policy = policies(program)
    for key, lot in till.lots().items():
        assert 0 <= lot.taken_back <= lot.issued
        if policy[key.split("/", 2)[2]] != "keep":
            assert lot.taken_back == lot.issued, key


def balances(till: Till, accounts: set[tuple[Account, str]], at: Any) -> list[Decimal]:
    found = []
    for account, currency in sorted(accounts, key=str):
        balance = till.ledger.balance(till.program.id, account, currency, at)
        found += [balance.available, balance.promised, -balance.debt]
    return found


def test_no_return_raises_a_balance_or_takes_more_than_was_issued() -> None:
    holds(no_balance_is_raised_and_no_more_is_taken_than_was_issued, any_returned_sale(), tries=100)


def test_a_return_that_ignores_earlier_returns_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    due = returns._due
    monkeypatch.setattr(
        returns, "_due", lambda sale, remainder, lot: due(sale, remainder, attrs.evolve(lot, taken_back=Decimal(0)))
    )
    is_broken(no_balance_is_raised_and_no_more_is_taken_than_was_issued, any_returned_sale(), tries=100)


def test_a_return_that_may_take_more_than_was_issued_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    due = returns._due
    monkeypatch.setattr(
        returns, "_due", lambda sale, remainder, lot: due(sale, remainder, attrs.evolve(lot, issued=lot.issued * 2))
    )
    is_broken(no_balance_is_raised_and_no_more_is_taken_than_was_issued, any_returned_sale(), tries=100)


# -- a retried return -----------------------------------------------------------------------------------------------


def a_retried_return_takes_no_more_units(case: tuple) -> None:
    program, document, snapshot, back = case
    till = Till(program)
    till.sell(document, snapshot)
    for amount, goods in back:
        first = till.take_back(money(amount), goods)
        state = till.taken(), till.voided(), till.available()
        till.returns -= 1  # under the same id
        again = till.take_back(money(amount), goods)
        assert (again.status, again.intents) == ("already_recorded", first.intents)
        assert (till.taken(), till.voided(), till.available()) == state


def test_a_retried_return_takes_no_more_units() -> None:
    holds(a_retried_return_takes_no_more_units, returned_sales(), tries=40)


def test_a_ledger_that_does_not_recognise_a_retry_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    monkeypatch.setattr(IdempotencyRecord, "key", property(lambda _: f"acme/{next(numbers)}"))
    is_broken(a_retried_return_takes_no_more_units, returned_sales(), tries=20)


def test_the_decision_of_a_recorded_return_has_no_intents() -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30"))
    till.take_back("15")
    recorded = till.ledger._storage.sales["acme", "T-1"]
    assert returns.take_back(recorded, recorded.returns[0], till.lots().values(), (), {}) == ()


def test_another_return_under_the_same_id_is_a_conflict_that_names_the_field() -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30"))
    till.take_back("10")
    till.returns -= 1
    with pytest.raises(IdempotencyConflict) as caught:
        till.take_back("20")
    assert (caught.value.field, caught.value.recorded, caught.value.offered) == ("event.amount", "10", "20")
    assert till.taken() == {"p/earn": 1}


# -- terms are frozen ------------------------------------------------------------------------------------------------


def a_changed_program_changes_nothing_for_an_old_sale(case: tuple, change: str) -> None:
    program, document, snapshot, back = case
    unchanged, changed = Till(program), Till(program)
    for till in (unchanged, changed):
        till.sell(document, snapshot)
    changed.program = lr.load_program(tomorrow(program, change))
    for amount, goods in back:
        one, other = unchanged.take_back(money(amount), goods), changed.take_back(money(amount), goods)
        assert one.intents == other.intents


def tomorrow(program: dict, change: str) -> dict:
    """Return the program as changed by the time of the return."""
    later = deepcopy(program)
    if change == "deleted":
        later["promotions"] = []
    elif change == "reworded":
        for promotion in later["promotions"]:
            promotion["when"] = {"field": "amount", "at_least": "25"}
            for action in promotion["actions"]:
                action["on_return"] = "reverse"
    else:
        later["shortfall"] = "carry" if program["shortfall"] == "write_off" else "write_off"
        later["trackers"]["spend"]["target"] = "5"
    return later


CHANGES = st.sampled_from(("deleted", "reworded", "shortfall"))


def test_a_changed_or_deleted_promotion_changes_nothing_for_an_old_sale() -> None:
    holds(a_changed_program_changes_nothing_for_an_old_sale, returned_sales(), CHANGES, tries=40)


def test_a_return_decided_under_the_program_of_today_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = TakeBack.decide

    def decided_today(self: TakeBack, storage: Any) -> Any:
        of = self.program.id, self.event.of
        storage.sales[of] = attrs.evolve(storage.sales[of], program=self.program)
        return decide(self, storage)

    monkeypatch.setattr(TakeBack, "decide", decided_today)
    is_broken(a_changed_program_changes_nothing_for_an_old_sale, returned_sales(), st.just("reworded"), tries=40)


# -- no farming by returns ------------------------------------------------------------------------------------------


@st.composite
def mornings(draw: Any) -> tuple[dict, list[tuple[dict, list | None]]]:
    """A program without the policy `keep`, and sales, some of which are fully returned before the next one."""
    rules = draw(monotone())
    for promotion in rules["promotions"]:
        for action in promotion["actions"]:
            action["on_return"] = "recompute" if action["type"] == "issue_currency" else "void_if_unredeemed"
    rules["limits"] = {"most": {"currency": "points", "per": "member", "amount": "40"}}
    rules["coupon_types"]["gift"]["caps"] = {"per_member": 4}
    rules["promotions"][0]["actions"][0]["caps"] = {"total": {"times": 3}}
    sold = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        document, _ = draw(sales())
        document["id"] = f"T-{number}"
        sold.append((document, draw(goods_back(document, most=2)) if draw(st.booleans()) else None))
    return rules, sold


def a_full_return_leaves_no_trace(case: tuple) -> None:
    """Balances, caps, limits and trackers are as if the sale had never been, so that no milestone is reached twice."""
    rules, sold = case
    with_returns, without = Till(rules), Till(rules)
    for document, back in sold:
        with_returns.sell(document)
        if back is None:
            without.sell(document)
            continue
        for amount, goods in back:
            with_returns.take_back(money(amount), goods, of=document["id"])
        with_returns.take_back(document["amount"], of=document["id"])
    assert standing(with_returns) == standing(without)


def standing(till: Till) -> tuple:
    probe = lr.load_event(sale("10", id="probe", occurred_at=BACK_AT))
    balance = till.ledger.balance("acme", MEMBER, "points", LONG_AFTER)
    unused = sum(coupon.state == "issued" for coupon in till.coupons().values())
    return till.ledger.snapshot(till.program, probe), balance, unused


def test_a_full_return_leaves_no_trace_so_that_no_milestone_is_farmed() -> None:
    holds(a_full_return_leaves_no_trace, mornings(), tries=60)


def test_trackers_that_keep_returned_contributions_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "_trackers", lambda *_: iter(()))
    is_broken(a_full_return_leaves_no_trace, mornings(), tries=60)


def test_caps_that_keep_returned_units_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "released_claims", lambda *_: ())
    is_broken(a_full_return_leaves_no_trace, mornings(), tries=60)


def test_a_milestone_that_is_crossed_and_returned_several_times_is_paid_once() -> None:
    spend = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}
    milestone = {"id": "goal", "when": {"tracker": "spend", "crossed": True}, "actions": [earn(fixed("50"))]}
    till = Till(program(trackers=spend, promotions=[milestone]))
    till.sell(sale("90", id="T-0"))
    for number in range(1, 4):
        till.sell(sale("20", id=f"T-{number}"))
        assert till.available() == 50
        receipt = till.take_back("15", of=f"T-{number}")
        assert till.available() == 0
        assert advanced(receipt.intents) == {"spend": -15}
        till.take_back("5", of=f"T-{number}")


def test_a_returned_contribution_is_taken_from_the_window_of_the_sale() -> None:
    month = {"measure": {"type": "transaction_value"}, "target": "100", "window": {"type": "calendar", "unit": "month"}}
    till = Till(program(earn(fixed("1")), trackers={"spend": month}))
    till.sell(sale("60"))
    taken = till.take_back("20", at="2025-03-03T10:00:00Z").intents
    assert [(intent.value, str(intent.window_starts_at)) for intent in taken] == [(-20, "2025-01-01 00:00:00+00:00")]
    january = lr.load_event(sale("1", id="T-2"))
    assert till.ledger.snapshot(till.program, january).trackers == {"spend": 40}
    march = lr.load_event(sale("1", id="T-3", occurred_at="2025-03-03T12:00:00Z"))
    assert till.ledger.snapshot(till.program, march).trackers == {"spend": 0}


# -- policies, by hand -----------------------------------------------------------------------------------------------

# A bill of 100; returns of 25, 25 and 50.
POLICY_TABLE = [
    ("recompute", proportional("10"), ["2.5", "2.5", "5"]),
    ("recompute", stepped("30", "1"), ["1", "1", "1"]),
    ("recompute", fixed("10"), ["0", "0", "10"]),
    ("proportional", stepped("30", "1"), ["0", "1", "2"]),
    ("proportional", fixed("10"), ["2", "3", "5"]),
    ("reverse", proportional("10"), ["10", "0", "0"]),
    ("keep", proportional("10"), ["0", "0", "0"]),
]


@pytest.mark.parametrize(("policy", "proration", "taken"), POLICY_TABLE)
def test_each_policy_takes_its_part_of_two_quarters_and_the_rest(
    policy: str, proration: dict, taken: list[str]
) -> None:
    till = Till(program(earn(proration, on_return=policy)))
    till.sell(sale("100"))
    assert [reversed_by(till.take_back(amount)) for amount in ("25", "25", "50")] == [Decimal(each) for each in taken]


def test_a_fixed_issue_is_taken_back_once_its_promotion_would_not_fire() -> None:
    till = Till(program(promotions=[
        {"id": "p", "when": {"field": "amount", "at_least": "80"}, "actions": [earn(fixed("10"))]}
    ]))  # fmt: skip
    till.sell(sale("100"))
    assert [reversed_by(till.take_back(amount)) for amount in ("20", "0.01")] == [0, 10]


def test_a_line_keeps_the_proportion_of_its_value_that_its_quantity_keeps() -> None:
    of = {"type": "line_item_value", "lines": {"field": "sku", "is": "MUG"}}
    till = Till(program(earn(proportional("100", of))))
    mugs = {"id": "1", "sku": "MUG", "quantity": "3", "unit_price": "5", "discount": "0.5"}  # 14.50 in all
    till.sell(sale("30", lines=[mugs, {"id": "2", "quantity": "1", "value": "15.5"}]))
    assert reversed_by(till.take_back("4.83", {"1": "1"})) == Decimal("4.833333")  # 14.50 less a remainder of 9.666667
    assert reversed_by(till.take_back("15.5", {"2": "1"})) == 0
    assert reversed_by(till.take_back("9.67", {"1": "2"})) == Decimal("9.666667")


def test_tax_and_tenders_keep_their_proportion_of_the_bill() -> None:
    of = {"type": "transaction_value", "less": ["tax", "tenders.gift_card"]}
    till = Till(program(earn(proportional("100", of))))
    till.sell(sale("120", tax="20", tenders=[{"type": "gift_card", "amount": "40"}]))
    # 60 earned; a quarter goes back: 90 − 15 − 30 = 45.
    assert reversed_by(till.take_back("30")) == 15


def test_an_award_of_an_award_shrinks_with_it() -> None:
    again = earn(proportional("100", {"type": "awarded", "actions": ["p/earn"]}), "again")
    till = Till(program(earn(stepped("10", "1")), again))
    till.sell(sale("45"))
    till.take_back("20")
    assert till.taken() == {"p/earn": 2, "p/again": 2}


def test_a_return_is_measured_against_the_issue_after_its_cap() -> None:
    till = Till(program(earn(proportional("100"), caps={"per_member": {"amount": "60"}})))
    till.sell(sale("100"))
    assert [reversed_by(till.take_back("30")) for _ in range(3)] == [0, 20, 30]


# -- the lots that a return draws from --------------------------------------------------------------------------------


def test_the_promise_is_taken_first_and_its_rest_is_released_in_time() -> None:
    till = Till(program(earn(proportional("100"), timing={"type": "delayed", "days": 14})))
    till.sell(sale("100"))
    (taken,) = till.take_back("40").intents
    assert [(draw.amount, draw.taken_from) for draw in taken.draws] == [(40, "promised")]
    (settled,) = till.ledger.settle(till.program, instant("2025-01-29T10:00:00Z"))
    assert [intent.amount for intent in settled.intents] == [60]
    assert till.available("2025-01-29T10:00:00Z") == 60


def test_a_return_takes_its_own_lot_then_the_soonest_to_expire_and_names_the_shortfall() -> None:
    def expiring(name: str, amount: str, days: int) -> dict:
        return earn(fixed(amount), name, expiry={"type": "fixed_period", "after": {"days": days}})

    promotions = [
        {"id": "own", "when": {"field": "store", "is": "S1"}, "actions": [expiring("earn", "30", 90)]},
        {"id": "other", "when": {"field": "store", "is": "S2"}, "actions": [expiring("late", "10", 60),
                                                                          expiring("soon", "5", 30)]},
    ]  # fmt: skip
    till = Till(program(promotions=promotions))
    till.sell(sale("100", store="S1"))
    till.spend("20")
    till.sell(sale("100", id="T-2", store="S2"))
    (taken,) = till.take_back("100").intents
    assert [(draw.lot.split("/")[-1], draw.amount) for draw in taken.draws] == [("earn", 10), ("soon", 5), ("late", 10)]
    assert (taken.amount, taken.shortfall, taken.carried) == (30, 5, False)
    assert till.available() == 0


@pytest.mark.parametrize(("shortfall", "debt", "left"), [("write_off", 0, 100), ("carry", 40, 60)])
def test_a_shortfall_is_written_off_or_paid_by_the_next_issue(shortfall: str, debt: int, left: int) -> None:
    till = Till(program(earn(proportional("100")), shortfall=shortfall))
    till.sell(sale("100"))
    till.spend("40")
    till.take_back("100")
    assert till.ledger.balance("acme", MEMBER, "points", instant(BACK_AT)).debt == debt
    till.sell(sale("100", id="T-2", occurred_at=BACK_AT))
    assert till.available() == left
    assert till.ledger.balance("acme", MEMBER, "points", instant(BACK_AT)).debt == 0


def test_expired_units_are_not_taken_from_their_lot() -> None:
    till = Till(program(earn(fixed("10"), expiry={"type": "fixed_period", "after": {"days": 1}})))
    till.sell(sale("100"))
    (taken,) = till.take_back("100").intents
    assert (taken.draws, taken.shortfall) == ((), 10)


# -- coupons ---------------------------------------------------------------------------------------------------------


def coupon(quantity: Any = 1, **parts: Any) -> dict:
    return {"type": "issue_coupon", "id": "gift", "coupon_type": "gift", "quantity": quantity, **parts}


def coupon_program(quantity: Any, **parts: Any) -> dict:
    gift = {"benefit": {"type": "amount_off", "amount": "5"}}
    expiry = parts.pop("expiry", None)
    if expiry:
        gift["validity"] = {"expiry": expiry}
    return program(coupon(quantity, **parts), coupon_types={"gift": gift})


ONE_IN_TWENTY = {"type": "stepped", "step_size": "20", "points_per_step": "1"}


def redeem(till: Till, ordinal: int, event: str, at: str = "2025-01-16T10:00:00Z") -> None:
    code = f"S:acme/T-1/p/gift/{ordinal}"
    receipt = till.ledger.redeem(till.program, code, lr.load_event(sale("50", id=event, occurred_at=at)))
    assert receipt.status == "recorded"


def test_coupons_that_the_remaining_sale_would_not_have_issued_are_voided_newest_first() -> None:
    till = Till(coupon_program(ONE_IN_TWENTY))
    till.sell(sale("100"))  # 5
    assert [voids(till.take_back(amount)) for amount in ("10", "30", "60")] == [
        ["p/gift/5"],
        ["p/gift/4"],
        ["p/gift/3", "p/gift/2", "p/gift/1"],
    ]


def test_a_redeemed_coupon_stays_redeemed_and_an_older_one_is_voided_instead() -> None:
    till = Till(coupon_program(ONE_IN_TWENTY))
    till.sell(sale("100"))
    redeem(till, 5, "T-2")
    assert voids(till.take_back("20")) == ["p/gift/4"]
    assert voids(till.take_back("80")) == ["p/gift/3", "p/gift/2", "p/gift/1"]
    assert till.coupons()["acme/T-1/p/gift/5"].state == "redeemed"


@pytest.mark.parametrize(("policy", "gone"), [("void_if_unredeemed", 1), ("reverse", 5), ("keep", 0)])
def test_each_policy_voids_its_part_of_five_coupons_for_a_tenth_returned(policy: str, gone: int) -> None:
    till = Till(coupon_program(ONE_IN_TWENTY, on_return=policy))
    till.sell(sale("100"))
    assert len(voids(till.take_back("10"))) == gone


@pytest.mark.parametrize("swept", [True, False])
def test_a_coupon_that_has_expired_is_not_voided_whether_or_not_it_was_swept(swept: bool) -> None:
    till = Till(coupon_program(3, expiry={"type": "fixed_period", "after": {"days": 2}}))
    till.sell(sale("100"))
    if swept:
        assert len(till.ledger.expire(till.program, instant("2025-01-18T00:00:00Z"))) == 3
    assert voids(till.take_back("100")) == []
    assert {coupon.state_at(instant(BACK_AT)) for coupon in till.coupons().values()} == {"expired"}


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("back", "reason"),
    [
        ({"of": "T-2"}, "unknown_sale"),
        ({"of": "A-1"}, "not_a_sale"),
        ({"lines": [{"id": "3", "quantity": "1"}]}, "unknown_line"),
        ({"lines": [{"id": "1", "quantity": "1.000001"}]}, "more_than_bought"),
        ({"lines": [{"id": "1", "quantity": "0.6"}, {"id": "1", "quantity": "0.5"}]}, "more_than_bought"),
    ],
)
def test_a_wrong_return_is_refused_and_may_be_corrected_under_the_same_id(back: dict, reason: str) -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30", lines=lines("20", "10")))
    till.process({"type": "check_in", "id": "A-1", "occurred_at": BACK_AT, "member": {"id": "M1"}})
    document = {"type": "return", "id": "R-1", "occurred_at": BACK_AT, "of": "T-1", "amount": "10", **back}
    refused = till.process(document)
    assert (refused.status, refused.intents) == ("refused", ())
    assert isinstance(refused.refusal, Refusal)
    assert refused.refusal.reasons == (reason,)
    assert till.process({**document, "of": "T-1", "lines": []}).status == "recorded"


def test_all_returns_of_a_line_together_are_limited_to_its_quantity() -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30", lines=[{"id": "1", "quantity": "2", "value": "30"}]))
    assert till.take_back("10", {"1": "1.5"}).status == "recorded"
    assert till.take_back("10", {"1": "1"}).status == "refused"
    assert till.take_back("10", {"1": "0.5"}).status == "recorded"


def test_a_sale_of_amount_zero_is_fully_returned_with_its_lines() -> None:
    till = Till(program(earn(fixed("10"), on_return="recompute")))
    exchange = [{"id": "1", "quantity": "1", "value": "20"}, {"id": "2", "quantity": "1", "value": "-20"}]
    till.sell(sale("0", lines=exchange))
    assert [reversed_by(till.take_back("0", {line: "1"})) for line in ("1", "2")] == [0, 10]
