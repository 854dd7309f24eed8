"""The rest of a sale after returns, worked out by hand. Source: semantics 11."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import strategies as st

import loyalty_rules as lr
from benchmarks.effort import instructions
from loyalty_rules.events import Return, Transaction
from loyalty_rules.lifecycle import remainder, remaining_sale
from loyalty_rules.lifecycle.remainder import wrong_parts
from shop import lines, sale

from .laws import holds, is_broken


def sold(amount: Any = "100", *basket: dict, **parts: Any) -> Transaction:
    """Return a sale of these lines."""
    event = lr.load_event(sale(amount, lines=list(basket), **parts))
    assert isinstance(event, Transaction)
    return event


def back(amount: Any = "0", *goods: dict, **parts: Any) -> Return:
    """Return a return of these lines."""
    document = {"type": "return", "id": "R", "occurred_at": "2025-01-20T10:00:00Z", "of": "T-1", "amount": amount}
    event = lr.load_event({**document, "lines": list(goods), **parts})
    assert isinstance(event, Return)
    return event


def rest(event: Transaction, *returns: Return, fields: tuple[str, ...] = ()) -> dict:
    """Return the rest of a sale as a document; the sale must not have come back wholly."""
    remaining = remaining_sale(event, returns, fields)
    assert remaining is not None
    return lr.dump(remaining)


def row(quantity: Any, **parts: Any) -> dict:
    """Return goods of line 1."""
    return {"id": "1", "quantity": quantity, **parts}


def line(quantity: Any = "1", value: Any = "20", **parts: Any) -> dict:
    """Return a line of id 1."""
    return {"id": "1", "quantity": quantity, "value": value, **parts}


def values(document: dict) -> list[str]:
    """Return the values of the lines of a document."""
    return [str(each["value"]) for each in document["lines"]]


# -- lines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "quantity", "value"),
    [
        (["1"], "2", "6.666667"),  # 10 less 3.333333
        (["1", "1"], "1", "3.333333"),  # 10 less 6.666667: added up first, rounded once
        (["0.5", "0.5"], "2", "6.666667"),
        (["2.999999"], "0.000001", "0.000003"),  # 10 less 9.999996667
    ],
)
def test_thirds_add_up(pieces: list[str], quantity: str, value: str) -> None:
    (left,) = rest(sold("10", line("3", "10")), *(back("0", row(each)) for each in pieces))["lines"]

    assert (left["quantity"], left["value"]) == (quantity, value)


def test_a_price_adjustment_takes_value_and_no_goods() -> None:
    (left,) = rest(sold("20", line("2")), back("5", row("0", amount="5")))["lines"]

    assert (left["quantity"], left["value"]) == ("2", "15")


def test_a_piece_after_a_price_adjustment_gives_back_its_half_of_the_value_when_bought() -> None:
    """5 on two pieces for 20, then one piece: 5, then 10."""
    event = sold("30", line("2"), {"id": "2", "quantity": "1", "value": "10"})
    adjustment, piece = back("5", row("0", amount="5")), back("10", row("1"))

    assert values(rest(event, adjustment)) == ["15", "10"]
    assert values(rest(event, adjustment, piece)) == ["5", "10"]


def test_a_line_gives_back_at_most_its_value() -> None:
    """5 for the price and twice 10 for the pieces are 25 of 20: the line is gone."""
    event = sold("30", line("2"), {"id": "2", "quantity": "1", "value": "10"})

    assert values(rest(event, back("5", row("0", amount="5")), back("20", row("2")))) == ["10"]


def test_an_amount_replaces_the_part_of_the_quantity() -> None:
    """Shoes of 100 fully back for 83.33, since a discount line stays: 16.67 of their value stays too."""
    event = sold("100", line("1", "100"), {"id": "2", "quantity": "1", "value": "20"},
                 {"id": "3", "quantity": "1", "value": "-20"})  # fmt: skip
    left = rest(event, back("83.33", row("1", amount="83.33")))["lines"][0]

    assert (left["quantity"], left["value"]) == ("0", "16.67")


def test_several_rows_of_one_line_are_added() -> None:
    (left,) = rest(sold("40", line("4", "40")), back("20", row("1"), row("1", amount="3")))["lines"]

    assert (left["quantity"], left["value"]) == ("2", "27")


def test_a_line_without_quantity_and_value_is_gone() -> None:
    event = sold("30", *lines("20", "10"))

    assert [each["id"] for each in rest(event, back("20", row("1")))["lines"]] == ["2"]


def test_a_free_line_stays_until_its_goods_are_back() -> None:
    event = sold("10", line("2", "0"), {"id": "2", "quantity": "1", "value": "10"})

    assert [each["quantity"] for each in rest(event, back("0", row("1")))["lines"]] == ["1", "1"]
    assert [each["quantity"] for each in rest(event, back("0", row("2")))["lines"]] == ["1"]


def test_the_value_of_a_line_with_a_unit_price_is_its_price_less_its_discount() -> None:
    """3 × 5 − 0.50 = 14.50; one of three takes 4.833333 of the value and 0.166667 of the discount."""
    mugs = {"id": "1", "quantity": "3", "unit_price": "5", "discount": "0.5"}
    (left,) = rest(sold("14.5", mugs), back("0", row("1")))["lines"]

    assert (left["value"], left["unit_price"], left["discount"]) == ("9.666667", "5", "0.333333")


def test_a_discount_comes_back_by_quantity_also_beside_an_amount() -> None:
    mugs = {"id": "1", "quantity": "2", "unit_price": "5", "discount": "1"}
    (left,) = rest(sold("9", mugs), back("2", row("1", amount="2")))["lines"]

    assert (left["value"], left["discount"]) == ("7", "0.5")


def test_other_lines_are_left_as_they_were() -> None:
    other = {"id": "2", "quantity": "1", "unit_price": "3", "sku": "PEN", "extended_fields": {"nights": "2"}}
    event = sold("30", line(), other)

    assert remaining_sale(event, [back("5", row("0.5"))], ["nights"]).lines[1] is event.lines[1]  # type: ignore[union-attr]


# -- number fields of lines ------------------------------------------------------------------------------------------

PIECES = line("3", "30", extended_fields={"points": "15", "nights": 6, "note": "blue"})


@pytest.mark.parametrize(
    ("goods", "points", "nights"),
    [
        (row("1"), "10", 6),  # three pieces worth 15 points, one back: 5
        (row("1", extended_fields={"points": "7"}), "8", 6),
        (row("0", extended_fields={"points": "7"}), "8", 6),
        (row("0", extended_fields={"points": "99"}), "0", 6),  # at most as the line had
        (row("1", extended_fields={"nights": "2"}), "10", "4"),
        (row("1", extended_fields={"points": "many"}), "10", 6),  # names no number
        (row("1", extended_fields={"note": "1"}), "10", 6),  # the line has none
    ],
)
def test_number_fields_come_back_with_the_goods_or_as_named(goods: dict, points: str, nights: Any) -> None:
    (left,) = rest(sold("30", PIECES), back("1", goods), fields=("points",))["lines"]

    assert left["extended_fields"] == {"points": points, "nights": nights, "note": "blue"}


def test_a_field_that_no_base_reads_stays_unless_a_return_names_it() -> None:
    (left,) = rest(sold("30", PIECES), back("1", row("1")))["lines"]

    assert left["extended_fields"] == {"points": "15", "nights": 6, "note": "blue"}


def test_named_fields_and_parts_of_several_returns_are_added() -> None:
    """15 less 5 for the first piece, less 4 as named for the second: 6."""
    returns = back("0", row("1")), back("0", row("1", extended_fields={"points": "4"}))
    (left,) = rest(sold("30", PIECES), *returns, fields=("points",))["lines"]

    assert left["extended_fields"]["points"] == "6"


# -- the parts of the bill -------------------------------------------------------------------------------------------

POSTED = {"shipping": "8", "tip": "4", "tax": "20", "tenders": [{"type": "card", "amount": "60"},
                                                               {"type": "gift", "amount": "40"}]}  # fmt: skip


def parts_of(document: dict) -> tuple[str, ...]:
    """Return amount, tax, postage and tip, and the tenders of a document."""
    tenders = [each["amount"] for each in document["tenders"]]
    return tuple(str(document[name]) for name in ("amount", "tax", "shipping", "tip")) + tuple(tenders)


@pytest.mark.parametrize(
    ("goods", "named", "left"),
    [
        # Without lines everything follows the amount, a quarter of the bill.
        ([], {}, ("75", "15", "6", "3", "45", "30")),
        # With lines postage and tip stay.
        ([row("1")], {}, ("75", "15", "8", "4", "45", "30")),
        # Each part may be named.
        ([], {"tax": "1"}, ("75", "19", "6", "3", "45", "30")),
        ([], {"shipping": "0"}, ("75", "15", "8", "3", "45", "30")),
        ([row("1")], {"shipping": "8", "tip": "1"}, ("75", "15", "0", "3", "45", "30")),
        # Tenders that are named are the whole list.
        ([], {"tenders": [{"type": "card", "amount": "25"}]}, ("75", "15", "6", "3", "35", "40")),
        ([row("1")], {"tenders": []}, ("75", "15", "8", "4", "60", "40")),
        # At most as the sale had them.
        ([], {"tax": "99", "shipping": "99", "tip": "99", "tenders": [{"type": "gift", "amount": "99"}]},
         ("75", "0", "0", "0", "60", "0")),
        ([], {"tenders": [{"type": "cheque", "amount": "25"}]}, ("75", "15", "6", "3", "60", "40")),
    ],
)  # fmt: skip
def test_a_quarter_of_the_bill_takes_these_parts(goods: list[dict], named: dict, left: tuple[str, ...]) -> None:
    event = sold("100", *lines("25", "75"), **POSTED)

    assert parts_of(rest(event, back("25", *goods, **named))) == left


def test_named_and_silent_returns_are_added_before_they_are_rounded() -> None:
    """Thirds of 100: tax 20 less 2 × 6.666667 is 6.666667; postage as named; 60 less two thirds is 20."""
    event = sold("99", **POSTED)
    first, second = back("33"), back("33", shipping="1")

    assert parts_of(rest(event, first, second)) == ("33", "6.666667", "4.333333", "1.333333", "20", "13.333333")


def test_a_part_that_the_sale_did_not_have_stays_absent() -> None:
    left = remaining_sale(sold("100"), [back("10", tax="5", shipping="5", tip="5")])

    assert left is not None
    assert (left.tax, left.shipping, left.tip, left.tenders) == (None, None, None, ())


def test_the_tenders_of_one_type_are_added_and_change_follows_the_amount() -> None:
    """Cash 20 and −2.62 are 17.38; half of the bill takes 8.69."""
    event = sold("17.38", tenders=[{"type": "cash", "amount": "20"}, {"type": "cash", "amount": "-2.62"}])

    assert rest(event, back("8.69"))["tenders"] == [{"type": "cash", "amount": "8.69"}]


def test_a_tender_below_zero_shrinks_towards_zero() -> None:
    event = sold("10", tenders=[{"type": "card", "amount": "13"}, {"type": "cash", "amount": "-3"}])

    assert [each["amount"] for each in rest(event, back("5"))["tenders"]] == ["6.5", "-1.5"]


def test_fields_of_the_sale_stay() -> None:
    event = sold("100", custom_fields={"tip": "10"}, extended_fields={"fee": 5})
    left = rest(event, back("50"))

    assert (left["custom_fields"], left["extended_fields"]) == ({"tip": "10"}, {"fee": 5})


# -- own tax of lines ------------------------------------------------------------------------------------------------

TAXED = [line("2", "24", tax="4"), {"id": "2", "quantity": "1", "value": "76", "tax": "0"}]


def taxes(document: dict) -> tuple[str, list[str | None]]:
    return document["tax"], [each.get("tax") for each in document["lines"]]


@pytest.mark.parametrize(
    ("returns", "tax", "of_lines"),
    [
        ([back("12", row("1"))], "2", ["2", "0"]),  # with the goods, not an eighth of the bill
        ([back("12", row("1"), tax="1")], "3", ["2", "0"]),  # the bill's as named
        ([back("50")], "2", ["2", "0"]),  # without lines by the amount, half of each line
        ([back("12", row("1")), back("25")], "1", ["1", "0"]),  # and together
        ([back("5", row("0", amount="5"))], "4", ["4", "0"]),  # a price adjustment leaves the tax
    ],
)
def test_the_tax_comes_back_with_the_lines_if_all_carry_their_own(
    returns: list[Return], tax: str, of_lines: list[str]
) -> None:
    assert taxes(rest(sold("100", *TAXED, tax="4"), *returns)) == (tax, of_lines)


def test_the_tax_comes_back_by_the_amount_if_a_line_carries_none() -> None:
    event = sold("100", TAXED[0], *lines("0", "76")[1:], tax="20")

    assert taxes(rest(event, back("25", row("1")))) == ("15", ["2", None])


# -- the whole sale --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "whole"),
    [
        ([back("109.99")], False),
        ([back("110")], True),
        ([back("60"), back("50")], True),
        ([back("100", row("2"), {"id": "2", "quantity": "1"})], True),  # all lines; the postage was kept
        ([back("100", row("1"), {"id": "2", "quantity": "1"})], False),
        ([back("50", row("2")), back("50", {"id": "2", "quantity": "1"})], True),
        ([back("0", row("0", amount="50"), {"id": "2", "quantity": "0", "amount": "50"})], False),  # value, no goods
        ([back("55"), back("50", row("1"), {"id": "2", "quantity": "0.5"})], True),  # half by amount, half by lines
        ([back("55"), back("50", row("1"), {"id": "2", "quantity": "0.499999"})], False),
    ],
)
def test_the_sale_is_back_with_its_amount_or_with_all_its_lines(returns: list[Return], whole: bool) -> None:
    event = sold("110", line("2", "50"), {"id": "2", "quantity": "1", "value": "50"}, shipping="10")

    assert (remaining_sale(event, returns) is None) == whole


EXCHANGE = {"id": "2", "quantity": "-1", "value": "-40"}


@pytest.mark.parametrize(
    ("event", "returns", "whole"),
    [
        # 50 − 40 = 10: the most that can come back is 50.
        (sold("10", line("1", "50"), EXCHANGE), [back("10", row("0.2"))], False),
        (sold("10", line("1", "50"), EXCHANGE), [back("10")], True),  # without lines: every line by 10 of 10
        (sold("10", line("1", "50"), EXCHANGE), [back("50")], True),
        (sold("10", line("1", "50"), EXCHANGE), [back("50", row("1"))], True),
        # The bill if it is more: 60 with a postage of 50 beside an exchange.
        (sold("60", line("1", "50"), EXCHANGE, shipping="50"), [back("50")], False),
        (sold("60", line("1", "50"), EXCHANGE, shipping="50"), [back("60")], True),
        # Of a bill of zero or less only the lines decide; without lines any return brings it back.
        (sold("0", line("1", "40"), EXCHANGE), [back("40", row("0.5"))], False),
        (sold("0", line("1", "40"), EXCHANGE), [back("0", row("1"))], True),
        (sold("0", line("1", "40"), EXCHANGE), [back("0")], True),
        (sold("-10", line("1", "30"), EXCHANGE), [back("0", row("1"))], True),
        (sold("-10", line("1", "30"), EXCHANGE), [back("5", row("0.5"))], False),
        (sold("-10", line("1", "30"), EXCHANGE), [back("5", row("0.5")), back("0")], True),
        (sold("-10"), [back("0")], True),
    ],
)
def test_an_exchange_is_back_with_its_lines(event: Transaction, returns: list[Return], whole: bool) -> None:
    assert (remaining_sale(event, returns) is None) == whole


def test_the_rest_of_an_exchange_may_be_below_zero() -> None:
    """50 − 40 = 10, of which half of the 50 comes back: 25 − 40 = −15."""
    left = rest(sold("10", line("2", "50"), EXCHANGE), back("25", row("1")))

    assert (left["amount"], values(left)) == ("-15", ["25", "-40"])


def test_a_line_below_zero_cannot_come_back() -> None:
    event = sold("10", line("1", "50"), EXCHANGE)

    assert wrong_parts(event, [back("0", {"id": "2", "quantity": "1"})]).keys() == {"more_than_bought"}
    assert values(rest(event, back("5"))) == ["25", "-40"]  # half of the bill, the exchange stays


# -- wrong parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "reasons"),
    [
        ([back("30", row("2"))], set()),
        ([back("20", row("1")), back("10", row("1"))], set()),
        ([back("10", {"id": "9", "quantity": "0"})], {"unknown_line"}),
        ([back("10", row("2.000001"))], {"more_than_bought"}),
        ([back("10", row("1"), row("1.5"))], {"more_than_bought"}),
        ([back("10", row("1.5")), back("10", row("1"))], {"more_than_bought"}),
        ([back("10", row("0", amount="20.01"))], {"more_than_bought"}),
        ([back("10", row("0", amount="15")), back("10", row("0", amount="6"))], {"more_than_bought"}),
        ([back("10", row("0", amount="15")), back("10", row("2"))], set()),  # only amounts that are named count
        ([back("30.01")], {"more_than_bought"}),
        ([back("20"), back("10.01")], {"more_than_bought"}),
        ([back("20"), back("10", row("2"))], set()),  # a return without lines never makes it more
        ([back("31", {"id": "9", "quantity": "1"}, row("3"))], {"unknown_line", "more_than_bought"}),
    ],
)
def test_a_return_is_limited_to_the_sale(returns: list[Return], reasons: set[str]) -> None:
    event = sold("30", line("2"), {"id": "2", "quantity": "1", "value": "10"})

    assert wrong_parts(event, returns).keys() == reasons


@pytest.mark.parametrize(
    ("event", "amount", "refused"),
    [
        (sold("10", line("1", "50"), EXCHANGE), "50", False),
        (sold("10", line("1", "50"), EXCHANGE), "50.01", True),
        (sold("0"), "50", False),  # of a bill of zero or less the lines alone decide
        (sold("-10"), "50", False),
        (sold("0.01"), "0.02", True),
    ],
)
def test_the_most_that_can_come_back_in_amount(event: Transaction, amount: str, refused: bool) -> None:
    assert ("more_than_bought" in wrong_parts(event, [back(amount)])) == refused


def test_a_reason_has_a_detail_that_names_the_line() -> None:
    event = sold("30", line("2"))

    assert wrong_parts(event, [back("40", row("3"), {"id": "7", "quantity": "1"})]) == {
        "more_than_bought": "more of line '1' comes back than was bought",
        "unknown_line": "the sale has no line '7'",
    }


def test_amounts_are_decimals() -> None:
    left = remaining_sale(sold("100", line("3", "10"), **POSTED), [back("1", row("1"))])

    assert left is not None
    assert all(
        isinstance(each, Decimal) for each in (left.amount, left.tax, left.lines[0].value, left.tenders[0].amount)
    )


# -- laws ------------------------------------------------------------------------------------------------------------

WHOLE = sold("110", line("3", "30", tax="5", extended_fields={"points": "15"}),
             {"id": "2", "quantity": "7", "value": "69", "tax": "0"}, **POSTED)  # fmt: skip
CENTS = st.one_of(st.none(), st.integers(0, 500).map(lambda cents: f"{cents / 100:.2f}"))


@st.composite
def any_return(draw: Any) -> Return:
    """A return of a few pieces of each line, with or without named parts."""
    goods = [
        {"id": each, "quantity": str(draw(st.integers(0, 2))), "amount": draw(CENTS)}
        for each in draw(st.lists(st.sampled_from("12"), max_size=2, unique=True))
    ]
    named = {name: draw(CENTS) for name in ("tax", "shipping", "tip")}
    tenders = draw(st.one_of(st.none(), st.just([{"type": "card", "amount": "3.333333"}])))
    return back(str(draw(st.integers(0, 30))), *goods, **named, tenders=tenders)


def numbers(document: dict) -> dict[str, Decimal]:
    """Return the numbers of a sale by their places."""
    found = {name: Decimal(document[name]) for name in ("amount", "tax", "shipping", "tip")}
    found |= {each["type"]: Decimal(each["amount"]) for each in document["tenders"]}
    for each in document["lines"]:
        found |= {f"{each['id']} {name}": Decimal(each[name]) for name in ("quantity", "value", "tax") if each[name]}
        found |= {f"{each['id']} {name}": Decimal(number) for name, number in each["extended_fields"].items()}
    return found


def the_order_of_returns_makes_no_difference(returns: list[Return], order: Any) -> None:
    shuffled = [*returns]
    order.shuffle(shuffled)
    assert remaining_sale(WHOLE, returns, ["points"]) == remaining_sale(WHOLE, shuffled, ["points"])


def test_the_order_of_returns_makes_no_difference_to_the_rest() -> None:
    holds(the_order_of_returns_makes_no_difference, st.lists(any_return(), max_size=4),
          st.randoms(use_true_random=False), tries=100)  # fmt: skip


def no_part_of_the_rest_grows_or_falls_below_zero(returns: list[Return]) -> None:
    before = numbers(lr.dump(WHOLE))
    for count in range(len(returns) + 1):
        if wrong_parts(WHOLE, returns[:count]):
            return
        remaining = remaining_sale(WHOLE, returns[:count], ["points"])
        if remaining is None:
            return
        after = numbers(lr.dump(remaining))
        assert all(0 <= number <= before[place] for place, number in after.items())
        before = {**before, **after}


def test_no_part_of_the_rest_grows_or_falls_below_zero() -> None:
    holds(no_part_of_the_rest_grows_or_falls_below_zero, st.lists(any_return(), max_size=4), tries=100)


def test_a_part_that_grows_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remainder, "_clamped", lambda back, _whole: -back)
    is_broken(no_part_of_the_rest_grows_or_falls_below_zero, st.lists(any_return(), max_size=4), tries=100)


# -- work ----------------------------------------------------------------------------------------------------------


def work_of(size: int) -> int:
    """Count the instructions for the rest of a sale of so many lines, half of each of which comes back."""
    event = sold(2 * size, *[{"id": f"{place}", "quantity": "2", "value": "2"} for place in range(size)])
    returned = back(size, *[{"id": f"{place}", "quantity": "1"} for place in range(size)])
    return instructions(lambda: (wrong_parts(event, [returned]), remaining_sale(event, [returned], ["points"]))).total()


def test_the_work_grows_with_the_number_of_lines_and_no_faster() -> None:
    """Four times as many lines take six times the work if each line looks for its rows among all."""
    assert work_of(160) < 4.2 * work_of(40)
