"""A shop with coupons and points, and bills on which they are redeemed and spent."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import loyalty_rules as lr
from loyalty_rules.events import Transaction
from loyalty_rules.intents import RedeemCoupon, SpendCurrency
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.lifecycle import Account
from shop import Serials, program

BEN = Account("member", "ben")


def line(name: str, value: str, quantity: str = "1", **parts: Any) -> dict:
    return {"id": name, "quantity": quantity, "value": value, **parts}


def bill(amount: str, *lines: dict, name: str = "P-1", **parts: Any) -> Transaction:
    document = {"type": "transaction", "id": name, "occurred_at": "2025-02-01T10:00:00Z", "amount": amount,
                "member": {"id": "ben"}, "lines": [*lines], **parts}  # fmt: skip
    event = lr.load_event(document)
    assert isinstance(event, Transaction)
    return event


class Shop:
    """A shop that has given ben one coupon of each of these types, and 1,000 points."""

    def __init__(self, *benefits: dict | None, redeem: dict | None = None, money: str = "EUR", **types: dict) -> None:
        named = {f"c{number}": {"benefit": each} for number, each in enumerate(benefits, 1)} | types
        issued = [name for name in named if not named[name].get("public")]
        actions = [{"type": "issue_coupon", "id": name, "coupon_type": name} for name in issued]
        points = {"type": "issue_currency", "id": "points", "currency": "points", "expiry": {"type": "never"},
                  "proration": {"type": "fixed", "amount": "1000"}}  # fmt: skip
        rate = {"points": "1", "value": "1", **(redeem or {})}
        promotion = {"id": "p", "trigger": "gift", "actions": [*actions, points]}
        self.program = lr.load_program(
            program(money=money, coupon_types=named, promotions=[promotion], currencies={"points": {"redeem": rate}})
        )
        self.ledger = MemoryLedger(Serials())
        gift = {"type": "gift", "id": "G-1", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "ben"}}
        self.ledger.process(self.program, lr.load_event(gift))

    def code(self, name: str) -> str:
        return f"S:acme/G-1/p/{name}/1"

    def redeem(self, name: str, event: Transaction) -> RedeemCoupon | tuple[str, ...]:
        """Redeem a coupon, and return the redemption, or the reasons for a refusal."""
        receipt = self.ledger.redeem(self.program, self.code(name), event)
        assert self.ledger.check_invariants() == []
        if receipt.refusal is not None:
            return receipt.refusal.reasons
        assert receipt.redemption is not None
        return receipt.redemption

    def spend(self, amount: str, event: Transaction) -> SpendCurrency | tuple[str, ...]:
        receipt = self.ledger.spend(
            self.program, BEN, "ben", "points", Decimal(amount), event=event.id, at=event.occurred_at, bill=event
        )
        if receipt.refusal is not None:
            return receipt.refusal.reasons
        assert receipt.spend is not None
        return receipt.spend


def shares(redeemed: object) -> dict[str | None, str]:
    assert isinstance(redeemed, RedeemCoupon | SpendCurrency), redeemed
    return {each.line: format(each.amount, "f") for each in redeemed.shares}


def discounts(shop: Shop, names: Iterable[str], event: Transaction) -> list[object]:
    redeemed = [shop.redeem(name, event) for name in names]
    return [each.discount if isinstance(each, RedeemCoupon) else each for each in redeemed]


NOTHING = ("nothing_to_discount",)
PERCENT = {"type": "percent_off", "percent": "10"}
FREE_UNIT = {"type": "percent_off", "percent": "100", "units": 1}
