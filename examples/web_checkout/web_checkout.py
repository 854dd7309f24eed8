"""A web checkout that is paid with points and a card: hold, pay, capture.

1. **Hold** the points before the payment, so that nobody else can spend them.
2. **Pay** the rest by card. The payment provider takes a key, so that a repeated call charges once.
3. **Capture** the points and record the sale, both in one transaction.

Each step may be repeated. So whatever fails, and wherever the process dies, the shop calls `check_out` again with the
same order. If nobody does, the points come back by time alone.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import attrs

import loyalty_rules as lr
from loyalty_rules.ledger import Ledger
from loyalty_rules.lifecycle import Account
from loyalty_rules.lifecycle.spending import worth
from loyalty_rules.program import Program

PROGRAM = Path(__file__).with_name("program.toml")
CURRENCY = "points"
HOLD_FOR = timedelta(minutes=30)

Outcome: TypeAlias = Literal["paid", "refused", "declined", "too late"]
"""The end of a checkout: paid; too few points; the card was declined; the points had come back before the payment."""


class PaymentDeclinedError(Exception):
    """The bank declines the payment. A repeated call is declined again."""


class PaymentProvider(Protocol):
    """A payment provider. Any other error than `PaymentDeclinedError` leaves it unknown whether it has charged."""

    def charge(self, key: str, amount: Decimal) -> None:
        """Charge the card once for each key; raises `PaymentDeclinedError`."""

    def refund(self, key: str) -> None:
        """Refund the charge of a key, once."""


@attrs.frozen
class Order:
    """An order as the shop has stored it: the member pays `points` of it, and the rest by card."""

    id: str
    member: str
    amount: Decimal
    points: Decimal
    placed_at: datetime


class Checkout:
    """The checkout of a web shop. `program` is its loyalty program, `ledger` the ledger of points."""

    def __init__(self, ledger: Ledger, program: Program, payments: PaymentProvider) -> None:
        self.ledger = ledger
        self.program = program
        self.payments = payments

    def check_out(self, order: Order, now: datetime) -> Outcome:
        """Check an order out, or go on with one that failed somewhere.

        Raises the error of the payment provider if it is unknown whether it has charged: call it again later.
        """
        sale = self.sale_of(order)
        hold = self.ledger.hold(
            self.program,
            Account("member", order.member),
            CURRENCY,
            order.points,
            order.placed_at + HOLD_FOR,
            event=f"{order.id}/hold",
            at=order.placed_at,
            bill=sale,
        )
        if hold.hold is None:
            return "refused"
        try:
            self.payments.charge(order.id, order.amount - self.worth_of(order))
        except PaymentDeclinedError:
            self.ledger.release(self.program, hold.hold.key, event=f"{order.id}/release", at=now)
            return "declined"
        if not self.captured(hold.hold.key, sale, now):
            self.payments.refund(order.id)
            return "too late"
        return "paid"

    def captured(self, hold: str, sale: lr.Transaction, now: datetime) -> bool:
        """Capture the points and record the sale, both or neither; return False if the hold has ended."""
        with self.ledger.transaction() as tx:
            capture = tx.capture(self.program, hold, event=sale.id, at=now)
            if capture.refusal is None:
                tx.process(self.program, sale)
        return capture.refusal is None

    def worth_of(self, order: Order) -> Decimal:
        """Return the money that the points of an order pay."""
        rate = next(each.redeem for each in self.program.currencies if each.id == CURRENCY)
        assert rate is not None
        return worth(rate, order.points)

    def sale_of(self, order: Order) -> lr.Transaction:
        """Return the sale of an order, the same at each call."""
        by_points = self.worth_of(order)
        document: dict[str, Any] = {
            "type": "transaction",
            "id": order.id,
            "occurred_at": order.placed_at,
            "channel": "web",
            "amount": order.amount,
            "member": lr.Member(order.member),
            "tenders": (lr.Tender("points", by_points), lr.Tender("card", order.amount - by_points)),
        }
        return lr.Transaction(**document)
