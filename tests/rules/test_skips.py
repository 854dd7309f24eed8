"""Skip reasons. Source: semantics 8, documents (evaluation)."""

from __future__ import annotations

import pytest

from loyalty_rules.rules.skips import REASONS, Skip
from rules.actions import DAY, whole
from shop import earn, evaluate, fixed, program, sale

FIELD = whole("transaction_custom_field", field="tip")
PAST = {"type": "fixed_date", "on": "2025-01-14"}


def promoted(**parts: object) -> dict:
    """A program of two exclusive promotions, of which the second has these parts."""
    promotions = [{"id": name, "exclusive": "g", "actions": [earn(fixed("1"))]} for name in ("first", "second")]
    return program(promotions=[promotions[0], {**promotions[1], **parts}])


CASES: list[tuple[str, dict, dict]] = [
    ("excluded_by", promoted(), sale()),
    (
        "not_enough",
        program({"type": "spend_currency", "id": "pay", "currency": "points", "amount": "5"}),
        sale(),
    ),
    ("no_member", program(earn(fixed("1"))), sale(member=None)),
    ("no_group", program(earn(fixed("1"), recipient="member_group")), sale()),
    ("same_member", program(earn(fixed("1"), recipient={"field": "member.id"})), sale()),
    ("missing_field", program(earn(FIELD)), sale()),
    ("invalid_field", program(earn(FIELD)), sale(custom_fields={"tip": "ten"})),
    ("no_matching_lines", program(earn(whole("line_item_value"))), sale()),
    ("no_exchange_rate", program(earn(whole("transaction_value")), money="USD"), sale(currency="SEK")),
    ("zero_amount", program(earn(fixed("0"))), sale()),
    ("already_expired", program(earn(fixed("1"), expiry=PAST)), sale()),
    ("cap_reached", program(earn(fixed("1"), caps={"per_event": "0"})), sale()),
]


@pytest.mark.parametrize(("reason", "document", "event"), CASES)
def test_an_action_is_skipped_for_this_reason(reason: str, document: dict, event: dict) -> None:
    evaluation = evaluate(document, event)

    assert [skip["reason"] for skip in evaluation["skipped"]] == [reason]


def test_every_reason_has_a_case() -> None:
    assert [reason for reason, _, _ in CASES] == list(REASONS)


def test_an_expiry_on_the_event_date_has_not_passed() -> None:
    document = program(earn(fixed("1"), expiry={"type": "event_date", "after": {"days": 0}}))

    assert evaluate(document, sale())["skipped"] == []
    assert evaluate(program(earn(fixed("1"), expiry={"type": "event_date", "after": DAY})), sale())["skipped"] == []


def test_a_skip_carries_its_reason_and_its_detail() -> None:
    skip = Skip("missing_field", "amount is absent")

    assert (skip.reason, skip.detail) == ("missing_field", "amount is absent")
    assert skip.args == ("missing_field", "amount is absent")
