"""Recorded histories: two sales in a ledger, and the operations that follow them."""

from __future__ import annotations

from typing import get_args

import pytest

from loyalty_rules.intents import Intent
from loyalty_rules.testing.strategies.recorded import RecordedHistory, recorded_histories
from properties.examples import drawn

BUCKETS = ("promised", "outstanding", "spent", "expired", "reversed", "voided")


@pytest.fixture(scope="module")
def histories() -> list[RecordedHistory]:
    return drawn(recorded_histories(), 30)


@pytest.mark.parametrize("cls", get_args(Intent), ids=lambda cls: cls.__name__)
def test_every_history_has_each_kind_of_intent(histories: list[RecordedHistory], cls: type) -> None:
    assert all(any(isinstance(intent, cls) for intent in history.intents()) for history in histories)


def test_lots_keep_their_identity_at_every_instant(histories: list[RecordedHistory]) -> None:
    rows = [row for history in histories for at in history.instants() for row in history.rows(at).lots]

    assert all(row.lot.is_whole() for row in rows)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_some_lot_has_units_in_each_bucket(histories: list[RecordedHistory], bucket: str) -> None:
    lots = [row.lot for history in histories for at in history.instants() for row in history.rows(at).lots]

    assert any(getattr(lot, bucket) > 0 for lot in lots)


@pytest.mark.parametrize("state", ["issued", "expired", "voided", "redeemed"])
def test_some_coupon_is_in_each_state(histories: list[RecordedHistory], state: str) -> None:
    coupons = [coupon for history in histories for at in history.instants() for coupon in history.rows(at).coupons]

    assert any(coupon.state == state for coupon in coupons)


@pytest.mark.parametrize("status", ["recorded", "already_recorded", "refused"])
def test_every_history_has_receipts_with_each_status(histories: list[RecordedHistory], status: str) -> None:
    assert all(any(receipt.status == status for receipt in history.receipts) for history in histories)


def test_only_a_receipt_with_the_status_refused_has_a_refusal(histories: list[RecordedHistory]) -> None:
    receipts = [receipt for history in histories for receipt in history.receipts]

    assert all((receipt.status == "refused") == (receipt.refusal is not None) for receipt in receipts)


def test_the_ledger_of_a_history_is_consistent(histories: list[RecordedHistory]) -> None:
    assert all(history.ledger.check_invariants() == [] for history in histories)
