"""Titles and descriptions of a schema."""

import pytest

from loyalty_rules.rules.windows import Lifetime
from loyalty_rules.schema.errors import UndeclaredSchemaError
from loyalty_rules.schema.wording import bullet_points, description_of, snake_case, title_of


@pytest.mark.parametrize(
    ("name", "snake", "title"),
    [
        ("CouponType", "coupon_type", "Coupon type"),
        ("Line", "line", "Line"),
        ("base_value", "base_value", "Base value"),
        ("condition on a line", "condition on a line", "Condition on a line"),
    ],
)
def test_a_name_becomes_a_definition_and_a_title(name: str, snake: str, title: str) -> None:
    assert snake_case(name) == snake
    assert title_of(name) == title


class Sale:
    """A sale, e.g. of a mug… or of two. It has
    lines.

    Source: semantics 1.
    """


class Rate:
    """A rate of 1.5 per cent."""


class Silent:
    pass


def test_the_description_is_the_first_sentence_of_the_docstring() -> None:
    assert description_of(Sale) == "A sale, e.g. of a mug… or of two."
    assert description_of(Rate) == "A rate of 1.5 per cent."


def test_a_class_without_a_docstring_is_an_error() -> None:
    with pytest.raises(UndeclaredSchemaError, match="Silent has no docstring"):
        description_of(Silent)


def test_each_class_is_one_bullet_point() -> None:
    assert bullet_points({"sale": Sale, "rate": Rate}).splitlines() == [
        "- `sale`: A sale, e.g. of a mug… or of two.",
        "- `rate`: A rate of 1.5 per cent.",
    ]
    assert bullet_points({"lifetime": Lifetime}).startswith("- `lifetime`: ")
