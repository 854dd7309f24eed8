"""A state machine that compares any ledger with a small model: all operations, in any order.

    TestMyLedger = ledger_state_machine(MyLedger).TestCase

After every step the ledger's balances, lots, promises and coupons equal those of the model, and
`check_invariants()` finds no violation. Each ledger has a class of its own, since tests with `@given` cannot be
inherited. Source: ledger 2.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import load_event, load_program
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.testing.ledgers import reference_model as model
from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.reference_records import Account as ModelAccount
from loyalty_rules.testing.ledgers.reference_records import Coupon, GoodsBack, Lot, Sale
from loyalty_rules.values.amounts import micros

__all__ = ["ledger_state_machine"]

STEPS = 50
RUNS = 20
START = datetime(2025, 1, 27, 6, 30, tzinfo=UTC)  # noon of a Monday, five days before a month ends
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")
ACCOUNTS = [("member", "anna"), ("member", "ben"), ("member", "carl"), ("group", "home")]
CURRENCIES = ("points", "stars")

places = st.integers(0, 30)
"""An index into a collection, modulo its length."""


@functools.cache
def loaded_programs() -> tuple[Program, ...]:
    """Return the versions of the program, loaded once."""
    return tuple(load_program(reference.document(version)) for version in reference.VERSIONS)


class Failed(Exception):
    """An error that the host raises within a transaction."""


class LedgerMachine(RuleBasedStateMachine):
    """The operations of a chain of shops, applied to a ledger and to the model."""

    factory: Callable[[], Ledger]
    transactions = True

    def __init__(self) -> None:
        super().__init__()
        self.ledger = type(self).factory()
        self.model = model.Model()
        self.now = START
        self.count = 0
        self.done: list[tuple[Callable[[], Receipt], Receipt]] = []
        self.conflicts: list[tuple[Callable[[], Receipt], str]] = []
        self.answers: dict[datetime, list[tuple[Any, ...]]] = {}

    # -- sales -------------------------------------------------------------------------------------------------------

    def bill(self, member: str | None, store: str | None, pieces: int, price: int, at: datetime) -> reference.Bill:
        self.count += 1
        return reference.Bill(f"T{self.count}", at, member, store, pieces * price, pieces)

    def event(self, bill: reference.Bill, amount: int | None = None) -> Any:
        """Return a bill as an event, with its own amount or with another one."""
        home = reference.GROUP_OF[bill.member] if bill.member is not None else None
        member = {"id": bill.member, "group": home} if bill.member is not None else None
        common = {"id": bill.id, "occurred_at": bill.at.isoformat(), "store": bill.store, "member": member}
        if not bill.amount:
            return load_event({**common, "type": "registration"})
        price = text(bill.amount // bill.pieces)
        lines = [{"id": "1", "quantity": str(bill.pieces), "unit_price": price}]
        amount = bill.amount if amount is None else amount
        return load_event({**common, "type": "transaction", "amount": text(amount), "lines": lines})

    members = st.sampled_from(["anna", "anna", "ben", "carl", None])
    stores = st.sampled_from(["S1", "S2", None])
    prices = st.integers(1, 99).map(lambda tens: tens * 50)
    versions = st.sampled_from([0, 1])
    pauses = st.sampled_from([0, 0, 7, 24])

    @initialize(pieces=st.integers(1, 4), price=prices)
    def open_the_shop(self, pieces: int, price: int) -> None:
        self.sell("anna", "S1", pieces, price, 0)

    @rule(member=members, store=stores, pieces=st.integers(1, 4), price=prices, version=versions, hours=pauses)
    def sell(
        self, member: str | None, store: str | None, pieces: int, price: int, version: int, hours: int = 0
    ) -> None:
        self.now += timedelta(hours=hours)
        self.process(self.bill(member, store, pieces, price, self.now), version)

    @rule(member=members, store=stores, price=prices, hours=st.integers(1, 60))
    def upload_a_late_sale(self, member: str | None, store: str | None, price: int, hours: int) -> None:
        """Process an earlier sale of a till that was offline."""
        self.process(self.bill(member, store, 1, price, self.now - timedelta(hours=hours)), 0)

    @rule(member=st.sampled_from(["anna", "ben"]))
    def register(self, member: str) -> None:
        self.process(self.bill(member, None, 0, 0, self.now), 0)

    def process(self, bill: reference.Bill, version: int) -> None:
        event, program = self.event(bill), loaded_programs()[version]
        decided = self.model.decide(reference.VERSIONS[version], bill, self.model.copy_of_counters())
        receipt = self.do(lambda: self.ledger.process(program, event, serials=SERIALS), since=bill.at)
        self.model.record(decided)
        self.issued(receipt)
        if bill.amount:
            other = self.event(bill, bill.amount + 1)
            self.conflicts.append((lambda: self.ledger.process(program, other, serials=SERIALS), "event.amount"))

    @rule(
        member=members, other=members, store=stores, pieces=st.integers(1, 3), prices=st.tuples(prices, prices),
        version=versions,
    )  # fmt: skip
    def sell_at_two_tills(
        self, member: str | None, other: str | None, store: str | None, pieces: int, prices: tuple[int, int],
        version: int,
    ) -> None:  # fmt: skip
        """Evaluate two sales by the same snapshot, and then record one after the other."""
        program, seen = loaded_programs()[version], self.model.copy_of_counters()
        bills = [
            self.bill(who, store, pieces, price, self.now) for who, price in zip((member, other), prices, strict=True)
        ]
        evaluations = []
        for bill in bills:
            event = self.event(bill)
            evaluations.append(program.evaluate(event, self.ledger.snapshot(program, event), serials=SERIALS))
        for bill, evaluation in zip(bills, evaluations, strict=True):
            receipt = self.do(functools.partial(self.ledger.record, evaluation))
            self.model.record(self.model.decide(reference.VERSIONS[version], bill, seen))
            self.issued(receipt)

    def issued(self, receipt: Receipt) -> None:
        """Compare the recorded coupons with the model, and take their serials."""
        self.expect(receipt, "recorded")
        coupons = [intent for intent in receipt.intents if isinstance(intent, IssueCoupon)]
        for coupon in coupons:
            assert coupon.key in self.model.coupons, f"{coupon.key} was issued, and the model has no such coupon"
            self.model.coupons[coupon.key].serial = coupon.serial or coupon.code or ""

    # -- after the sale ----------------------------------------------------------------------------------------------

    shares = st.sampled_from([10, 25, 33, 50, 100])
    refunds = st.sampled_from([None, None, None, 0, 10, 50])

    @precondition(lambda self: self.model.sales)
    @rule(which=places, share=shares, pieces=st.none() | st.integers(0, 4), refund=refunds)
    def take_back(self, which: int, share: int, pieces: int | None, refund: int | None) -> None:
        self.take_back_part(chosen(self.model.sales, which), share, pieces, refund)

    @precondition(lambda self: any(lot.promised for lot in self.model.lots.values()))
    @rule(which=places, share=shares, pieces=st.none() | st.integers(0, 2))
    def take_back_a_promise_and_settle(self, which: int, share: int, pieces: int | None) -> None:
        lot = chosen({key: lot for key, lot in self.model.lots.items() if lot.promised}, which)
        self.take_back_part(self.model.sales[lot.bill.id], share, pieces, None)
        self.settle(until_due=True)

    @precondition(lambda self: self.model.sales)
    @rule(which=places, share=st.sampled_from([10, 100]))
    def take_back_the_last_of_a_sale(self, which: int, share: int) -> None:
        """Return what remains of a sale, or nearly all of it."""
        sale = chosen(self.model.sales, which)
        remains = sale.bill.amount - sale.back
        self.return_goods(sale, GoodsBack(remains * share // 100))

    def take_back_part(self, sale: Sale, share: int, pieces: int | None, refund: int | None) -> None:
        """Return a part of a sale, or all of it; `refund` is the percentage that is named for its line."""
        named = sale.bill.amount * refund // 100 if refund is not None and pieces is not None else None
        self.return_goods(sale, GoodsBack(sale.bill.amount * share // 100, pieces, named))

    def return_goods(self, sale: Sale, back: GoodsBack) -> None:
        lines: list[dict[str, str]] = []
        if back.pieces is not None and sale.bill.amount:
            named = {"amount": text(back.refund)} if back.refund is not None else {}
            lines = [{"id": "1", "quantity": str(back.pieces), **named}]
        receipt = self.later({"type": "return", "of": sale.bill.id, "amount": text(back.amount), "lines": lines})
        if self.model.take_back(sale, self.now, back):
            self.expect(receipt, "recorded")
            for version in range(len(reference.VERSIONS)):
                self.compare_the_counters_of(sale.bill.member, sale.bill.store, version)
        else:
            self.expect(receipt, "refused", ["more_than_bought"])

    @precondition(lambda self: self.model.sales)
    @rule(which=places)
    def take_back_before_the_sale(self, which: int) -> None:
        """Send a return that is dated before its sale."""
        sale = chosen(self.model.sales, which)
        before = sale.bill.at - timedelta(seconds=1)
        self.expect(self.later({"type": "return", "of": sale.bill.id, "amount": "0"}, before), "refused", ["too_early"])

    @precondition(lambda self: self.model.spends)
    @rule(which=places)
    def take_back_the_sale_of_spent_points(self, which: int) -> None:
        lot, _ = chosen(self.model.spends, which).taken[0]
        sale = self.model.sales[lot.bill.id]
        self.return_goods(sale, GoodsBack(sale.bill.amount - sale.back))

    @precondition(lambda self: self.model.lots)
    @rule(which=places, outcome=st.sampled_from(["issue", "issue", "cancel"]))
    def confirm(self, which: int, outcome: str) -> None:
        lots = {key: lot for key, lot in self.model.lots.items() if lot.promised and lot.rule.timing == "external"}
        lot = chosen(lots if lots and which < 25 else self.model.lots, which)
        receipt = self.later({"type": "confirmation", "promise": lot.key, "outcome": outcome})
        if not lot.promised:
            self.expect(receipt, "refused", ["already_resolved"])
        elif lot.rule.timing != "external":
            self.expect(receipt, "refused", ["not_external"])
        else:
            self.expect(receipt, "recorded")
            self.model.cancel(lot) if outcome == "cancel" else self.model.release(lot, self.now)

    @precondition(lambda self: self.model.sales)
    @rule(which=places, status=st.sampled_from(["packed", "Shipped", "Shipped"]))
    def update(self, which: int, status: str) -> None:
        sale = chosen(self.model.sales, which)
        receipt = self.later({"type": "update", "of": sale.bill.id, "status": status})
        self.expect(receipt, "recorded")
        if status == "Shipped":
            self.model.ship(sale, self.now)

    def later(self, document: dict[str, Any], at: datetime | None = None) -> Receipt:
        self.count += 1
        event = load_event({**document, "id": f"L{self.count}", "occurred_at": (at or self.now).isoformat()})
        return self.do(lambda: self.ledger.process(loaded_programs()[self.count % 2], event))

    @rule(until_due=st.booleans())
    def settle(self, until_due: bool) -> None:
        dues = [lot.due_at for lot in self.model.lots.values() if lot.promised and lot.due_at is not None]
        if until_due and dues:
            self.now = max(self.now, min(dues))
        receipts = self.ledger.settle(loaded_programs()[0], self.now)
        settled = self.model.settle(self.now)
        assert [receipt.intents[0].key.rpartition("/")[0] for receipt in receipts] == [lot.key for lot in settled]
        for lot in settled:
            self.forget(lot.due_at or self.now)

    # -- spending ----------------------------------------------------------------------------------------------------

    @rule(which=places, currency=st.sampled_from(CURRENCIES), amount=st.integers(-1, 80), version=versions)
    def spend(self, which: int, currency: str, amount: int, version: int) -> None:
        self.spend_from(ACCOUNTS[which % len(ACCOUNTS)], currency, amount * 50, version)

    @precondition(lambda self: any(lot.outstanding for lot in self.model.lots.values()))
    @rule(which=places, share=st.sampled_from([2, 1, 1]), version=versions)
    def spend_from_a_live_lot(self, which: int, share: int, version: int) -> None:
        """Spend a balance or a half of it, within the limits of the redeem rate."""
        lot = chosen({key: lot for key, lot in self.model.lots.items() if lot.outstanding}, which)
        amount = self.model.balance(lot.account, lot.rule.currency, self.now)[0] // share
        if lot.rule.currency == "points":
            wallet = reference.VERSIONS[version].wallet
            amount = min(amount, wallet["most"]) // wallet["block"] * wallet["block"]
        self.spend_from(lot.account, lot.rule.currency, amount, version)

    def spend_from(self, account: ModelAccount, currency: str, amount: int, version: int) -> None:
        self.count += 1
        event, at, exact = f"S{self.count}", self.now, Decimal(text(amount))

        def operation() -> Receipt:
            kept = Account(account[0], account[1])  # type: ignore[arg-type]
            return self.ledger.spend(loaded_programs()[version], kept, "anna", currency, exact, event=event, at=at)

        receipt = self.do(operation)
        key = f"acme/{event}/spend/{currency}"
        reasons = self.model.spend(reference.VERSIONS[version], key, account, currency, amount, self.now)
        self.expect(receipt, "refused" if reasons else "recorded", reasons)

    @precondition(lambda self: self.model.spends)
    @rule(which=places, hours=pauses)
    def undo_spend(self, which: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        made = {key: each for key, each in self.model.spends.items() if not each.undone}
        spend, at = chosen(made if made and which < 20 else self.model.spends, which), self.now
        self.count += 1
        event = f"X{self.count}"
        receipt = self.do(lambda: self.ledger.undo_spend(loaded_programs()[0], spend.key, event=event, at=at))
        self.expect(receipt, "refused" if spend.undone else "recorded", ["already_undone"] if spend.undone else [])
        if not spend.undone:
            self.model.undo_spend(spend, self.now)

    # -- coupons -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.model.coupons)
    @rule(which=places, member=members, store=stores, price=prices, version=versions)
    def redeem(self, which: int, member: str | None, store: str | None, price: int, version: int) -> None:
        self.redeem_with(chosen(self.model.coupons, which), self.bill(member, store, 1, price, self.now), version)

    @precondition(lambda self: any(coupon.state == "issued" for coupon in self.model.coupons.values()))
    @rule(which=places, price=prices)
    def redeem_a_live_coupon(self, which: int, price: int) -> None:
        """Redeem a live coupon by its holder, in the first store."""
        coupon = chosen({key: each for key, each in self.model.coupons.items() if each.state == "issued"}, which)
        self.now = max(self.now, coupon.valid_from)
        self.redeem_with(coupon, self.bill(coupon.bill.member, "S1", 1, price, self.now), 0)

    @precondition(lambda self: any(coupon.state == "issued" for coupon in self.model.coupons.values()))
    @rule(which=places, price=prices, others=st.integers(0, 2))
    def sell_for_coupons(self, which: int, price: int, others: int) -> None:
        """Redeem a live coupon, and others of the same sale, and record the redeeming sale."""
        coupon = chosen({key: each for key, each in self.model.coupons.items() if each.state == "issued"}, which)
        self.now = max(self.now, coupon.valid_from)
        bill = self.bill(coupon.bill.member, "S1", 1, price, self.now)
        same = [each for each in self.model.coupons.values() if each.bill.id == coupon.bill.id and each is not coupon]
        for each in [coupon, *same[:others]]:
            if each.rule.code is None:
                self.redeem_with(each, bill, 0)
        self.process(bill, 0)

    @precondition(lambda self: any(not each.undone for each in self.model.redemptions.values()))
    @rule(which=places, share=shares, first=st.booleans())
    def take_back_both_sales_of_a_coupon(self, which: int, share: int, first: bool) -> None:
        """Return the sale that issued a redeemed coupon, and the sale that redeemed it, in either order."""
        made = {key: each for key, each in self.model.redemptions.items() if not each.undone}
        done = chosen(made, which)
        sales = [(done.coupon.bill.id, share), (done.bill.id, 100)]
        for sale, part in sales if first else reversed(sales):
            if sale in self.model.sales:
                self.take_back_part(self.model.sales[sale], part, None, None)

    def redeem_with(self, coupon: Coupon, bill: reference.Bill, version: int) -> None:
        event, program = self.event(bill), loaded_programs()[version]
        receipt = self.do(lambda: self.ledger.redeem(program, coupon.serial, event))
        found = self.model.find(coupon, bill.member, self.now)
        reasons, redemption = self.model.redeem(found, bill)
        self.expect(receipt, "refused" if reasons else "recorded", reasons)
        if redemption is not None:
            (intent,) = receipt.intents
            assert (intent.key, hundredths(getattr(intent, "discount", None))) == (redemption.key, redemption.discount)

    @precondition(lambda self: self.model.redemptions)
    @rule(which=places, hours=pauses)
    def undo_redemption(self, which: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        made = {key: each for key, each in self.model.redemptions.items() if not each.undone}
        done, at = chosen(made if made and which < 20 else self.model.redemptions, which), self.now
        self.count += 1
        event = f"X{self.count}"
        receipt = self.do(lambda: self.ledger.undo_redemption(loaded_programs()[0], done.key, event=event, at=at))
        self.expect(receipt, "refused" if done.undone else "recorded", ["already_undone"] if done.undone else [])
        if not done.undone:
            self.model.undo_redemption(done, self.now)

    @precondition(lambda self: self.model.coupons)
    @rule(which=places)
    def void(self, which: int) -> None:
        coupon, at = chosen(self.model.coupons, which), self.now
        self.count += 1
        event = f"V{self.count}"
        receipt = self.do(lambda: self.ledger.void(loaded_programs()[0], coupon.key, event=event, at=at))
        state = coupon.state_at(self.now)
        if state == "issued":
            self.expect(receipt, "recorded")
            self.model.void(coupon)
        else:
            self.expect(receipt, "refused", ["already_redeemed" if state == "redeemed" else state])

    # -- time --------------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 24, 72]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(which=st.integers(0, 6), before=st.booleans())
    def wait_for_a_coming_instant(self, which: int, before: bool) -> None:
        """Wait until an expiry or a due date, or until a second before it."""
        points = self.model.coming_instants(self.now)
        if points:
            self.now = max(self.now, points[which % len(points)] - timedelta(seconds=before))

    @rule()
    def expire(self) -> None:
        before = self.balances(self.now)
        assert len(self.ledger.expire(loaded_programs()[0], self.now)) == self.model.expire(self.now)
        assert self.balances(self.now) == before, "a sweep changed a balance"
        assert len(self.ledger.expire(loaded_programs()[1], self.now)) == 0, "a second sweep recorded something"

    @rule(member=members, store=stores, version=versions)
    def compare_the_counters(self, member: str | None, store: str | None, version: int) -> None:
        self.compare_the_counters_of(member, store, version)

    def compare_the_counters_of(self, member: str | None, store: str | None, version: int) -> None:
        """Compare every counter that a sale would read with the model."""
        bill = self.bill(member, store, 1, 100, self.now)
        program, rules, counters = loaded_programs()[version], reference.VERSIONS[version], self.model.counters
        seen = self.ledger.snapshot(program, self.event(bill))
        for name, value in seen.trackers.items():
            counter, first = reference.tracker_counter(name, bill)
            counted = hundredths(value) if name == "spent" else value
            assert counted == counters.value(counter, first, bill.day), name
        for issue in rules.currency_rules if member is not None else ():
            issued = seen.issued.get(f"{issue.id}/do")
            for use in reference.counter_uses_of(issue, rules, bill):
                counted = counters.value(use.counter, use.first, use.day)
                if use.counter[0] == "limit":
                    assert hundredths(seen.limits[use.counter[1]]) == counted, use.counter
                elif issued is not None and use.times:
                    assert issued.member.times == counted, use.counter
                elif issued is not None:
                    scope = issued.member if len(use.counter) > 2 else issued.total
                    assert hundredths(scope.amount) == counted, use.counter
        for coupon in rules.coupon_rules:
            for use in reference.coupon_counter_uses_of(coupon, bill):
                counted = counters.value(use.counter, use.first, use.day)
                assert getattr(seen.coupons[coupon.type], use.counter[2].removeprefix("per_")) == counted, use.counter

    # -- retries, conflicts, rollbacks ----------------------------------------------------------------------------

    @precondition(lambda self: self.done)
    @rule(which=st.integers(0, 1000))
    def send_again(self, which: int) -> None:
        operation, first = self.done[which % len(self.done)]
        assert operation() == attrs.evolve(first, status="already_recorded")

    @precondition(lambda self: self.conflicts)
    @rule(which=st.integers(0, 1000))
    def send_with_another_amount(self, which: int) -> None:
        operation, field = self.conflicts[which % len(self.conflicts)]
        try:
            receipt = operation()
        except IdempotencyConflict as conflict:
            assert conflict.field == field  # noqa: PT017
        else:
            raise AssertionError(
                f"expected an IdempotencyConflict for another amount under the same id, found {receipt.status}"
            )

    @precondition(lambda self: self.transactions)
    @rule(price=prices, store=stores)
    def roll_back(self, price: int, store: str | None) -> None:
        """Roll back a transaction of a sale, a spend and a sweep: the ledger stays as it was."""
        bill, ledger = self.bill("anna", store, 1, price, self.now), self.ledger
        anna = Account("member", "anna")
        with contextlib.suppress(Failed), ledger.transaction() as tx:
            tx.process(loaded_programs()[0], self.event(bill), serials=SERIALS)
            tx.spend(loaded_programs()[1], anna, "anna", "stars", Decimal(1), event=bill.id, at=self.now)
            tx.settle(loaded_programs()[0], self.now)
            tx.expire(loaded_programs()[0], self.now)
            raise Failed

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 1000))
    def look_back(self, which: int) -> None:
        """Read the balances as of an earlier instant: they are the same as they were then."""
        at = [*self.answers][which % len(self.answers)]
        assert self.balances(at) == self.answers[at], f"as of {at}"

    # -- comparisons ----------------------------------------------------------------------------------------------

    def do(self, operation: Callable[[], Receipt], since: datetime | None = None) -> Receipt:
        """Run an operation that can be retried; forget the answers as of `since` or later, which it may change."""
        receipt = operation()
        if receipt.status == "recorded":
            self.done.append((operation, receipt))
            self.forget(since or self.now)
        return receipt

    def forget(self, since: datetime) -> None:
        self.answers = {at: answer for at, answer in self.answers.items() if at < since}

    def expect(self, receipt: Receipt, status: str, reasons: Sequence[str] = ()) -> None:
        refused = receipt.refusal.reasons if receipt.refusal is not None else ()
        assert (receipt.status, [*refused]) == (status, [*reasons])

    def balances(self, at: datetime) -> list[tuple[Any, ...]]:
        """Return the available, the promised and the owed amount of each account and currency."""
        balances = [
            self.ledger.balance("acme", Account(*account), currency, at)  # type: ignore[arg-type]
            for account in ACCOUNTS
            for currency in CURRENCIES
        ]
        return [(hundredths(each.available), hundredths(each.promised), hundredths(each.debt)) for each in balances]

    @invariant()
    def balances_equal_those_of_the_model(self) -> None:
        expected = [self.model.balance(account, currency, self.now) for account in ACCOUNTS for currency in CURRENCIES]
        assert self.balances(self.now) == expected
        self.answers[self.now] = expected

    @invariant()
    def lots_equal_those_of_the_model(self) -> None:
        for account in ACCOUNTS:
            for currency in CURRENCIES:
                lots = self.ledger.lots("acme", Account(*account), currency, self.now)  # type: ignore[arg-type]
                assert [row_of(lot) for lot in lots] == [
                    model_row_of(lot) for lot in self.model.lots_of(account, currency)
                ]
        promised = [lot.key for lot in self.model.lots.values() if lot.promised]
        assert [lot.key for lot in self.ledger.promises("acme", self.now)] == promised

    @invariant()
    def coupons_equal_those_of_the_model(self) -> None:
        known = [coupon for name in reference.GROUP_OF for coupon in self.ledger.coupons("acme", name)]
        for coupon in self.model.coupons.values():
            if coupon.bill.member is None and coupon.rule.code is None:
                record = self.ledger.coupon("acme", coupon.serial)
                assert record is not None
                known.append(record)
        found = {each.key: (each.state, hundredths(each.remaining), each.redemption) for each in known}
        assert found == {
            each.key: (each.state, each.remaining, each.redeemed_by)
            for each in self.model.coupons.values()
            if each.bill.member is not None or each.rule.code is None
        }

    @invariant()
    def no_invariant_is_violated(self) -> None:
        assert [*self.ledger.check_invariants()] == []


def chosen(of: dict[str, Any], which: int) -> Any:
    """Return one value of a dictionary; small numbers choose the latest."""
    return [*of.values()][-1 - which % len(of)]


def text(amount: int) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"


def hundredths(amount: Decimal | None) -> int | Decimal | None:
    """Return an amount as whole hundredths, as the model has it; any other amount as it is, which is never equal."""
    if amount is None:
        return None
    whole, rest = divmod(micros(amount), 10_000)
    return amount if rest else whole


def row_of(lot: Any) -> tuple[Any, ...]:
    """Return a lot of the ledger as a row."""
    promise, gone = (lot.promised, lot.voided), (lot.spent, lot.expired, lot.reversed, lot.taken_back)
    return (lot.key, *(hundredths(part) for part in (lot.issued, lot.outstanding, *promise, *gone)), lot.expires_at)


def model_row_of(lot: Lot) -> tuple[Any, ...]:
    """Return a lot of the model as a row."""
    promise, gone = (lot.promised, lot.voided), (lot.spent, lot.expired, lot.reversed, lot.claimed)
    return (lot.key, lot.issued, lot.outstanding, *promise, *gone, lot.expires_at)


def ledger_state_machine(
    factory: Callable[[], Ledger], *, transactions: bool = True, **changes: Any
) -> type[RuleBasedStateMachine]:
    """Return the class that compares a ledger with the model; pytest collects its `TestCase`.

    `factory` returns a new and empty ledger. `transactions=False` means that the ledger has no `transaction()`.
    `changes` are settings of Hypothesis. The default is 20 runs of 50 steps, the same ones every time. A Hypothesis
    profile with more than 100 examples runs a fifth of them. The environment variable `LOYALTY_EXAMPLES` sets the
    number of runs.
    """
    wanted = os.environ.get("LOYALTY_EXAMPLES")
    runs = int(wanted) if wanted else max(RUNS, settings.default.max_examples // 5)  # type: ignore[union-attr]
    defaults: dict[str, Any] = {
        "max_examples": runs,
        "stateful_step_count": STEPS,
        "derandomize": runs == RUNS,
        "database": None,
        "deadline": None,
        "report_multiple_bugs": False,
        "suppress_health_check": list(HealthCheck),
    }
    body = {"factory": staticmethod(factory), "transactions": transactions}
    machine: type[RuleBasedStateMachine] = type("LedgerMachine", (LedgerMachine,), body)
    machine.TestCase.settings = settings(**{**defaults, **changes})
    return machine
