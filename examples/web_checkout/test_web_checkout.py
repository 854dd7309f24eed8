"""The checkout with a payment that fails at each point, and with a process that dies at each point."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from web_checkout import HOLD_FOR, PROGRAM, Checkout, Order, PaymentDeclinedError

import loyalty_rules as lr
from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle import Account

ANNA = Account("member", "anna")
NOON = datetime(2025, 1, 15, 12, tzinfo=UTC)
SHOP = lr.load_program(PROGRAM)
ORDER = Order("O-1", "anna", Decimal(50), Decimal(1000), NOON)
"""50 euros: 1,000 points pay 10, and the card pays 40, which earn 40 points."""


class LineError(Exception):
    """A lost connection."""


class Bank:
    """A bank that charges a card once for each key. `trouble` comes at its next calls, one after the other."""

    def __init__(self, *trouble: str) -> None:
        self.trouble = [*trouble]
        self.charges: dict[str, Decimal] = {}
        self.refunds: set[str] = set()
        self.declined: set[str] = set()

    def charge(self, key: str, amount: Decimal) -> None:
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble == "no line":
            raise LineError
        if trouble == "no money" or key in self.declined:
            self.declined.add(key)
            raise PaymentDeclinedError
        self.charges.setdefault(key, amount)
        if trouble == "no answer":
            raise LineError

    def refund(self, key: str) -> None:
        self.refunds.add(key)

    def paid(self) -> Decimal:
        return sum((each for key, each in self.charges.items() if key not in self.refunds), Decimal(0))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SQLLedger]:
    """Yield a ledger in which Anna has 1,500 points; it is consistent after each test."""
    ledger = SQLLedger.open(f"sqlite:///{tmp_path}/shop.db")
    first = Order("O-0", "anna", Decimal(1500), Decimal(0), NOON - timedelta(days=1))
    ledger.process(SHOP, Checkout(ledger, SHOP, Bank()).sale_of(first))
    yield ledger
    assert ledger.check_invariants() == []
    ledger.close()


def points(ledger: SQLLedger, at: datetime) -> tuple[Decimal, Decimal]:
    """Return Anna's points: those to spend, and those that are held."""
    balance = ledger.balance(SHOP, ANNA, "points", at)
    return balance.available, balance.held


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_points_and_card_pay_together(ledger: SQLLedger) -> None:
    bank = Bank()

    assert Checkout(ledger, SHOP, bank).check_out(ORDER, later(1)) == "paid"
    assert bank.charges == {"O-1": 40}
    assert points(ledger, later(1)) == (500 + 40, 0)


def test_too_few_points_charge_nothing(ledger: SQLLedger) -> None:
    bank = Bank()
    order = Order("O-1", "anna", Decimal(50), Decimal(1600), NOON)

    assert Checkout(ledger, SHOP, bank).check_out(order, later(1)) == "refused"
    assert bank.charges == {}


def test_a_declined_card_gives_the_points_back_at_once(ledger: SQLLedger) -> None:
    bank = Bank("no money")
    checkout = Checkout(ledger, SHOP, bank)

    assert checkout.check_out(ORDER, later(1)) == "declined"
    assert points(ledger, later(1)) == (1500, 0)
    assert checkout.check_out(ORDER, later(2)) == "declined"
    assert (bank.paid(), points(ledger, later(2))) == (0, (1500, 0))


@pytest.mark.parametrize("trouble", [["no line"], ["no answer"], ["no line", "no answer", "no line"]])
def test_after_a_lost_connection_the_same_call_charges_once(ledger: SQLLedger, trouble: list[str]) -> None:
    bank = Bank(*trouble)
    checkout = Checkout(ledger, SHOP, bank)
    for minute in range(len(trouble)):
        with pytest.raises(LineError):
            checkout.check_out(ORDER, later(minute))
        assert points(ledger, later(minute)) == (500, 1000)  # nobody else can spend them meanwhile

    assert checkout.check_out(ORDER, later(9)) == "paid"
    assert checkout.check_out(ORDER, later(10)) == "paid"
    assert (bank.paid(), points(ledger, later(10))) == (40, (540, 0))


class PowerCut(BaseException):
    """The end of the process."""


STEPS = ["hold", "charge", "capture", "process"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_dies_anywhere_is_made_good(
    ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
) -> None:
    bank = Bank()
    checkout = Checkout(ledger, SHOP, bank)
    with monkeypatch.context() as patch:
        owner = {"hold": ledger, "charge": bank}.get(step, LedgerService)
        die_at(patch, owner, step, moment)
        with pytest.raises(PowerCut):
            checkout.check_out(ORDER, later(1))

    assert checkout.check_out(ORDER, later(2)) == "paid"
    assert (bank.paid(), points(ledger, later(2))) == (40, (540, 0))


def die_at(patch: pytest.MonkeyPatch, owner: object, step: str, moment: str) -> None:
    """Make the process die before or after a call."""
    call = getattr(owner, step)

    def dying(*arguments: object, **named: object) -> object:
        if moment == "after":
            call(*arguments, **named)
        raise PowerCut

    patch.setattr(owner, step, dying)


def test_points_that_came_back_by_time_are_not_taken_and_the_card_is_refunded(ledger: SQLLedger) -> None:
    bank = Bank("no answer")
    checkout = Checkout(ledger, SHOP, bank)
    with pytest.raises(LineError):
        checkout.check_out(ORDER, later(1))
    late = NOON + HOLD_FOR

    assert points(ledger, late) == (1500, 0)
    assert checkout.check_out(ORDER, late) == "too late"
    assert (bank.paid(), points(ledger, late)) == (0, (1500, 0))


def test_a_second_order_cannot_take_points_that_are_held(ledger: SQLLedger) -> None:
    bank = Bank("no line")
    checkout = Checkout(ledger, SHOP, bank)
    with pytest.raises(LineError):
        checkout.check_out(ORDER, later(1))

    assert checkout.check_out(Order("O-2", "anna", Decimal(50), Decimal(600), later(2)), later(2)) == "refused"
    assert checkout.check_out(Order("O-3", "anna", Decimal(50), Decimal(500), later(3)), later(3)) == "paid"
