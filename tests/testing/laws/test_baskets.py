"""The laws on baskets: splitting a basket never earns more, and buying more never earns less."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.testing.laws.baskets import baskets, bill_in_words, joined
from loyalty_rules.testing.strategies.words import Words, words_of
from properties.examples import drawn
from shop import earn, fixed, lines, program, proportional, sale, stepped

from .proofs import COUPON, DOWN, GIFT, SPEND, UP, assert_broken, assert_kept, promoted, when

TWICE = {"type": "multiplier", "percent": "200"}

BROKEN: list[tuple[str, dict, dict, str]] = [
    (
        "splitting",
        promoted({"when": when("amount", at_least="25.25"), "actions": [earn(TWICE, rounding=UP)]}),
        {},
        "two receipts of 25.25 earn 2 points more than one of 50.50",
    ),
    (
        "splitting",
        program(earn(proportional("10"), rounding={"currency": "nearest"})),
        {},
        "two receipts of 5 earn 1 point more than one of 10",
    ),
    (
        "splitting",
        program(earn(stepped("10", "1"), caps={"per_event": "1"})),
        {},
        "two receipts of 10 earn 1 point more than one of 20",
    ),
    (
        "splitting",
        program({**COUPON, "quantity": stepped("10", "0.5")}, coupon_types=GIFT),
        {},
        "two receipts of 10 earn 1 coupon gift more than one of 20",
    ),
    (
        "more",
        promoted({"when": when("amount", less_than="10"), "actions": [earn(fixed("5"))]}),
        {},
        "a receipt of … earns 5 points less than one of … that is part of it",
    ),
    (
        "more",
        program(earn(proportional("100", {"type": "gap_after", "tracker": "spend"})), trackers=SPEND),
        {},
        "a receipt of 2 earns 1 point less than one of 1 that is part of it",
    ),
]

KEPT: list[tuple[str, dict, dict]] = [
    ("splitting", program(earn(proportional("10"), rounding={"value": "down", "currency": "down"})), {}),
    ("splitting", program(earn(fixed("50"))), {}),
    (
        "splitting",
        program(earn(fixed("5"), "a"), earn(proportional("100", {"type": "awarded", "actions": ["p/a"]}), "b")),
        {},
    ),
    ("splitting", program(earn(proportional("10"), rounding=UP)), {"apart_from": ["p"]}),
    (
        "splitting",
        program(
            earn(stepped("10", "1"), caps={"per_event": "1"}),
            limits={
                "a-day": {
                    "currency": "points",
                    "per": "member",
                    "amount": "1",
                    "window": {"type": "calendar", "unit": "day"},
                }
            },
        ),
        {},
    ),
    (
        "splitting",
        promoted(
            {"actions": [earn(proportional("100"), rounding=DOWN)]},
            {"actions": [earn(proportional("10"))]},
            limits={"cap": {"currency": "points", "per": "member", "amount": "50"}},
        ),
        {"apart_from": ["p0/earn"]},
    ),
    ("more", promoted({"when": when("amount", at_least="10"), "actions": [earn(fixed("5"))]}), {}),
    ("more", program(earn(proportional("10", {"type": "transaction_value", "less": ["tenders.card"]}))), {}),
    (
        "more",  # the base uses up the limit of the bonus
        promoted(
            {"actions": [earn(proportional("100"))]},
            {"actions": [earn(fixed("5"))]},
            limits={"cap": {"currency": "points", "per": "member", "amount": "50"}},
        ),
        {"apart_from": ["p0"]},
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("law", "document", "expectations", "sentence"), BROKEN)
def test_a_program_that_breaks_a_law_has_a_counterexample_of_at_most_two_receipts(
    law: str, document: dict, expectations: dict, sentence: str
) -> None:
    assert_broken(law, document, expectations, sentence)


@pytest.mark.slow
@pytest.mark.parametrize(("law", "document", "expectations"), KEPT)
def test_a_program_that_keeps_the_law_has_no_counterexample(law: str, document: dict, expectations: dict) -> None:
    assert_kept(law, document, expectations)


# -- a basket in two parts -------------------------------------------------------------------------------------------


def test_the_amounts_of_two_sales_are_added() -> None:
    one, other = sale("10.50", tax="0.5", shipping="3"), sale("0.25", tax="1")

    whole = joined(one, other, Words())

    assert (whole["id"], whole["amount"], whole["tax"], whole["shipping"]) == ("T3", "10.75", "1.5", "3")


def test_the_lines_of_two_sales_are_numbered_anew() -> None:
    whole = joined(sale("3", lines=lines("1", "2")), sale("4", lines=lines("4")), Words())

    assert [(line["id"], line["value"]) for line in whole["lines"]] == [("1", "1"), ("2", "2"), ("3", "4")]


def test_the_tenders_of_two_sales_are_concatenated() -> None:
    card, cash = {"type": "card", "amount": "1"}, {"type": "cash", "amount": "2"}

    assert joined(sale("1", tenders=[card]), sale("2", tenders=[cash]), Words())["tenders"] == [card, cash]


def test_a_field_is_added_only_if_the_program_reads_it_as_a_number() -> None:
    one, other = sale("1", custom_fields={"tip": "2", "room": "7"}), sale("1", custom_fields={"tip": "3", "room": "8"})

    assert joined(one, other, Words(fields={"custom_fields.tip"}))["custom_fields"] == {"tip": "5", "room": "7"}


@pytest.mark.parametrize(
    ("amount", "text"), [("5", "5"), ("5.10", "5.10"), ("1234.5", "1234.50"), ("0.000001", "0.000001")]
)
def test_a_bill_in_a_sentence_has_cents_unless_it_is_whole(amount: str, text: str) -> None:
    assert bill_in_words(sale(amount)) == text


def test_both_parts_of_a_basket_have_one_member_one_instant_and_one_store() -> None:
    document = program(
        promotions=[{"id": "p", "when": when("store", **{"is": "S1"}), "actions": [earn(proportional("10"))]}]
    )
    words = words_of(lr.load_program(document))

    pairs: list[tuple[Any, Any]] = drawn(baskets(words, most=Decimal(20)), 100)
    for one, other in pairs:
        shared = [(part["occurred_at"], part["member"], part.get("store")) for part in (one, other)]
        assert shared[0] == shared[1]
        assert (one["id"], other["id"]) == ("T1", "T2")
    assert any(one["amount"] != other["amount"] for one, other in pairs)
    assert any(one["amount"] == other["amount"] for one, other in pairs)
