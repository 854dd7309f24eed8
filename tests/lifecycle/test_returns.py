"""Returns: the laws, each with a mistake that breaks it, and the table of the policies."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from decimal import ROUND_DOWN, Decimal
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.intents import IssueCurrency, ReverseCurrency
from loyalty_rules.ledger import IdempotencyConflict
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.operations import TakeBack
from loyalty_rules.lifecycle import Account, Lot, Refusal, remaining_award, returned_coupons, returns, taking
from loyalty_rules.lifecycle.remainder import _Back
from loyalty_rules.lifecycle.remaining_award import action_of
from loyalty_rules.values.amounts import micros
from reference import documents
from shop import earn, evaluate, fixed, lines, program, proportional, sale, stepped

from .laws import holds, is_broken
from .sales import (
    alike_returns,
    dependent,
    everything_else,
    goods_back,
    money,
    monotone,
    rest_of,
    returned_sales,
    sales,
    together,
)
from .till import BACK_AT, LONG_AFTER, MEMBER, SOLD_AT, Till, advanced, instant, reversed_by, voids

ZERO = Decimal(0)
ONE_PER_TEN = program(earn(stepped("10", "1")))


def after_returns(program: dict, sale: dict, snapshot: dict, returns: list) -> tuple[dict, set, dict]:
    """Sell and take back; return the units taken of each lot, the voided coupons, and the changes of trackers."""
    till = Till(program)
    till.sell(sale, snapshot)
    taken = [till.take_back(money(amount), goods) for amount, goods in returns]
    back = advanced(intent for receipt in taken for intent in receipt.intents)
    return till.taken(), till.voided(), back


# -- mistakes --------------------------------------------------------------------------------------------------------


def floor_per_return(remainder: Any, own: list[Lot]) -> list[tuple[Lot, int]]:
    """The mistake that the rules warn of: take the award of the returned part alone, return by return."""
    sale, back = remainder.terms, remainder.returns[-1]
    alone = attrs.evolve(sale.event, amount=back.amount)
    evaluation = sale.program.evaluate(alone, sale.snapshot, serials=remaining_award._Unnamed())
    earned = {action_of(each): micros(each.amount) for each in evaluation.intents if isinstance(each, IssueCurrency)}
    return [(lot, min(earned.get(action_of(lot.issue), 0), micros(lot.issued) - micros(lot.taken_back))) for lot in own]


@pytest.fixture
def floors_each_return(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = remaining_award.RemainingAward.__init__

    def remember(self: Any, sale: Any, back: Any) -> None:
        self.returns = back
        decide(self, sale, back)

    monkeypatch.setattr(remaining_award.RemainingAward, "__init__", remember)
    monkeypatch.setattr(returns, "_dues", floor_per_return)


def plant_in_dues(monkeypatch: pytest.MonkeyPatch, mistake: Callable[[Lot], Lot]) -> None:
    """Decide the units due of lots as a mistake sees them."""
    dues = returns._dues

    def mistaken(remainder: Any, own: list[Lot]) -> list[tuple[Lot, int]]:
        decided = dues(remainder, [mistake(lot) for lot in own])
        return [(lot, units) for lot, (_, units) in zip(own, decided, strict=True)]

    monkeypatch.setattr(returns, "_dues", mistaken)


# -- the split and the order of returns make no difference -----------------------------------------------------------


def split_and_order_make_no_difference(case: tuple, order: Any) -> None:
    program, sale, snapshot, back = case
    shuffled = list(back)
    order.shuffle(shuffled)
    at_once = after_returns(program, sale, snapshot, [together(back)])
    assert after_returns(program, sale, snapshot, back) == at_once
    assert after_returns(program, sale, snapshot, shuffled) == at_once


def order_makes_no_difference(case: tuple, order: Any) -> None:
    program, sale, snapshot, back = case
    shuffled = list(back)
    order.shuffle(shuffled)
    assert after_returns(program, sale, snapshot, shuffled) == after_returns(program, sale, snapshot, back)


def test_the_split_and_the_order_of_returns_make_no_difference() -> None:
    holds(split_and_order_make_no_difference, alike_returns(), st.randoms(use_true_random=False), tries=80)
    holds(order_makes_no_difference, returned_sales(), st.randoms(use_true_random=False), tries=40)


@pytest.mark.usefixtures("floors_each_return")
def test_arithmetic_that_floors_each_return_is_caught() -> None:
    is_broken(split_and_order_make_no_difference, alike_returns(), st.randoms(use_true_random=False), tries=80)


def test_coupons_voided_anew_by_each_return_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    voids = returns.voids

    def forgetful(back: Any, key: str, remainder: Any, coupons: Any) -> Any:
        gone = [
            attrs.evolve(each, state="redeemed", voided_at=None) if each.state == "voided" else each for each in coupons
        ]
        return voids(back, key, remainder, gone)

    monkeypatch.setattr(returns, "voids", forgetful)
    coupons_alone = alike_returns().map(with_a_coupon_for_every_15)
    is_broken(split_and_order_make_no_difference, coupons_alone, st.randoms(use_true_random=False), tries=200)


def with_a_coupon_for_every_15(case: tuple) -> tuple:
    """The same sale and returns, in a program that gives coupons alone."""
    document, *rest = case
    quantity = {"type": "stepped", "step_size": "15", "points_per_step": "1"}
    gift = {"type": "issue_coupon", "id": "c", "coupon_type": "gift", "quantity": quantity}
    return {**document, "promotions": [{"id": "gift", "actions": [gift]}]}, *rest


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
    amount, goods = everything_else(document, back)
    receipts.append(till.take_back(money(amount), goods))
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
    def proportion(remainder: Any, own: list[Lot]) -> list[tuple[Lot, int]]:
        part = min(remainder.returned, remainder.base), remainder.base + 1
        return [
            (lot, micros(lot.issued) * part[0] // part[1] - micros(lot.taken_back))
            for lot in own
            if remainder.policy(lot.issue) != "keep"
        ]

    monkeypatch.setattr(returns, "_dues", proportion)
    is_broken(a_full_return_takes_what_was_issued, returned_sales(), tries=80)


def test_a_sale_that_is_whole_by_its_amount_alone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The goods are all back, but the delivery was kept."""
    law = the_account_keeps_the_least_award_of_the_rest
    monkeypatch.setattr(_Back, "is_whole", lambda self: self.amount >= self.whole_amount)
    is_broken(law, returned_sales(dependent), tries=500)


# -- an account keeps the award of the rest ----------------------------------------------------------------------------


def the_account_keeps_the_least_award_of_the_rest(case: tuple) -> None:
    """After each return: min(issued, the least award of the rest so far), over all actions that recompute."""
    program, document, snapshot, back = case
    till, policy = Till(program), policies(program)
    till.sell(document, snapshot)
    issued = {key.split("/", 2)[2]: lot.issued for key, lot in till.lots().items()}
    own = {action for action in issued if policy[action] == "recompute"}
    given = Counter(key.split("/", 2)[2].rpartition("/")[0] for key in till.coupons())
    pool = {action for action in given if policy[action] == "void_if_unredeemed"}
    kept, coupons = sum(issued[action] for action in own), sum(given[action] for action in pool)
    for number, (amount, goods) in enumerate(back, 1):
        before = till.taken()
        till.take_back(money(amount), goods)
        after = till.taken()
        awards, quantities = awards_of(program, rest_of(document, back[:number]), snapshot)
        counted = own | {action for action in awards if action not in issued}
        if own:
            kept = min(kept, sum(awards[action] for action in counted & {*awards}))
        assert sum(issued[action] - after[action] for action in own) == kept
        for action in own:  # the last action gives first, and none more than its own loss
            loss = max(issued[action] - awards.get(action, Decimal(0)), before[action])
            assert before[action] <= after[action] <= loss
        if pool:
            voidable = {
                action for action in quantities if policy[action] == "void_if_unredeemed" or action not in given
            }
            coupons = min(coupons, sum(quantities[action] for action in voidable))
        unused = [key for key, each in till.coupons().items() if each.state == "issued"]
        assert sum(key.split("/", 2)[2].rpartition("/")[0] in pool for key in unused) == coupons


def awards_of(program: dict, rest: dict | None, snapshot: dict) -> tuple[dict[str, Decimal], dict[str, int]]:
    """Return the awards and the numbers of coupons that a rest earns, by action."""
    if rest is None:
        return {}, {}
    intents = evaluate(program, rest, snapshot)["intents"]
    awards = {
        f"{each['promotion']}/{each['action']}": Decimal(each["amount"])
        for each in intents
        if each["type"] == "issue_currency"
    }
    coupons = Counter(f"{each['promotion']}/{each['action']}" for each in intents if each["type"] == "issue_coupon")
    return awards, coupons


@pytest.mark.parametrize("programs", [monotone, dependent])
def test_an_account_keeps_the_least_award_of_the_rest(programs: Callable) -> None:
    holds(the_account_keeps_the_least_award_of_the_rest, returned_sales(programs), tries=120)


def test_actions_decided_each_by_itself_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    recompute = returns._due_by_recomputing

    def alone(remainder: Any, members: list[Lot], awards: Any) -> dict[str, int]:
        dues: dict[str, int] = {}
        for lot in members:
            action = action_of(lot.issue)
            dues |= recompute(remainder, [lot], {key: award for key, award in awards.items() if key == action})
        return dues

    monkeypatch.setattr(returns, "_due_by_recomputing", alone)
    is_broken(the_account_keeps_the_least_award_of_the_rest, returned_sales(dependent), tries=500)


def test_awards_of_actions_that_issued_nothing_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    awards = returns._awards

    def of_issues(remainder: Any, pool: Any, issued: set[str]) -> dict[str, int]:
        return {key: award for key, award in awards(remainder, pool, issued).items() if key in issued}

    monkeypatch.setattr(returns, "_awards", of_issues)
    is_broken(the_account_keeps_the_least_award_of_the_rest, returned_sales(dependent), tries=500)


def test_coupons_counted_by_action_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_action(_remainder: Any, coupons: Any) -> Any:
        pools: dict[str, list[Any]] = {}
        for each in coupons:
            pools.setdefault(action_of(each.issue), []).append(each)
        return pools.values()

    monkeypatch.setattr(returned_coupons, "coupon_pools", by_action)
    is_broken(the_account_keeps_the_least_award_of_the_rest, returned_sales(dependent), tries=500)


# -- any program -----------------------------------------------------------------------------------------------------


@st.composite
def any_returned_sale(draw: Any) -> tuple[dict, dict, dict | None, list[tuple[int | Decimal | None, dict]], int]:
    """A program over the whole format, an event, its returns, and the percentage that is spent before them."""
    program, event, snapshot = draw(documents.cases())
    back: list[tuple[int | Decimal | None, dict]] = [(None, {})]
    if event["type"] == "transaction":
        back = draw(returns_of(lr.load_event(event)))
    return program, event, snapshot, back, draw(st.sampled_from((0, 50, 100)))


@st.composite
def returns_of(draw: Any, sold: Any) -> list[tuple[int | Decimal, dict]]:
    """One to four returns that bring the whole sale back."""
    left = {line.id: line.quantity for line in sold.lines if line.quantity > 0}
    values = [line_value(line) for line in sold.lines]
    exchanged = sum((max(value, ZERO) for value in values), ZERO) if any(value < 0 for value in values) else ZERO
    unpaid = max(sold.amount, exchanged, ZERO)
    back: list[tuple[int | Decimal, dict]] = []
    for _ in range(draw(st.integers(0, 3))):
        goods = {line: quantity for line, quantity in left.items() if draw(st.booleans())}
        left = {line: quantity for line, quantity in left.items() if line not in goods}
        amount = draw(st.integers(0, int(unpaid)))
        unpaid -= amount
        back.append((amount, goods))
    return [*back, (unpaid.quantize(Decimal("0.000001"), ROUND_DOWN), left)]


def line_value(line: Any) -> Decimal:
    if line.value is not None:
        return line.value
    return line.quantity * line.unit_price - (line.discount or ZERO)


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
    plant_in_dues(monkeypatch, lambda lot: attrs.evolve(lot, taken_back=ZERO))
    is_broken(no_balance_is_raised_and_no_more_is_taken_than_was_issued, any_returned_sale(), tries=100)


def test_a_return_that_may_take_more_than_was_issued_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    plant_in_dues(monkeypatch, lambda lot: attrs.evolve(lot, issued=lot.issued * 2))
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
    assert returns.take_back(recorded, recorded.returns[0], till.lots().values(), (), {}) == returns.TakenBack()


def test_another_return_under_the_same_id_is_a_conflict_that_names_the_field() -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30"))
    till.take_back("10")
    till.returns -= 1
    with pytest.raises(IdempotencyConflict) as caught:
        till.take_back("20")
    assert (caught.value.field, caught.value.recorded, caught.value.offered) == ("event.amount", "10", "20")
    assert till.taken() == {"p/earn": 1}


def test_a_retry_without_a_part_that_the_return_named_is_a_conflict() -> None:
    """An empty list of tenders names none of them; no list means that they follow the amount."""
    till = Till(ONE_PER_TEN)
    till.sell(sale("30", tenders=[{"type": "card", "amount": "30"}]))
    till.take_back("10", tenders=[], shipping="0")
    for parts in ({"shipping": "0"}, {"tenders": []}, {}):
        till.returns -= 1
        with pytest.raises(IdempotencyConflict):
            till.take_back("10", **parts)
    till.returns -= 1
    assert till.take_back("10", tenders=[], shipping="0").status == "already_recorded"
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
        for amount, goods in [*back, everything_else(document, back)]:
            with_returns.take_back(money(amount), goods, of=document["id"])
    assert standing(with_returns) == standing(without)


def standing(till: Till) -> tuple:
    probe = lr.load_event(sale("10", id="probe", occurred_at=BACK_AT))
    balance = till.ledger.balance("acme", MEMBER, "points", LONG_AFTER)
    unused = sum(coupon.state == "issued" for coupon in till.coupons().values())
    return till.ledger.snapshot(till.program, probe), balance, unused


def test_a_full_return_leaves_no_trace_so_that_no_milestone_is_farmed() -> None:
    holds(a_full_return_leaves_no_trace, mornings(), tries=60)


def test_trackers_that_keep_returned_contributions_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "lowered_trackers", lambda *_: iter(()))
    is_broken(a_full_return_leaves_no_trace, mornings(), tries=60)


def test_caps_that_keep_returned_units_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "released_claims", lambda *_: ())
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


# -- over all actions, by hand ---------------------------------------------------------------------------------------


def promotion(name: str, *actions: dict, **parts: Any) -> dict:
    """Return a promotion; the ids of its actions are their places."""
    return {"id": name, "actions": [{**action, "id": f"{number}"} for number, action in enumerate(actions)], **parts}


AT_LEAST_100 = {"field": "amount", "at_least": "100"}
BELOW_100 = {"field": "amount", "less_than": "100"}
DOUBLE_OR_SINGLE = [
    promotion("double", earn(proportional("200")), when=AT_LEAST_100, exclusive="rate", priority=1),
    promotion("single", earn(proportional("100")), exclusive="rate"),
]


def test_the_single_rate_of_the_rest_counts_against_the_double_rate_of_the_sale() -> None:
    till = Till(program(promotions=DOUBLE_OR_SINGLE))
    till.sell(sale("120"))  # 240
    assert reversed_by(till.take_back("30")) == 150  # 90 at the single rate stay
    assert till.available() == 90
    assert reversed_by(till.take_back("60")) == 60
    assert reversed_by(till.take_back("30")) == 30


def test_an_award_that_a_limit_cut_counts_on_the_rest() -> None:
    """Of 100 a day, food took 80 and wine 20 of 50; without the food, wine alone earns 50."""
    food, wine = ({"type": "line_item_value", "lines": {"field": "sku", "is": sku}} for sku in ("FOOD", "WINE"))
    limits = {"daily": {"currency": "points", "per": "member", "amount": "100"}}
    promotions = [promotion(name, earn(proportional("100", of))) for name, of in (("food", food), ("wine", wine))]
    till = Till(program(promotions=promotions, limits=limits))
    basket = [{"id": "1", "quantity": "1", "value": "80", "sku": "FOOD"},
              {"id": "2", "quantity": "1", "value": "50", "sku": "WINE"}]  # fmt: skip
    till.sell(sale("130", lines=basket))
    till.take_back("80", {"1": "1"})
    assert till.taken() == {"food/0": 50, "wine/0": 0}  # taken from the action that earns less now
    probe = lr.load_event(sale("1", id="T-2", occurred_at=BACK_AT))
    assert till.ledger.snapshot(till.program, probe).limits == {"daily": 50}


def test_a_milestone_that_the_rest_does_not_reach_leaves_the_award_of_the_others() -> None:
    spend = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}
    promotions = [
        promotion("double", earn(proportional("200")), when={"tracker": "spend", "reached": True}),
        promotion("single", earn(proportional("100")), when={"tracker": "spend", "reached": False}),
    ]
    till = Till(program(promotions=promotions, trackers=spend))
    till.sell(sale("100"), {"trackers": {"spend": "950"}})  # 1050: 200 points
    assert reversed_by(till.take_back("60")) == 160  # 990: 40 points


def test_an_award_is_taken_from_the_last_action_first_and_at_most_its_loss() -> None:
    """100 issued 5 and 9; the rest of 25 earns 3 by another action, so 11 are due: 9 of the last, 2 of the first."""
    promotions = [
        promotion("large", earn(fixed("5")), when={"field": "amount", "at_least": "60"}),
        promotion("middle", earn(fixed("9")), when={"field": "amount", "at_least": "30"}),
        promotion("small", earn(fixed("3")), when={"field": "amount", "less_than": "30"}),
    ]
    till = Till(program(promotions=promotions))
    till.sell(sale("100"))
    till.take_back("75")
    assert till.taken() == {"large/0": 2, "middle/0": 9}
    till = Till(program(promotions=promotions))
    till.sell(sale("100"))
    till.take_back("50")  # only the first earns less on 50
    assert till.taken() == {"large/0": 5, "middle/0": 0}
    till.take_back("25")
    assert till.taken() == {"large/0": 5, "middle/0": 6}  # 11 in all


def test_a_rest_that_earns_more_takes_nothing_and_gives_nothing() -> None:
    """150 with a reduced line earned 150; the rest of 100 alone would earn 200."""
    reduced = {"lines": {"field": "tags", "has": "sale"}}
    promotions = [promotion("plain", earn(proportional("200")), when={"not": reduced}),
                  promotion("reduced", earn(proportional("100")), when=reduced)]  # fmt: skip
    till = Till(program(promotions=promotions))
    till.sell(sale("150", lines=[*lines("100"), {"id": "2", "quantity": "1", "value": "50", "tags": ["sale"]}]))
    assert till.take_back("50", {"2": "1"}).intents == ()
    assert reversed_by(till.take_back("50", {"1": "0.5"})) == 50  # the rest of 50 earns 100
    assert reversed_by(till.take_back("50", {"1": "0.5"})) == 100


def test_what_was_taken_stays_taken_although_a_smaller_rest_earns_more() -> None:
    promotions = [
        promotion("large", earn(fixed("20")), when=AT_LEAST_100),
        promotion("small", earn(fixed("15")), when={"field": "amount", "less_than": "50"}),
    ]
    till = Till(program(promotions=promotions))
    till.sell(sale("120"))
    assert [reversed_by(till.take_back(amount)) for amount in ("40", "40", "40")] == [20, 0, 0]


# A bill of 100, of which 25 come back: each policy is decided by itself.
MIXED = [
    promotion("own", earn(proportional("10")), earn(fixed("7"), on_return="reverse")),
    promotion("share", earn(fixed("10"), on_return="proportional"), earn(fixed("3"), on_return="keep")),
]


def test_actions_with_other_policies_are_decided_by_themselves() -> None:
    till = Till(program(promotions=MIXED))
    till.sell(sale("100"))
    till.take_back("25")
    assert till.taken() == {"own/0": Decimal("2.5"), "own/1": 7, "share/0": 2, "share/1": 0}
    till.take_back("75")
    assert till.taken() == {"own/0": 10, "own/1": 7, "share/0": 10, "share/1": 0}


@pytest.mark.parametrize("policy", ["recompute", "proportional", "reverse", "keep"])
def test_an_action_that_issued_nothing_at_the_sale_counts_whatever_its_policy(policy: str) -> None:
    """The rest of 75 earns 7.50 and, only then, 2: of 10 only 0.50 are due."""
    small = promotion("small", earn(fixed("2"), on_return=policy), when=BELOW_100)
    till = Till(program(promotions=[promotion("own", earn(proportional("10"))), small]))
    till.sell(sale("100"))
    till.take_back("25")
    assert till.taken() == {"own/0": Decimal("0.5")}


def test_an_award_to_another_account_or_currency_is_not_counted() -> None:
    promotions = [
        promotion("own", earn(fixed("10")), when=AT_LEAST_100),
        promotion("house", earn(fixed("10"), recipient="member_group"), when=BELOW_100),
        promotion("stars", earn(fixed("10"), currency="stars"), when=BELOW_100),
    ]
    till = Till(program(promotions=promotions, currencies={"points": {}, "stars": {}}))
    till.sell(sale("100", member={"id": "M1", "group": "G1"}))
    till.take_back("25")
    assert till.taken() == {"own/0": 10}


def test_the_accounts_of_a_member_and_of_its_group_are_decided_apart() -> None:
    """Each account loses the difference of its own awards, and gives no units for the other."""
    house = {"recipient": "member_group"}
    promotions = [
        promotion("own", earn(fixed("10")), when=AT_LEAST_100),
        promotion("house", earn(fixed("20"), **house), when=AT_LEAST_100),
        promotion("less", earn(fixed("15"), **house), when=BELOW_100),
    ]
    till = Till(program(promotions=promotions))
    till.sell(sale("100", member={"id": "M1", "group": "G1"}))
    till.spend("10")
    receipt = till.take_back("25")
    taken = {each.group: (each.amount, each.shortfall) for each in receipt.intents if isinstance(each, ReverseCurrency)}
    assert taken == {None: (10, 10), "G1": (5, 0)}
    assert till.ledger.balance("acme", Account("group", "G1"), "points", instant(BACK_AT)).available == 15


def test_all_lines_back_are_the_whole_sale_though_the_postage_was_kept() -> None:
    till = Till(program(promotions=MIXED))
    till.sell(sale("110", shipping="10", lines=lines("60", "40")))
    till.take_back("60", {"1": "1"})
    till.take_back("40", {"2": "1"})
    assert till.taken() == {"own/0": 11, "own/1": 7, "share/0": 10, "share/1": 0}


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


def test_expired_units_count_as_taken() -> None:
    till = Till(program(earn(fixed("10"), expiry={"type": "fixed_period", "after": {"days": 1}})))
    till.sell(sale("100"))
    (taken,) = till.take_back("100").intents
    assert (taken.amount, taken.draws, taken.shortfall) == (10, (), 0)


# -- units that are gone ---------------------------------------------------------------------------------------------

ONE_DAY = {"type": "fixed_period", "after": {"days": 1}}


def stores(*here: dict, there: dict) -> dict:
    """A program that issues some actions in the store S1, and another one elsewhere."""
    return program(promotions=[promotion("here", *here, when={"field": "store", "is": "S1"}),
                               promotion("there", there, when={"field": "store", "is": "S2"})])  # fmt: skip


@pytest.mark.parametrize("swept", [True, False])
def test_expired_units_count_as_taken_once(swept: bool) -> None:
    """Of 10 points 4 were spent and 6 expired: the first half of the sale counts 5 of them, the second 1."""
    till = Till(stores(earn(proportional("10"), expiry=ONE_DAY), there=earn(fixed("80"))))
    till.sell(sale("100", store="S1"))
    till.spend("4")
    till.sell(sale("100", id="T-2", store="S2"))
    if swept:
        till.ledger.expire(till.program, instant(BACK_AT))
    first, second = (till.take_back("50").intents[0] for _ in range(2))
    assert (first.amount, first.draws, first.shortfall) == (5, (), 0)
    assert [(draw.lot, draw.amount) for draw in second.draws] == [("acme/T-2/there/0", 4)]
    assert (second.amount, second.shortfall) == (5, 0)
    assert till.available() == 76
    assert (till.lots()["acme/T-1/here/0"].expired, till.lots()["acme/T-1/here/0"].reversed) == (6 if swept else 0, 0)


def issued_of(till: Till, action: str) -> tuple[Decimal, int]:
    """Return the amount and the times that the caps of an action count, in total and for M1."""
    probe = lr.load_event(sale("1", id="probe", occurred_at=BACK_AT, store="S1"))
    counts = till.ledger.snapshot(till.program, probe).issued[action]
    return counts.total.amount, counts.member.times


CAPPED = {"caps": {"total": {"amount": "1000"}, "per_member": {"times": 9}}}


@pytest.mark.parametrize("parts", [["100"], ["40", "60"], ["0.01", "50", "49.99"]])
def test_cancelled_units_count_as_taken_and_release_their_claims_once(parts: list[str]) -> None:
    external = earn(proportional("10"), timing={"type": "external"}, **CAPPED)
    till = Till(stores(external, there=earn(fixed("80"))))
    till.sell(sale("100", store="S1"))
    till.sell(sale("100", id="T-2", store="S1"))
    till.sell(sale("100", id="T-3", store="S2"))
    assert issued_of(till, "here/0") == (20, 2)
    till.process({"type": "confirmation", "id": "C", "occurred_at": SOLD_AT, "promise": "acme/T-1/here/0",
                  "outcome": "cancel"})  # fmt: skip
    assert issued_of(till, "here/0") == (10, 1)
    receipts = [till.take_back(part) for part in parts]
    assert sum(map(reversed_by, receipts)) == 10
    assert all(not each.draws and not each.shortfall for receipt in receipts for each in receipt.intents)
    assert issued_of(till, "here/0") == (10, 1)  # those of T-2
    assert till.available() == 80


def test_a_promise_that_a_return_reduced_and_a_cancellation_ended_releases_its_claims_once() -> None:
    till = Till(stores(earn(proportional("10"), timing={"type": "external"}, **CAPPED), there=earn(fixed("80"))))
    till.sell(sale("100", store="S1"))
    till.sell(sale("100", id="T-2", store="S1"))
    till.take_back("40")
    assert issued_of(till, "here/0") == (16, 2)
    till.process({"type": "confirmation", "id": "C", "occurred_at": BACK_AT, "promise": "acme/T-1/here/0",
                  "outcome": "cancel"})  # fmt: skip
    assert issued_of(till, "here/0") == (10, 1)
    assert reversed_by(till.take_back("60")) == 6
    assert issued_of(till, "here/0") == (10, 1)


def test_lapsed_units_count_as_taken() -> None:
    """The promise is confirmed after its expiry, and lapses; the points of another sale stay."""
    late = earn(fixed("100"), timing={"type": "external"}, expiry={"type": "event_date", "after": {"days": 2}})
    till = Till(stores(late, there=earn(fixed("80"))))
    till.sell(sale("100", store="S1"))
    till.sell(sale("100", id="T-2", store="S2"))
    confirmed = till.process({"type": "confirmation", "id": "C", "occurred_at": BACK_AT, "promise": "acme/T-1/here/0",
                              "outcome": "issue"})  # fmt: skip
    assert [each.outcome for each in confirmed.intents] == ["lapsed"]
    (taken,) = till.take_back("100").intents
    assert (taken.amount, taken.draws, taken.shortfall) == (100, (), 0)
    assert till.available() == 80


def test_other_lots_are_drawn_after_every_issue_has_given_its_own_units() -> None:
    """The first issue is spent. It does not take the units of the second, which the second gives itself."""
    till = Till(stores(earn(fixed("10"), expiry=ONE_DAY), earn(fixed("10")), there=earn(fixed("4"))))
    till.sell(sale("100", store="S1"))
    till.spend("10")
    till.sell(sale("100", id="T-2", store="S2"))
    first, second = till.take_back("100", at=SOLD_AT).intents
    assert [(draw.lot, draw.amount) for draw in second.draws] == [("acme/T-1/here/1", 10)]
    assert [(draw.lot, draw.amount) for draw in first.draws] == [("acme/T-2/there/0", 4)]
    assert (first.shortfall, second.shortfall) == (6, 0)


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


def redeem(till: Till, ordinal: int, event: str, at: str = "2025-01-16T10:00:00Z") -> str:
    """Redeem a coupon of T-1, and return the key of the redemption."""
    code = f"S:acme/T-1/p/gift/{ordinal}"
    receipt = till.ledger.redeem(till.program, code, lr.load_event(sale("50", id=event, occurred_at=at)))
    assert receipt.status == "recorded"
    return receipt.intents[0].key


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


def test_coupons_are_counted_by_type_over_all_actions() -> None:
    """120 gave two; the rest of 90 would give one by the other promotion, so the newest is voided."""
    promotions = [
        promotion("big", coupon(2), when=AT_LEAST_100, exclusive="thanks", priority=1),
        promotion("small", coupon(1), exclusive="thanks"),
    ]
    till = Till(program(promotions=promotions, coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": 5}}}))
    till.sell(sale("120"))
    assert [voids(till.take_back(amount)) for amount in ("30", "50", "40")] == [["big/0/2"], [], ["big/0/1"]]


def test_coupons_of_another_type_or_policy_are_not_counted() -> None:
    types = {name: {"benefit": {"type": "amount_off", "amount": "5"}} for name in ("gift", "other")}
    promotions = [
        promotion("big", coupon(2), when=AT_LEAST_100),
        promotion("kept", coupon(1, on_return="keep")),
        promotion("other", {**coupon(1), "coupon_type": "other"}, when=BELOW_100),
    ]
    till = Till(program(promotions=promotions, coupon_types=types))
    till.sell(sale("120"))
    assert voids(till.take_back("30")) == ["big/0/2", "big/0/1"]


@pytest.mark.parametrize(("back", "state", "released"), [("100", "voided", True), ("10", "issued", False)])
def test_a_coupon_whose_own_sale_came_back_is_voided_when_its_redemption_is_undone(
    back: str, state: str, released: bool
) -> None:
    gift = {"benefit": {"type": "amount_off", "amount": "5"}, "caps": {"per_member": 1}}
    till = Till(program(coupon(), coupon_types={"gift": gift}))
    till.sell(sale("100"))
    redemption = redeem(till, 1, "T-2")
    till.take_back(back)
    undone = till.ledger.undo_redemption(till.program, redemption, event="U-1", at=instant(BACK_AT))
    assert undone.status == "recorded"
    assert till.coupons()["acme/T-1/p/gift/1"].state == state
    assert bool(len(till.sell(sale("100", id="T-3", occurred_at=BACK_AT)).intents)) == released


# -- activities ------------------------------------------------------------------------------------------------------

CHECK_IN = {"type": "check_in", "id": "A-1", "occurred_at": SOLD_AT, "member": {"id": "M1"}}
CHECK_INS = program(
    promotions=[
        promotion(
            "in",
            earn(fixed("50")),
            earn(fixed("7"), on_return="proportional"),
            earn(fixed("5"), on_return="keep"),
            coupon(2),
            trigger="check_in",
        )
    ],
    coupon_types={"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
)


def test_a_return_of_an_activity_takes_all_that_its_policies_take() -> None:
    till = Till(CHECK_INS)
    till.process(CHECK_IN)
    receipt = till.take_back(None, of="A-1")
    assert till.taken() == {"in/0": 50, "in/1": 7, "in/2": 0}
    assert voids(receipt) == ["in/3/2", "in/3/1"]
    assert till.available() == 5


def test_a_second_return_of_an_activity_takes_nothing_more() -> None:
    till = Till(CHECK_INS)
    till.process(CHECK_IN)
    first = till.take_back(None, of="A-1")
    till.returns -= 1
    assert till.take_back(None, of="A-1").status == "already_recorded"
    second = till.take_back(None, of="A-1")
    assert (second.status, second.intents) == ("recorded", ())
    assert len(first.intents) >= 4


def test_a_return_of_an_activity_dated_before_it_is_refused() -> None:
    till = Till(CHECK_INS)
    till.process(CHECK_IN)
    assert refusal(till.take_back(None, of="A-1", at="2025-01-15T09:59:59Z")) == {"too_early"}


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("back", "reason"),
    [
        ({"of": "T-2"}, "unknown_sale"),
        ({"lines": [{"id": "3", "quantity": "1"}]}, "unknown_line"),
        ({"lines": [{"id": "1", "quantity": "1.000001"}]}, "more_than_bought"),
        ({"lines": [{"id": "1", "quantity": "0.6"}, {"id": "1", "quantity": "0.5"}]}, "more_than_bought"),
    ],
)
def test_a_wrong_return_is_refused_and_may_be_corrected_under_the_same_id(back: dict, reason: str) -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30", lines=lines("20", "10")))
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


def refusal(receipt: Any) -> set[str]:
    """Return the reasons of a refusal; it recorded nothing."""
    assert (receipt.status, receipt.intents) == ("refused", ())
    return set(receipt.refusal.reasons)


EARLY = "2025-01-15T09:59:59Z"


@pytest.mark.parametrize(
    ("amount", "goods", "at", "reasons"),
    [
        ("10", {}, EARLY, {"too_early"}),
        ("31", {}, EARLY, {"too_early", "more_than_bought"}),
        ("10", {"9": "1", "1": "2"}, EARLY, {"too_early", "more_than_bought", "unknown_line"}),
        (None, {}, BACK_AT, {"missing_amount"}),
        (None, {"9": "1"}, EARLY, {"missing_amount", "too_early", "unknown_line"}),
    ],
)
def test_all_reasons_to_refuse_a_return_are_named(amount: Any, goods: dict, at: str, reasons: set[str]) -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30", lines=lines("20", "10")))
    assert refusal(till.take_back(amount, goods, at=at)) == reasons
    assert till.available() == 3


def test_a_return_of_an_unknown_sale_has_no_other_reason() -> None:
    till = Till(ONE_PER_TEN)
    assert refusal(till.take_back(None, {"9": "1"}, of="T-9", at=EARLY)) == {"unknown_sale"}


def test_a_return_at_the_instant_of_its_sale_is_not_too_early() -> None:
    till = Till(ONE_PER_TEN)
    till.sell(sale("30"))
    assert reversed_by(till.take_back("10", at="2025-01-15T11:00:00+01:00")) == 1


@pytest.mark.parametrize("first", ["60", "0.01"])
def test_a_refused_return_leaves_the_earlier_ones(first: str) -> None:
    till = Till(program(earn(proportional("100"))))
    till.sell(sale("100"))
    till.take_back(first)
    assert refusal(till.take_back("100")) == {"more_than_bought"}
    assert till.available() == 100 - Decimal(first)
    assert reversed_by(till.take_back(100 - Decimal(first))) == 100 - Decimal(first)
