"""An intent's `type` narrows the union `Intent`, with mypy and with pyright."""

from datetime import datetime
from decimal import Decimal
from typing import assert_never, assert_type

import loyalty_rules as lr


def narrowed_by_if(intent: lr.Intent) -> Decimal | None:
    if intent.type == "issue_currency":
        assert_type(intent, lr.IssueCurrency)
        return intent.amount
    if intent.type == "spend_currency":
        assert_type(intent, lr.SpendCurrency)
        return intent.value
    return None


def narrowed_in_a_comprehension(evaluation: lr.Evaluation) -> list[Decimal]:
    return [intent.amount for intent in evaluation.intents if intent.type == "issue_currency"]


def narrowed_by_match(intent: lr.Intent) -> str | datetime | None:
    match intent.type:
        case "issue_currency":
            return intent.member
        case "issue_coupon":
            return intent.serial
        case _:
            return intent.key


def every_intent_has_a_type_of_its_own(intent: lr.Intent) -> str:
    """Handle every intent; if one is missing here, the type checker reports the last line."""
    if intent.type == "issue_currency" or intent.type == "issue_coupon":
        return intent.promotion
    if intent.type == "send_message":
        return intent.template
    if intent.type == "extend_expiry":
        return intent.scope
    if intent.type == "advance_tracker":
        return intent.tracker
    if intent.type == "change_tier":
        return intent.tier
    if intent.type == "release_promise" or intent.type == "cancel_promise":
        return intent.promise
    if intent.type == "reverse_currency":
        return intent.issue
    if intent.type == "expire_currency":
        return intent.lot
    if intent.type == "spend_currency":
        return intent.currency
    if intent.type == "undo_spend":
        return intent.spend
    if intent.type == "hold_currency":
        return intent.event
    if intent.type == "capture_hold" or intent.type == "release_hold":
        return intent.hold
    if intent.type == "redeem_coupon" or intent.type == "void_coupon" or intent.type == "expire_coupon":
        return intent.coupon
    if intent.type == "undo_redemption":
        return intent.redemption
    if intent.type == "adjust_currency" or intent.type == "transfer_currency":
        return intent.by
    if intent.type == "merge_accounts":
        return intent.into_member
    if intent.type == "forget_member":
        return intent.member
    if intent.type == "extend_lot":
        return intent.lot
    if intent.type == "extend_coupon" or intent.type == "reassign_coupon" or intent.type == "top_up_coupon":
        return intent.coupon
    assert_never(intent)


def names_that_are_imported_later_have_their_types(receipt: lr.Receipt, account: lr.Account) -> tuple[str, str]:
    assert_type(receipt.intents, tuple[lr.Intent, ...])
    return receipt.key, account.id
