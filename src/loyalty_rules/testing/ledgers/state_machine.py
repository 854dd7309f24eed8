"""Any ledger against a small model: all operations, in any order, for as long as a test cares to run.

    TestMyLedger = ledger_state_machine(MyLedger).TestCase

After every step the ledger's balances, lots, promises and coupons are those of the model, and `check_invariants()`
finds nothing wrong. A class is made for each ledger: tests with `@given` can't be inherited. Source: ledger 2.
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
from loyalty_rules.ledger.protocol import IdempotencyConflict, Ledger, Receipt
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import load_event, load_program
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.testing.ledgers import reference_model as model
from loyalty_rules.testing.ledgers import reference_programs as terms
from loyalty_rules.values.amounts import micros

__all__ = ["ledger_state_machine"]

STEPS = 50
RUNS = 500
START = datetime(2025, 1, 27, 6, 30, tzinfo=UTC)  # noon of a Monday, five days before a month ends
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")
ACCOUNTS = [("member", "anna"), ("member", "ben"), ("member", "carl"), ("group", "home")]
CURRENCIES = ("points", "stars")

places = st.integers(0, 30)
"""Which of those that there are, counted round."""


@functools.cache
def programs() -> tuple[Program, ...]:
    """The versions of the program, loaded once."""
    return tuple(load_program(terms.document(version)) for version in terms.TERMS)


class Failed(Exception):
    """What a host's own part of a transaction raises."""


class LedgerMachine(RuleBasedStateMachine):
    """What happens in a chain of shops, to a ledger and to the model."""

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

    def bill(self, member: str | None, store: str | None, pieces: int, price: int, at: datetime) -> terms.Bill:
        self.count += 1
        return terms.Bill(f"T{self.count}", at, member, store, pieces * price, pieces)

    def event(self, bill: terms.Bill, amount: int | None = None) -> Any:
        """Write a bill, or another amount on it, as the event that it is."""
        home = terms.HOME[bill.member] if bill.member is not None else None
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
        """A till that was offline brings a sale of yesterday."""
        self.process(self.bill(member, store, 1, price, self.now - timedelta(hours=hours)), 0)

    @rule(member=st.sampled_from(["anna", "ben"]))
    def register(self, member: str) -> None:
        self.process(self.bill(member, None, 0, 0, self.now), 0)

    def process(self, bill: terms.Bill, version: int) -> None:
        event, program = self.event(bill), programs()[version]
        decided = self.model.decide(terms.TERMS[version], bill, self.model.counters_now())
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
        """Two tills decide by what the ledger holds, and only then record, one after the other."""
        program, seen = programs()[version], self.model.counters_now()
        bills = [
            self.bill(who, store, pieces, price, self.now) for who, price in zip((member, other), prices, strict=True)
        ]
        evaluations = []
        for bill in bills:
            event = self.event(bill)
            evaluations.append(program.evaluate(event, self.ledger.snapshot(program, event), serials=SERIALS))
        for bill, evaluation in zip(bills, evaluations, strict=True):
            receipt = self.do(functools.partial(self.ledger.record, evaluation))
            self.model.record(self.model.decide(terms.TERMS[version], bill, seen))
            self.issued(receipt)

    def issued(self, receipt: Receipt) -> None:
        """Hold what was recorded against the model, and note the serials."""
        self.expect(receipt, "recorded")
        coupons = [intent for intent in receipt.intents if isinstance(intent, IssueCoupon)]
        for coupon in coupons:
            assert coupon.key in self.model.coupons, f"{coupon.key} was issued"
            self.model.coupons[coupon.key].serial = coupon.serial or coupon.code or ""

    # -- after the sale ----------------------------------------------------------------------------------------------

    shares = st.sampled_from([10, 25, 33, 50, 100])

    @precondition(lambda self: self.model.sales)
    @rule(which=places, share=shares, pieces=st.integers(0, 4))
    def take_back(self, which: int, share: int, pieces: int) -> None:
        self.bring_back(chosen(self.model.sales, which), share, pieces)

    @precondition(lambda self: any(lot.promised for lot in self.model.lots.values()))
    @rule(which=places, share=shares, pieces=st.integers(0, 2))
    def take_back_what_is_promised_and_settle(self, which: int, share: int, pieces: int) -> None:
        lot = chosen({key: lot for key, lot in self.model.lots.items() if lot.promised}, which)
        self.bring_back(self.model.sales[lot.bill.id], share, pieces)
        self.settle(until_due=True)

    def bring_back(self, sale: model.Sale, share: int, pieces: int) -> None:
        """A part of a sale comes back, or all of it."""
        amount = sale.bill.amount * share // 100
        pieces = min(pieces, sale.bill.pieces)
        lines = [{"id": "1", "quantity": str(pieces)}] if pieces else []
        receipt = self.later({"type": "return", "of": sale.bill.id, "amount": text(amount), "lines": lines})
        if not sale.bill.amount:
            self.expect(receipt, "refused", ["not_a_sale"])
        elif self.model.take_back(sale, self.now, amount, pieces):
            self.expect(receipt, "recorded")
        else:
            self.expect(receipt, "refused", ["more_than_bought"])

    @precondition(lambda self: self.model.spends)
    @rule(which=places)
    def bring_back_what_earned_what_was_spent(self, which: int) -> None:
        lot, _ = chosen(self.model.spends, which).draws[0]
        sale = self.model.sales[lot.bill.id]
        document = {"type": "return", "of": sale.bill.id, "amount": text(sale.bill.amount)}
        if sale.bill.amount:
            self.expect(self.later(document), "recorded")
            self.model.take_back(sale, self.now, sale.bill.amount, 0)

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

    def later(self, document: dict[str, Any]) -> Receipt:
        self.count += 1
        event = load_event({**document, "id": f"L{self.count}", "occurred_at": self.now.isoformat()})
        return self.do(lambda: self.ledger.process(programs()[self.count % 2], event))

    @rule(until_due=st.booleans())
    def settle(self, until_due: bool) -> None:
        dues = [lot.due_at for lot in self.model.lots.values() if lot.promised and lot.due_at is not None]
        if until_due and dues:
            self.now = max(self.now, min(dues))
        receipts = self.ledger.settle(programs()[0], self.now)
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
    def spend_what_there_is(self, which: int, share: int, version: int) -> None:
        """As much as the wallet allows of a balance, or of a part of it."""
        lot = chosen({key: lot for key, lot in self.model.lots.items() if lot.outstanding}, which)
        amount = self.model.balance(lot.account, lot.rule.currency, self.now)[0] // share
        if lot.rule.currency == "points":
            wallet = terms.TERMS[version].wallet
            amount = min(amount, wallet["most"]) // wallet["block"] * wallet["block"]
        self.spend_from(lot.account, lot.rule.currency, amount, version)

    def spend_from(self, account: model.Account, currency: str, amount: int, version: int) -> None:
        self.count += 1
        event, at, exact = f"S{self.count}", self.now, Decimal(text(amount))

        def operation() -> Receipt:
            kept = Account(account[0], account[1])  # type: ignore[arg-type]
            return self.ledger.spend(programs()[version], kept, "anna", currency, exact, event=event, at=at)

        receipt = self.do(operation)
        key = f"acme/{event}/spend/{currency}"
        reasons = self.model.spend(terms.TERMS[version], key, account, currency, amount, self.now)
        self.expect(receipt, "refused" if reasons else "recorded", reasons)

    @precondition(lambda self: self.model.spends)
    @rule(which=places, hours=pauses)
    def undo_spend(self, which: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        made = {key: each for key, each in self.model.spends.items() if not each.undone}
        spend, at = chosen(made if made and which < 20 else self.model.spends, which), self.now
        self.count += 1
        event = f"X{self.count}"
        receipt = self.do(lambda: self.ledger.undo_spend(programs()[0], spend.key, event=event, at=at))
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
    def redeem_what_can_be_redeemed(self, which: int, price: int) -> None:
        """A live coupon, by its holder, in the first store."""
        coupon = chosen({key: each for key, each in self.model.coupons.items() if each.state == "issued"}, which)
        self.now = max(self.now, coupon.valid_from)
        self.redeem_with(coupon, self.bill(coupon.bill.member, "S1", 1, price, self.now), 0)

    def redeem_with(self, coupon: model.Coupon, bill: terms.Bill, version: int) -> None:
        event, program = self.event(bill), programs()[version]
        receipt = self.do(lambda: self.ledger.redeem(program, coupon.serial, event))
        found = self.model.find(coupon, bill.member, self.now)
        reasons, redemption = self.model.redeem(terms.TERMS[version], found, bill)
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
        receipt = self.do(lambda: self.ledger.undo_redemption(programs()[0], done.key, event=event, at=at))
        self.expect(receipt, "refused" if done.undone else "recorded", ["already_undone"] if done.undone else [])
        if not done.undone:
            self.model.undo_redemption(done, self.now)

    @precondition(lambda self: self.model.coupons)
    @rule(which=places)
    def void(self, which: int) -> None:
        coupon, at = chosen(self.model.coupons, which), self.now
        self.count += 1
        event = f"V{self.count}"
        receipt = self.do(lambda: self.ledger.void(programs()[0], coupon.key, event=event, at=at))
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
    def wait_for_something_to_end(self, which: int, before: bool) -> None:
        """To the very instant at which a lot, a coupon or a wait ends, or to a second before it."""
        points = self.model.turning_points(self.now)
        if points:
            self.now = max(self.now, points[which % len(points)] - timedelta(seconds=before))

    @rule()
    def expire(self) -> None:
        before = self.said(self.now)
        assert len(self.ledger.expire(programs()[0], self.now)) == self.model.expire(self.now)
        assert self.said(self.now) == before, "a sweep changes no answer"
        assert len(self.ledger.expire(programs()[1], self.now)) == 0, "a sweep is done once"

    @rule(member=members, store=stores, version=versions)
    def look_at_the_counters(self, member: str | None, store: str | None, version: int) -> None:
        """Every counter that a sale would read is what the model has counted."""
        bill = self.bill(member, store, 1, 100, self.now)
        program, said, counters = programs()[version], terms.TERMS[version], self.model.counters
        seen = self.ledger.snapshot(program, self.event(bill))
        for name, value in seen.trackers.items():
            counter, first = terms.tracker(name, bill)
            held = hundredths(value) if name == "spent" else value
            assert held == counters.value(counter, first, bill.day), name
        for issue in said.rules if member is not None else ():
            issued = seen.issued.get(f"{issue.id}/do")
            for draw in terms.draws_of(issue, said, bill):
                counted = counters.value(draw.counter, draw.first, draw.day)
                if draw.counter[0] == "limit":
                    assert hundredths(seen.limits[draw.counter[1]]) == counted, draw.counter
                elif issued is not None and draw.times:
                    assert issued.member.times == counted, draw.counter
                elif issued is not None:
                    scope = issued.member if len(draw.counter) > 2 else issued.total
                    assert hundredths(scope.amount) == counted, draw.counter
        for coupon in said.coupons:
            for draw in terms.coupon_draws_of(coupon, bill):
                counted = counters.value(draw.counter, draw.first, draw.day)
                assert getattr(seen.coupons[coupon.id], draw.counter[2].removeprefix("per_")) == counted, draw.counter

    # -- again, otherwise, and not at all ----------------------------------------------------------------------------

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
            raise AssertionError(f"another amount under the same id was {receipt.status}")

    @precondition(lambda self: self.transactions)
    @rule(price=prices, store=stores)
    def roll_back(self, price: int, store: str | None) -> None:
        """A sale, a spend and a sweep in a transaction that fails: as if they had never been."""
        bill, ledger = self.bill("anna", store, 1, price, self.now), self.ledger
        anna = Account("member", "anna")
        with contextlib.suppress(Failed), ledger.transaction() as tx:  # type: ignore[attr-defined]
            tx.process(programs()[0], self.event(bill), serials=SERIALS)
            tx.spend(programs()[1], anna, "anna", "stars", Decimal(1), event=bill.id, at=self.now)
            tx.settle(programs()[0], self.now)
            tx.expire(programs()[0], self.now)
            raise Failed

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 1000))
    def look_back(self, which: int) -> None:
        """What was so at an instant is so as of that instant, whatever has happened since."""
        at = [*self.answers][which % len(self.answers)]
        assert self.said(at) == self.answers[at], f"as of {at}"

    # -- what must hold ----------------------------------------------------------------------------------------------

    def do(self, operation: Callable[[], Receipt], since: datetime | None = None) -> Receipt:
        """Do something that can be sent again; answers as of `since` or later may be others from now on."""
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

    def said(self, at: datetime) -> list[tuple[Any, ...]]:
        """What the ledger says of each account and currency: available, promised, owed."""
        balances = [
            self.ledger.balance("acme", Account(*account), currency, at)  # type: ignore[arg-type]
            for account in ACCOUNTS
            for currency in CURRENCIES
        ]
        return [(hundredths(each.available), hundredths(each.promised), hundredths(each.debt)) for each in balances]

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        expected = [self.model.balance(account, currency, self.now) for account in ACCOUNTS for currency in CURRENCIES]
        assert self.said(self.now) == expected
        self.answers[self.now] = expected

    @invariant()
    def lots_are_those_of_the_model(self) -> None:
        for account in ACCOUNTS:
            for currency in CURRENCIES:
                lots = self.ledger.lots("acme", Account(*account), currency, self.now)  # type: ignore[arg-type]
                assert [held(lot) for lot in lots] == [expected(lot) for lot in self.model.lots_of(account, currency)]
        promised = [lot.key for lot in self.model.lots.values() if lot.promised]
        assert [lot.key for lot in self.ledger.promises("acme", self.now)] == promised

    @invariant()
    def coupons_are_those_of_the_model(self) -> None:
        known = [coupon for name in terms.HOME for coupon in self.ledger.coupons("acme", name)]
        for coupon in self.model.coupons.values():
            if coupon.bill.member is None and coupon.rule.code is None:
                record = self.ledger.coupon("acme", coupon.serial)
                assert record is not None
                known.append(record)
        found = {each.key: (each.state, hundredths(each.remaining), each.redeemed_by) for each in known}
        assert found == {
            each.key: (each.state, each.remaining, each.redeemed_by)
            for each in self.model.coupons.values()
            if each.bill.member is not None or each.rule.code is None
        }

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert [*self.ledger.check_invariants()] == []


def chosen(of: dict[str, Any], which: int) -> Any:
    """One of those that there are; small numbers are the latest."""
    return [*of.values()][-1 - which % len(of)]


def text(amount: int) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"


def hundredths(amount: Decimal | None) -> int | Decimal | None:
    """An amount as the model has it; one that is no whole number of hundredths stays as it is, and is wrong."""
    if amount is None:
        return None
    whole, rest = divmod(micros(amount), 10_000)
    return amount if rest else whole


def held(lot: Any) -> tuple[Any, ...]:
    """A lot as the ledger has it."""
    promise, gone = (lot.promised, lot.voided), (lot.spent, lot.expired, lot.reversed, lot.taken_back)
    return (lot.key, *(hundredths(part) for part in (lot.issued, lot.outstanding, *promise, *gone)), lot.expires_at)


def expected(lot: model.Lot) -> tuple[Any, ...]:
    """A lot as the model has it."""
    promise, gone = (lot.promised, lot.voided), (lot.spent, lot.expired, lot.reversed, lot.claimed)
    return (lot.key, lot.issued, lot.outstanding, *promise, *gone, lot.expires_at)


def ledger_state_machine(
    factory: Callable[[], Ledger], *, transactions: bool = True, **changes: Any
) -> type[RuleBasedStateMachine]:
    """Make the class that tries a ledger: its `TestCase` is what pytest collects.

    `factory` gives a new and empty ledger, `transactions` says whether it has `transaction()`; `changes` are settings
    of Hypothesis. Without them 500 runs of 50 steps, always the same ones; `LOYALTY_EXAMPLES` asks for so many runs,
    and others each time.
    """
    wanted = os.environ.get("LOYALTY_EXAMPLES")
    defaults: dict[str, Any] = {
        "max_examples": int(wanted) if wanted else RUNS,
        "stateful_step_count": STEPS,
        "derandomize": wanted is None,
        "database": None,
        "deadline": None,
        "report_multiple_bugs": False,
        "suppress_health_check": list(HealthCheck),
    }
    body = {"factory": staticmethod(factory), "transactions": transactions}
    machine: type[RuleBasedStateMachine] = type("LedgerMachine", (LedgerMachine,), body)
    machine.TestCase.settings = settings(**{**defaults, **changes})
    return machine
