"""Transfers: the lots that units come from, the fee, and the terms. Source: semantics 13."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.intents import TransferCurrency
from loyalty_rules.lifecycle import Account, Refusal
from loyalty_rules.lifecycle.transferring import counter_of_transfers, lot_of_transfer, transfer

from .accounts import ANNA, AT, BEN, WHY, drawn, lot, shop

LOTS = [lot("T-1", 100), lot("T-2", 50, date(2025, 2, 1)), lot("T-3", 70, date(2025, 1, 19))]
"""The third has expired: 150 units are live."""


def decided(
    amount: str, terms: Any = None, target: Account = BEN, sent: int = 0, **parts: Any
) -> TransferCurrency | Refusal:
    currency = {"transfer": terms} if terms is not None else {}
    program = shop(currencies={"points": currency})
    arguments = {**WHY, "sent": Decimal(sent), **parts}
    return transfer(program, ANNA, target, "points", Decimal(amount), LOTS, **arguments)


def moved(amount: str, **parts: Any) -> TransferCurrency:
    intent = decided(amount, **{"terms": {}, **parts})
    assert isinstance(intent, TransferCurrency)
    return intent


def test_units_are_drawn_soonest_first_and_each_lot_has_a_new_one() -> None:
    intent = moved("60")

    assert drawn(intent.draws) == [("T-2", 50), ("T-1", 10)]
    assert [each.to_lot for each in intent.draws] == ["acme/E-1/transfer/points/1", "acme/E-1/transfer/points/2"]
    assert (intent.member, intent.to_member, intent.group, intent.to_group) == ("anna", "ben", None, None)


def test_the_fee_is_drawn_after_the_units_that_move() -> None:
    intent = moved("45", terms={"fee": "15"})

    assert drawn(intent.draws) == [("T-2", 45)]
    assert drawn(intent.fee_draws) == [("T-2", 5), ("T-1", 10)]


@pytest.mark.parametrize(
    ("amount", "parts", "reasons"),
    [
        ("1", {}, ("not_transferable",)),
        ("9", {"terms": {"least": "10"}}, ("below_least",)),
        ("0", {"terms": {}}, ("not_positive",)),
        ("151", {"terms": {}}, ("insufficient",)),
        ("150", {"terms": {"fee": "1"}}, ("insufficient",)),
        ("5", {"terms": {}, "target": ANNA}, ("same_member",)),
        ("21", {"terms": {"most": {"amount": "50"}}, "sent": 30}, ("above_most",)),
    ],
)
def test_a_refusal_names_the_reason(amount: str, parts: Any, reasons: tuple[str, ...]) -> None:
    refused = decided(amount, **parts)

    assert isinstance(refused, Refusal)
    assert refused.reasons == reasons


@pytest.mark.parametrize(
    ("amount", "parts"),
    [
        ("10", {"terms": {"least": "10"}}),
        ("149", {"terms": {"fee": "1"}}),
        ("20", {"terms": {"most": {"amount": "50"}}, "sent": 30}),
    ],
)
def test_the_bounds_are_included(amount: str, parts: Any) -> None:
    assert moved(amount, **parts).amount == Decimal(amount)


def test_an_unknown_currency_is_refused() -> None:
    refused = transfer(shop(), ANNA, BEN, "miles", Decimal(1), [], sent=Decimal(0), **WHY)

    assert isinstance(refused, Refusal)
    assert refused.reasons == ("unknown_currency",)


def test_a_maximum_is_claimed_without_the_fee() -> None:
    terms = {"fee": "5", "most": {"amount": "50", "window": {"type": "calendar", "unit": "month"}}}
    (claim,) = moved("20", terms=terms).claims

    assert (claim.counter, claim.limit, claim.amount) == ("limit/transfer:points/anna/2025-01-01", 50, 20)
    assert moved("20").claims == ()


def test_members_and_groups_have_counters_of_their_own() -> None:
    program = shop(currencies={"points": {"transfer": {"most": {"amount": "50"}}}})
    group = counter_of_transfers(program, Account("group", "anna"), "points", AT)

    assert group is not None
    assert group.name == "limit/group-transfer:points/anna/lifetime"
    assert counter_of_transfers(shop(), ANNA, "points", AT) is None


def test_the_new_lot_keeps_the_issue_and_the_present_last_day() -> None:
    intent = moved("60")
    issue = lot_of_transfer(intent, intent.draws[0], LOTS[1])

    assert (issue.promotion, issue.action, issue.event) == ("p", "earn", "T-2")
    assert (issue.key, issue.amount, issue.issue_on) == ("acme/E-1/transfer/points/1", 50, date(2025, 1, 15))
    assert (issue.expires_on, issue.claims, Account.of(issue)) == (date(2025, 2, 1), (), BEN)
