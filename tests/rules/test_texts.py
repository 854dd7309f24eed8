"""Texts of coupons by language, and the line of the till. Source: semantics 9."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.texts import Text, read_text_by_language, till_message, with_code

LAST = date(2025, 2, 14)
TITLES = {"pt": "Café", "en": "Coffee"}

MESSAGES: list[tuple[Text | None, Text | None, date | None, Text]] = [
    (None, None, None, "Coupon issued: NEXT"),
    ("{title}: {code}, through {expires_on}", "Coffee", LAST, "Coffee: NEXT, through 2025-02-14"),
    ("{title}|{expires_on}|", None, None, "||"),
    ("{ code }{{code}}{name}", "Coffee", LAST, "{ code }{NEXT}{name}"),
    ("{title}", "{code}", None, "{code}"),  # inserted values are not filled again
    ("{title}", TITLES, None, "Coffee"),  # the first language in sort order
    ({"pt": "{title}!", "fr": "{title}?"}, TITLES, None, {"pt": "Café!", "fr": "Coffee?"}),
    ({"pt": "{title}"}, "Coffee", None, {"pt": "Coffee"}),
]


@pytest.mark.parametrize(("template", "title", "expires_on", "expected"), MESSAGES)
def test_a_template_is_filled_once(
    template: Text | None, title: Text | None, expires_on: date | None, expected: Text
) -> None:
    assert till_message(template, "NEXT", title, expires_on) == expected


def test_a_message_gets_another_code_in_each_language() -> None:
    assert with_code("A1: A1", "A1", "B2") == "B2: B2"
    assert with_code({"en": "code A1", "pt": "código A1"}, "A1", "B2") == {"en": "code B2", "pt": "código B2"}


@pytest.mark.parametrize(
    ("value", "code"), [(5, "not_a_text"), ({}, "required"), ({"en": 5}, "not_a_text"), ({" ": "x"}, "not_a_name")]
)
def test_a_text_is_one_text_or_one_for_each_language(value: Any, code: str) -> None:
    with pytest.raises(lr.InvalidValueError) as raised:
        read_text_by_language(value)

    assert raised.value.code == code
