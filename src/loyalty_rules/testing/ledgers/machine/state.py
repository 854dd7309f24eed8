"""The base of all rules of the state machine: the ledger and the model, their comparison, and retries."""

import functools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.loading import load_event, load_program
from loyalty_rules.program import Program
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.testing.ledgers import reference_model as model
from loyalty_rules.testing.ledgers import reference_programs as reference
from loyalty_rules.testing.ledgers.reference_records import Account as ModelAccount
from loyalty_rules.testing.ledgers.reference_records import Lot
from loyalty_rules.values.amounts import micros

__all__ = [
    "ACCOUNTS",
    "CURRENCIES",
    "SERIALS",
    "START",
    "MachineState",
    "account",
    "at_end_of",
    "chosen",
    "exact",
    "hundredths",
    "lines_of",
    "loaded_programs",
    "members",
    "pauses",
    "places",
    "prices",
    "shares",
    "stores",
    "text",
    "versions",
]

START = datetime(2025, 1, 27, 6, 30, tzinfo=UTC)  # noon of a Monday, five days before a month ends
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")
ACCOUNTS: list[ModelAccount] = [("member", "anna"), ("member", "ben"), ("member", "carl"), ("group", "home")]
CURRENCIES = ("points", "stars")

places = st.integers(0, 30)
"""An index into a collection, modulo its length."""
members = st.sampled_from(["anna", "anna", "ben", "carl", None])
stores = st.sampled_from(["S1", "S2", None])
prices = st.integers(1, 99).map(lambda tens: tens * 50)
versions = st.sampled_from([0, 1])
pauses = st.sampled_from([0, 0, 7, 24])
shares = st.sampled_from([10, 25, 33, 50, 100])


@functools.cache
def loaded_programs() -> tuple[Program, ...]:
    """Return the versions of the program, loaded once."""
    return tuple(load_program(reference.document(version)) for version in reference.VERSIONS)


class MachineState(RuleBasedStateMachine):
    """A ledger and a model, to which the same operations are applied."""

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

    # -- events ------------------------------------------------------------------------------------------------------

    def new_id(self, kind: str) -> str:
        """Return an id that no other event has."""
        self.count += 1
        return f"{kind}{self.count}"

    def bill(self, member: str | None, store: str | None, pieces: int, price: int, at: datetime) -> reference.Bill:
        """Return a new bill."""
        return reference.Bill(self.new_id("T"), at, member, store, pieces * price, pieces)

    def event(self, bill: reference.Bill, amount: int | None = None) -> Any:
        """Return a bill as an event, with its own amount or with another one."""
        member = {"id": bill.member, "group": bill.group} if bill.member is not None else None
        common = {"id": bill.id, "occurred_at": bill.at.isoformat(), "store": bill.store, "member": member}
        if not bill.amount:
            return load_event({**common, "type": "registration"})
        amount = bill.amount if amount is None else amount
        return load_event({**common, "type": "transaction", "amount": text(amount), "lines": lines_of(bill)})

    def later(self, document: dict[str, Any], at: datetime | None = None) -> Receipt:
        """Process an event after the sale."""
        instant, program = (at or self.now).isoformat(), loaded_programs()[self.count % 2]
        event = load_event({"id": self.new_id("L"), **document, "occurred_at": instant})
        return self.do(lambda: self.ledger.process(program, event, serials=SERIALS))

    # -- operations --------------------------------------------------------------------------------------------------

    def do(self, operation: Callable[[], Receipt], since: datetime | None = None) -> Receipt:
        """Run an operation that can be retried; forget the answers as of `since` or later, which it may change."""
        receipt = operation()
        if receipt.status == "recorded":
            self.done.append((operation, receipt))
            self.forget(since or self.now)
        return receipt

    def forget(self, since: datetime) -> None:
        """Forget the answers as of an instant and later ones."""
        self.answers = {at: answer for at, answer in self.answers.items() if at < since}

    def expect(self, receipt: Receipt, reasons: Sequence[str] = ()) -> bool:
        """Check that an operation was recorded, or refused for these reasons; return whether it was recorded."""
        refused = receipt.refusal.reasons if receipt.refusal is not None else ()
        expected = "refused" if reasons else "recorded"
        assert (receipt.status, sorted(refused)) == (expected, sorted(reasons))
        return not reasons

    def take_serials(self, receipt: Receipt) -> None:
        """Take the serials of the recorded coupons, which the model must have, too."""
        for coupon in [intent for intent in receipt.intents if isinstance(intent, IssueCoupon)]:
            assert coupon.key in self.model.coupons, f"{coupon.key} was issued, and the model has no such coupon"
            self.model.coupons[coupon.key].serial = coupon.serial or coupon.code or ""

    def sweep(self) -> None:
        """Record the expiries, which changes no balance."""
        before = self.balances(self.now)
        swept = [each for each in self.ledger.expire(loaded_programs()[0], self.now) if not ends_a_hold(each)]
        assert len(swept) == self.model.expire(self.now)
        assert self.balances(self.now) == before, "a sweep changed a balance"
        assert len(self.ledger.expire(loaded_programs()[1], self.now)) == 0, "a second sweep recorded something"

    # -- comparisons ----------------------------------------------------------------------------------------------

    @property
    def accounts(self) -> list[ModelAccount]:
        """The accounts that stand for themselves."""
        return [each for each in ACCOUNTS if each[1] not in self.model.merged]

    def balances(self, at: datetime) -> list[tuple[Any, ...]]:
        """Return the available, the promised, the owed and the held amount of each account and currency."""
        balances = [
            self.ledger.balance("acme", account(each), currency, at)
            for each in self.accounts
            for currency in CURRENCIES
        ]
        parts = [(each.available, each.promised, each.debt, each.held) for each in balances]
        return [tuple(hundredths(part) for part in each) for each in parts]

    @invariant()
    def balances_equal_those_of_the_model(self) -> None:
        self.model.end_holds(self.now)
        expected = [self.model.balance(each, currency, self.now) for each in self.accounts for currency in CURRENCIES]
        assert self.balances(self.now) == expected
        self.answers[self.now] = [*expected]

    @invariant()
    def lots_equal_those_of_the_model(self) -> None:
        for each in self.accounts:
            for currency in CURRENCIES:
                lots = self.ledger.lots("acme", account(each), currency, self.now)
                assert [row_of(lot) for lot in lots] == [
                    model_row_of(lot) for lot in self.model.lots_of(each, currency)
                ]
        promised = [lot.key for lot in self.model.lots.values() if lot.promised]
        assert [lot.key for lot in self.ledger.promises("acme", self.now)] == promised

    @invariant()
    def coupons_equal_those_of_the_model(self) -> None:
        names = [name for name in reference.GROUP_OF if name not in self.model.merged]
        known = [coupon for name in names for coupon in self.ledger.coupons("acme", name)]
        for coupon in self.model.coupons.values():
            if coupon.member is None and coupon.rule.code is None:
                record = self.ledger.coupon("acme", coupon.serial)
                assert record is not None
                known.append(record)
        found = {
            each.key: (each.state, hundredths(each.remaining), each.redemption, each.member, each.expires_at)
            for each in known
        }
        assert found == {
            each.key: (each.state, each.remaining, each.redeemed_by, each.member, each.expires_at)
            for each in self.model.coupons.values()
            if each.member is not None or each.rule.code is None
        }

    @invariant()
    def no_invariant_is_violated(self) -> None:
        assert [*self.ledger.check_invariants()] == []


def lines_of(bill: reference.Bill) -> list[dict[str, str]]:
    """Return the one line of a bill."""
    return [{"id": "1", "quantity": str(bill.pieces), "value": text(int(bill.goods))}]


def account(of: ModelAccount) -> Account:
    """Return an account of the model as the library has it."""
    return Account(of[0], of[1])  # type: ignore[arg-type]


def ends_a_hold(receipt: Receipt) -> bool:
    """Return whether a receipt of a sweep is that of a hold."""
    return any(intent.type == "release_hold" for intent in receipt.intents)


def chosen(of: dict[str, Any], which: int) -> Any:
    """Return one value of a dictionary; small numbers choose the latest."""
    return [*of.values()][-1 - which % len(of)]


def text(amount: int) -> str:
    """Return hundredths as a decimal text."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"


def exact(amount: int) -> Decimal:
    """Return hundredths as an amount."""
    return Decimal(text(amount))


def hundredths(amount: Decimal | None) -> int | Decimal | None:
    """Return an amount as whole hundredths, as the model has it; any other amount as it is, which is never equal."""
    if amount is None:
        return None
    whole, rest = divmod(micros(amount), 10_000)
    return amount if rest else whole


def row_of(lot: Any) -> tuple[Any, ...]:
    """Return a lot of the ledger as a row; the end of a lot that has and gets no units any more says nothing."""
    end = lot.expires_at if lot.has_units() or lot.spent else None
    parts = (lot.issued, lot.outstanding, lot.promised, lot.held, lot.voided, lot.moved_on)
    gone = (lot.spent, lot.expired, lot.reversed, lot.taken_back)
    return (lot.key, *(hundredths(part) for part in (*parts, *gone)), end)


def model_row_of(lot: Lot) -> tuple[Any, ...]:
    """Return a lot of the model as a row."""
    end = lot.expires_at if lot.promised or lot.outstanding or lot.held or lot.spent else None
    parts = (lot.issued, lot.outstanding, lot.promised, lot.held, lot.voided, lot.moved_on)
    return (lot.key, *parts, lot.spent, lot.expired, lot.reversed, lot.claimed, end)


def at_end_of(at: datetime, days: int) -> datetime:
    """Return the first instant after a day that lies so many days after an instant's."""
    return reference.midnight_after(reference.local_day(at) + timedelta(days=days))
