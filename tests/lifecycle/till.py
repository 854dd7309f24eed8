"""A till with a ledger: it sells, takes back, spends, and reads lots and coupons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.events import Snapshot
from loyalty_rules.intents import AdvanceTracker, Intent, ReverseCurrency, VoidCoupon
from loyalty_rules.ledger import MemoryLedger, Receipt
from loyalty_rules.lifecycle import Account, CouponRecord, Lot
from shop import Serials, sale

MEMBER = Account("member", "M1")
SOLD_AT = "2025-01-15T10:00:00Z"
BACK_AT = "2025-01-20T10:00:00Z"
LONG_AFTER = datetime(9998, 12, 31, tzinfo=UTC)


def instant(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text)


def decided(program: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the intents of a sale of 100 under a program."""
    return lr.load_program(program).evaluate(lr.load_event(sale("100")), serials=Serials()).intents


class Till:
    """One program and its ledger; the invariants of the ledger are checked after every operation."""

    def __init__(self, program: Mapping[str, Any]) -> None:
        self.program = lr.load_program(program)
        self.ledger = MemoryLedger()
        self.serials = Serials()
        self.returns = 0

    def sell(self, sale: Mapping[str, Any], snapshot: Mapping[str, Any] | None = None) -> Receipt:
        """Sell with a snapshot, or with that of the ledger."""
        event = lr.load_event(sale)
        if snapshot is None:
            return self.sound(self.ledger.process(self.program, event, serials=self.serials))
        known: Snapshot = lr.load_snapshot(snapshot)
        return self.sound(self.ledger.record(self.program.evaluate(event, known, serials=self.serials)))

    def take_back(
        self,
        amount: object | None,
        lines: Mapping[str, object] | None = None,
        *,
        of: str = "T-1",
        at: str = BACK_AT,
        **parts: object,
    ) -> Receipt:
        """Return an amount of money and quantities of lines; an amount of None is not named."""
        self.returns += 1
        return self.process(
            {
                "type": "return",
                "id": f"R-{self.returns}",
                "occurred_at": at,
                "of": of,
                "amount": str(amount) if amount is not None else None,
                "lines": [{"id": line, "quantity": str(quantity)} for line, quantity in (lines or {}).items()],
                **parts,
            }
        )

    def process(self, event: Mapping[str, Any]) -> Receipt:
        """Process any event."""
        return self.sound(self.ledger.process(self.program, lr.load_event(event), serials=self.serials))

    def spend(self, amount: object, *, event: str = "T-9", at: str = SOLD_AT, currency: str = "points") -> Receipt:
        """Spend from the account of M1."""
        return self.sound(
            self.ledger.spend(self.program, MEMBER, "M1", currency, Decimal(str(amount)), event=event, at=instant(at))
        )

    def available(self, at: str = BACK_AT) -> Decimal:
        """Return the available balance of M1."""
        return self.ledger.balance(self.program.id, MEMBER, "points", instant(at)).available

    def sound(self, receipt: Receipt) -> Receipt:
        assert list(self.ledger.check_invariants()) == []
        return receipt

    # -- queries ----------------------------------------------------------------------------------------------------

    def lots(self) -> dict[str, Lot]:
        """Return every lot by the key of its issue."""
        rows = self.ledger.report_rows(self.program.id, LONG_AFTER)
        return {history.lot.key: history.lot for history in rows.lots}

    def coupons(self) -> dict[str, CouponRecord]:
        """Return every coupon by the key of its issue."""
        rows = self.ledger.report_rows(self.program.id, LONG_AFTER)
        return {coupon.key: coupon for coupon in rows.coupons}

    def taken(self) -> dict[str, Decimal]:
        """Return the units that returns have claimed of each lot, by the part of its key after the event."""
        return {key.split("/", 2)[2]: lot.taken_back for key, lot in self.lots().items()}

    def voided(self) -> set[str]:
        """Return the voided coupons, by the part of their keys after the event."""
        return {key.split("/", 2)[2] for key, coupon in self.coupons().items() if coupon.state == "voided"}


def reversed_by(receipt: Receipt) -> Decimal:
    """Return the units that one return took, shortfall included."""
    return sum((each.amount for each in receipt.intents if isinstance(each, ReverseCurrency)), Decimal(0))


def voids(receipt: Receipt) -> list[str]:
    """Return the coupons that one return voided, by the part of their keys after the event."""
    return [each.coupon.split("/", 2)[2] for each in receipt.intents if isinstance(each, VoidCoupon)]


def advanced(intents: Iterable[Intent]) -> dict[str, Decimal]:
    """Return the sum of the advances of each tracker."""
    sums: dict[str, Decimal] = {}
    for each in intents:
        if isinstance(each, AdvanceTracker):
            sums[each.tracker] = sums.get(each.tracker, Decimal(0)) + each.value
    return sums
