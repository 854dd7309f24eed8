"""Ids, names, texts, lists, objects and free-form fields. Source: documents (scalars)."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

import pytest

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.values.amounts import UnreadNumber, read_decimal
from loyalty_rules.values.identifiers import (
    list_schema,
    mapping_schema,
    read_free_form,
    read_id,
    read_list,
    read_mapping,
    read_name,
    read_names,
    read_text,
)


def refusal(read: Any, *arguments: Any) -> tuple[str, str]:
    """Return the name and the code of the error of a reader."""
    with pytest.raises(InvalidValueError) as caught:
        read(*arguments)
    return caught.value.name, caught.value.code


@pytest.mark.parametrize("value", ["a", "x" * 64, "A-b_c.9"])
def test_an_id_has_letters_digits_dots_underscores_and_hyphens(value: str) -> None:
    assert read_id(value) == value


@pytest.mark.parametrize("value", ["", "x" * 65, "a b", "a/b", "é", "a\n", 5, None, b"a"])
def test_a_value_that_is_not_an_id_is_refused(value: Any) -> None:
    assert refusal(read_id, value) == ("", "not_an_id")


@pytest.mark.parametrize("value", ["x", "x" * 128, "Zoë 小票 🧾", "a/b"])
def test_a_name_has_printable_characters(value: str) -> None:
    assert read_name(value) == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (5, "not_a_text"),
        ("", "out_of_range"),
        ("x" * 129, "out_of_range"),
        (" x", "not_a_name"),
        ("x ", "not_a_name"),
        ("a\tb", "not_a_name"),
        ("a\u200bb", "not_a_name"),
    ],
)
def test_a_value_that_is_not_a_name_is_refused(value: Any, code: str) -> None:
    assert refusal(read_name, value) == ("", code)


@pytest.mark.parametrize("value", ["", " ", "a\nb", "x" * 10_000])
def test_a_text_may_have_any_characters(value: str) -> None:
    assert read_text(value) == value


@pytest.mark.parametrize(
    ("value", "code"), [(None, "not_a_text"), ("x" * 10_001, "out_of_range"), ("a\ud800", "not_a_text")]
)
def test_a_value_that_is_not_a_text_is_refused(value: Any, code: str) -> None:
    assert refusal(read_text, value) == ("", code)


def test_a_list_is_kept_as_a_tuple() -> None:
    assert read_names(["a", "b"]) == ("a", "b")
    assert read_names(("a",)) == ("a",)
    assert read_names([]) == ()


def test_an_error_in_a_list_names_the_first_position_and_keeps_the_others() -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_list(["a", "", 5], read_name, "names")
    assert (caught.value.name, caught.value.code) == ("[1]", "out_of_range")
    assert [(other.name, other.code) for other in caught.value.others] == [("[2]", "not_a_text")]


@pytest.mark.parametrize(
    ("value", "code"),
    [("ab", "not_a_list"), ({"a"}, "not_a_list"), (None, "not_a_list"), (["a"] * 10_001, "out_of_range")],
)
def test_a_value_that_is_not_a_list_is_refused(value: Any, code: str) -> None:
    assert refusal(read_list, value, read_name, "names") == ("", code)


def test_an_object_is_copied_with_its_keys_and_values_read() -> None:
    given = {"a": "1.0"}
    read = read_mapping(given, read_decimal, "numbers")
    given["b"] = "2"
    assert read == {"a": Decimal("1.0")}


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ([], ("", "not_an_object")),
        ({"a": "x"}, ("a", "not_a_decimal")),
        ({"a b": "x"}, ("['a b']", "not_a_decimal")),
        ({5: "1"}, ("[the number 5]", "not_a_text")),
        ({str(number): "1" for number in range(4)}, ("", "out_of_range")),
    ],
)
def test_an_invalid_object_is_refused(value: Any, refused: tuple[str, str]) -> None:
    assert refusal(read_mapping, value, read_decimal, "numbers", read_text, 3) == refused


def test_the_schemas_of_lists_and_objects_have_the_limits_of_their_readers() -> None:
    assert list_schema({"type": "string"}, uniqueItems=True) == {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": 10_000,
        "uniqueItems": True,
    }
    assert mapping_schema({"type": "string"}, read_name) == {
        "type": "object",
        "propertyNames": {"$ref": read_name},
        "additionalProperties": {"type": "string"},
        "maxProperties": 10_000,
    }


# -- free-form fields ------------------------------------------------------------------------------------------------


class NoOffset(tzinfo):
    def utcoffset(self, _: datetime | None) -> Any:
        raise OverflowError


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (0.5, 0.5),
        ("é", "é"),
        (Decimal("1.50"), Decimal("1.50")),
        (Decimal("1E-9"), 1e-9),  # outside the limits of a decimal: a float, which no action accepts
        (UnreadNumber("1e20"), 1e20),
        (10**200, 10**200),
        (date(2025, 1, 15), "2025-01-15"),
        (datetime(2025, 1, 15, 10, tzinfo=UTC), "2025-01-15T10:00:00+00:00"),
        ((1, [2]), [1, [2]]),
        ({"a": {"b": ()}}, {"a": {"b": []}}),
    ],
)
def test_free_form_fields_have_any_json_value(value: Any, kept: Any) -> None:
    copied = read_free_form({"x": value})["x"]
    assert copied == kept
    assert type(copied) is type(kept)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        (UnreadNumber("1e999"), "out_of_range"),
        pytest.param(1 << 20_000, "out_of_range", id="a number that no float can represent"),
        ({5: 1}, "not_a_text"),
        (b"x", "not_json"),
        ({1}, "not_json"),
        (datetime(2025, 1, 15, tzinfo=NoOffset()), "not_json"),
        ([0] * 10_000, "too_large"),
    ],
)
def test_a_value_that_is_not_json_is_refused(value: Any, code: str) -> None:
    assert refusal(read_free_form, {"x": value}) == ("", code)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_free_form_fields_are_at_most_32_levels_deep() -> None:
    assert read_free_form({"x": nested(31)}) == {"x": nested(31)}
    assert refusal(read_free_form, {"x": nested(32)}) == ("", "too_large")


def test_free_form_fields_are_copied() -> None:
    given: dict[str, Any] = {"a": [1]}
    copied = read_free_form(given)
    given["a"].append(2)
    assert copied == {"a": [1]}


def test_free_form_fields_are_an_object() -> None:
    assert refusal(read_free_form, [1]) == ("", "not_an_object")
