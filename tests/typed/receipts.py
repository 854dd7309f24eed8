"""Each operation of a ledger returns a receipt of its own class, with mypy and with pyright."""

from datetime import datetime
from decimal import Decimal
from typing import assert_type

import loyalty_rules as lr
from loyalty_rules.events import Event
from loyalty_rules.intents import ExtendExpiry, RedeemCoupon, SpendCurrency
from loyalty_rules.ledger import (
    AsyncLedger,
    EventReceipt,
    ExpireReceipt,
    Ledger,
    Receipt,
    RedeemReceipt,
    ReturnReceipt,
    SaleReceipt,
    SpendReceipt,
)


def a_spend(ledger: Ledger, program: lr.Program, account: lr.Account, at: datetime) -> Decimal | None:
    receipt = ledger.spend(program, account, "M1", "points", Decimal(5), event="S-1", at=at)
    assert_type(receipt, SpendReceipt)
    assert_type(receipt.intents, tuple[SpendCurrency | ExtendExpiry, ...])
    return receipt.spend.value if receipt.spend is not None else None


def a_redemption(ledger: Ledger, program: lr.Program, sale: lr.Transaction) -> Decimal | None:
    receipt = ledger.redeem(program, "GIFT", sale)
    assert_type(receipt, RedeemReceipt)
    assert_type(receipt.redemption, RedeemCoupon | None)
    return receipt.redemption.discount if receipt.redemption is not None else None


def an_event(ledger: Ledger, program: lr.Program, event: Event) -> Decimal:
    receipt = ledger.process(program, event)
    assert_type(receipt, EventReceipt)
    match receipt:
        case SaleReceipt():
            return sum((issue.amount for issue in receipt.issues), Decimal(0))
        case ReturnReceipt():
            return sum((reversal.amount for reversal in receipt.reversals), Decimal(0))
        case _:
            return Decimal(0)


async def awaited(ledger: AsyncLedger, program: lr.Program, at: datetime) -> list[ExpireReceipt]:
    return [*await ledger.expire(program, at)]


def any_operation(receipt: Receipt) -> list[str]:
    return [intent.key for intent in receipt.intents]
