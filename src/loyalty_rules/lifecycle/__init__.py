"""Decisions after the sale, as pure functions over plain records: promises, returns, spending, coupons, expiry.

Each function returns the intents to record, or a `Refusal`; none reads a clock or keeps state. Source: semantics 5, 6,
9, 11, 12 and ledger 2.
"""

from loyalty_rules.lifecycle.promises import confirm, is_due, settle, update
from loyalty_rules.lifecycle.records import Account, CouponRecord, Hold, Lot, Refusal, Sale
from loyalty_rules.lifecycle.redemption import redeem, undo_redemption, void
from loyalty_rules.lifecycle.remainder import remaining_sale
from loyalty_rules.lifecycle.returns import take_back
from loyalty_rules.lifecycle.spending import available, in_order_of_spending, spend, worth
from loyalty_rules.lifecycle.sweep import expire, expire_coupons
from loyalty_rules.lifecycle.undoing import undo_spend

__all__ = [
    "Account",
    "CouponRecord",
    "Hold",
    "Lot",
    "Refusal",
    "Sale",
    "available",
    "confirm",
    "expire",
    "expire_coupons",
    "in_order_of_spending",
    "is_due",
    "redeem",
    "remaining_sale",
    "settle",
    "spend",
    "take_back",
    "undo_redemption",
    "undo_spend",
    "update",
    "void",
    "worth",
]
