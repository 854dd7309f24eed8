"""The intents: their types as words of the wire, and their documents."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args, get_type_hints

import attrs
import pytest

import loyalty_rules as lr

TYPES = {
    "issue_currency": lr.IssueCurrency,
    "issue_coupon": lr.IssueCoupon,
    "send_message": lr.SendMessage,
    "extend_expiry": lr.ExtendExpiry,
    "advance_tracker": lr.AdvanceTracker,
    "change_tier": lr.ChangeTier,
    "release_promise": lr.ReleasePromise,
    "cancel_promise": lr.CancelPromise,
    "reverse_currency": lr.ReverseCurrency,
    "expire_currency": lr.ExpireCurrency,
    "spend_currency": lr.SpendCurrency,
    "undo_spend": lr.UndoSpend,
    "hold_currency": lr.HoldCurrency,
    "capture_hold": lr.CaptureHold,
    "release_hold": lr.ReleaseHold,
    "redeem_coupon": lr.RedeemCoupon,
    "undo_redemption": lr.UndoRedemption,
    "void_coupon": lr.VoidCoupon,
    "expire_coupon": lr.ExpireCoupon,
    "adjust_currency": lr.AdjustCurrency,
    "transfer_currency": lr.TransferCurrency,
    "merge_accounts": lr.MergeAccounts,
    "forget_member": lr.ForgetMember,
    "extend_lot": lr.ExtendLot,
    "extend_coupon": lr.ExtendCoupon,
    "reassign_coupon": lr.ReassignCoupon,
    "top_up_coupon": lr.TopUpCoupon,
}

MESSAGE = lr.SendMessage("acme/T-1/p/earn/message", ("acme/T-1/p/earn",), "M1", "earned", ("email",), ())


def test_the_union_has_every_intent() -> None:
    assert set(get_args(lr.Intent)) == set(TYPES.values())


@pytest.mark.parametrize(("word", "intent"), TYPES.items())
def test_the_type_of_an_intent_is_its_word_on_the_wire(word: str, intent: type) -> None:
    assert intent.type == word


@pytest.mark.parametrize(("word", "intent"), TYPES.items())
def test_type_checkers_see_the_word_as_a_literal(word: str, intent: type) -> None:
    (literal,) = get_args(get_type_hints(intent)["type"])
    assert get_args(literal) == (word,)


@pytest.mark.parametrize("intent", TYPES.values())
def test_the_type_is_no_field(intent: type) -> None:
    fields = [field.name for field in attrs.fields(intent)]
    assert "type" not in fields
    assert fields[0] == "key"


def test_a_document_begins_with_the_type() -> None:
    assert list(lr.dump(MESSAGE).items())[:2] == [("type", "send_message"), ("key", "acme/T-1/p/earn/message")]


def test_an_intent_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        MESSAGE.member = "M2"  # type: ignore[misc]


def test_intents_of_equal_fields_are_equal() -> None:
    same = lr.SendMessage("acme/T-1/p/earn/message", ("acme/T-1/p/earn",), "M1", "earned", ("email",), ())
    assert same == MESSAGE
    assert hash(same) == hash(MESSAGE)
    assert attrs.evolve(MESSAGE, member="M2") != MESSAGE


def test_intents_of_different_classes_are_different() -> None:
    at = datetime(2025, 4, 16, tzinfo=UTC)
    assert lr.ExpireCoupon("acme/T-1/p/thanks/1/expire", "acme/T-1/p/thanks/1", at) != lr.VoidCoupon(
        "acme/T-1/p/thanks/1/expire", "acme/T-1/p/thanks/1", "T-1", ()
    )


def test_a_draw_is_on_available_units_unless_it_says_otherwise() -> None:
    assert lr.LotDraw("acme/T-1/p/earn", Decimal(5)).taken_from == "available"
