"""Adjustments: the lot that is added, the lots that are drawn on, and the terms. Source: semantics 13."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.events import Confirmation
from loyalty_rules.intents import AdjustCurrency, CancelPromise, ReleasePromise
from loyalty_rules.lifecycle import Account, Lot, Refusal
from loyalty_rules.lifecycle.adjusting import adjust, confirm_adjustment, lot_of_adjustment
from loyalty_rules.lifecycle.records import Adjustment

from .accounts import ANNA, AT, BEN, WHY, drawn, lot, shop

LOTS = [lot("T-1", 100), lot("T-2", 50, date(2025, 2, 1)), lot("T-3", 70, date(2025, 1, 19)), lot("T-4", 9, None, BEN)]
"""The third has expired, the fourth is another member's."""


def decided(amount: str, account: Account = ANNA, terms: Any = None, **parts: Any) -> AdjustCurrency | Refusal:
    adjustments = {"adjustments": terms} if terms is not None else {}
    return adjust(shop(**adjustments), account, "points", Decimal(amount), LOTS, **{**WHY, **parts})


def adjustment(amount: str, **parts: Any) -> AdjustCurrency:
    intent = decided(amount, **parts)
    assert isinstance(intent, AdjustCurrency)
    return intent


def test_an_upward_adjustment_adds_a_lot_with_its_last_day() -> None:
    intent = adjustment("40", expires_on=date(2025, 2, 10))

    assert (intent.key, intent.state, intent.draws) == ("acme/E-1/adjust/points", "issued", ())
    assert (intent.issue_on, intent.expires_on) == (date(2025, 1, 20), date(2025, 2, 10))
    assert intent.expires_at == datetime(2025, 2, 11, tzinfo=UTC)
    assert (intent.reason, intent.by) == ("typed by mistake", "desk-3")


def test_a_downward_adjustment_draws_live_units_soonest_first() -> None:
    intent = adjustment("-60")

    assert drawn(intent.draws) == [("T-2", 50), ("T-1", 10)]
    assert intent.issue_on is None


@pytest.mark.parametrize(
    ("amount", "parts", "reasons"),
    [
        ("-151", {}, ("not_enough",)),  # 100 and 50 are live
        ("0", {}, ("zero_amount",)),
        ("1", {"expires_on": date(2025, 1, 19)}, ("already_expired",)),
        ("11", {"terms": {"most": "10"}}, ("above_most",)),
        ("-11", {"terms": {"most": "10"}}, ("above_most",)),
        ("1", {"terms": {"reasons": ["goodwill"]}}, ("reason_not_allowed",)),
        ("-200", {"terms": {"reasons": [], "most": "10"}}, ("reason_not_allowed", "above_most", "not_enough")),
    ],
)
def test_a_refusal_names_every_reason(amount: str, parts: Any, reasons: tuple[str, ...]) -> None:
    refused = decided(amount, **parts)

    assert isinstance(refused, Refusal)
    assert refused.reasons == reasons


@pytest.mark.parametrize(
    ("amount", "parts"),
    [("-150", {}), ("10", {"terms": {"most": "10"}}), ("1", {"expires_on": date(2025, 1, 20)})],
)
def test_the_bounds_are_included(amount: str, parts: Any) -> None:
    assert adjustment(amount, **parts).amount == Decimal(amount)


def test_an_unknown_currency_is_refused() -> None:
    refused = adjust(shop(), ANNA, "miles", Decimal(1), [], **WHY)

    assert isinstance(refused, Refusal)
    assert refused.reasons == ("unknown_currency",)


@pytest.mark.parametrize(("amount", "state"), [("100", "issued"), ("100.000001", "promised"), ("-120", "issued")])
def test_only_an_upward_adjustment_above_the_threshold_waits(amount: str, state: str) -> None:
    assert adjustment(amount, terms={"approve_over": "100"}).state == state


def test_the_lot_of_an_adjustment_belongs_to_its_account_and_to_no_promotion() -> None:
    issue = lot_of_adjustment(adjustment("40"))
    group = lot_of_adjustment(adjustment("40", account=Account("group", "home")))

    assert (issue.key, issue.promotion, issue.action, issue.amount) == ("acme/E-1/adjust/points", "", "", 40)
    assert Account.of(issue) == ANNA
    assert Account.of(group) == Account("group", "home")


# -- confirmations ---------------------------------------------------------------------------------------------------


def waiting(expires_on: date | None = None) -> Lot:
    intent = adjustment("40", terms={"approve_over": "0"}, expires_on=expires_on)
    return Lot(lot_of_adjustment(intent), 1, Decimal(40), promised=Decimal(40))


def confirmed(on: date = date(2025, 1, 25), expires_on: date | None = None, **parts: Any) -> Any:
    event = {
        "id": "C-1",
        "occurred_at": datetime(on.year, on.month, on.day, 12, tzinfo=UTC),
        "promise": "acme/E-1/adjust/points",
        "outcome": "issue",
        "by": "boss",
        **parts,
    }
    made = Adjustment("acme/E-1/adjust/points", "desk-3", AT)
    return confirm_adjustment(shop(), waiting(expires_on), made, Confirmation(**event))


def test_a_confirmed_adjustment_begins_with_the_confirmation() -> None:
    (release,) = confirmed(expires_on=date(2025, 2, 10))

    assert isinstance(release, ReleasePromise)
    assert (release.amount, release.issue_on, release.expires_on) == (40, date(2025, 1, 25), date(2025, 2, 10))
    assert release.lot is None


def test_a_part_of_an_adjustment_becomes_a_lot_of_its_own() -> None:
    (release,) = confirmed(amount=Decimal(15))

    assert (release.amount, release.lot) == (15, "acme/E-1/adjust/points/release/C-1")


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [({"outcome": "cancel"}, "cancelled"), ({"on": date(2025, 2, 11), "expires_on": date(2025, 2, 10)}, "lapsed")],
)
def test_an_adjustment_can_end_without_a_lot(parts: Any, outcome: str) -> None:
    (end,) = confirmed(**parts)

    assert isinstance(end, CancelPromise)
    assert (end.outcome, end.amount) == (outcome, 40)


@pytest.mark.parametrize(
    ("parts", "reasons"),
    [
        ({"by": "desk-3"}, ("same_person",)),
        ({"by": None}, ("same_person",)),
        ({"by": "desk-3", "outcome": "cancel"}, ("same_person",)),
        ({"amount": Decimal(41)}, ("more_than_promised",)),
        ({"on": date(2025, 1, 19)}, ("too_early",)),
    ],
)
def test_a_confirmation_that_is_not_valid_is_refused(parts: Any, reasons: tuple[str, ...]) -> None:
    assert confirmed(**parts).reasons == reasons
