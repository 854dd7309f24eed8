"""Base values: numbers calculated by hand, reasons to skip, refusals. Source: semantics 3."""

from __future__ import annotations

from typing import Any, get_args

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.base_values import (
    BASES,
    BaseValue,
    Count,
    GapBefore,
    LineBase,
    LineItemExtendedField,
    LineItemValue,
    TransactionCustomField,
    TransactionExtendedField,
    TransactionValue,
    describe_base,
)
from rules.actions import ACTION, MONEY, SPEND, amount, problem_of, whole
from shop import earn, evaluate, fixed, issued, lines, program, proportional, sale

VISIT = {"type": "visit", "id": "V", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}}
GIFT = {"gift": {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": "1"}}}


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_base_has_a_row_in_the_table() -> None:
    assert set(BASES) == {*get_args(BaseValue), Count}


def test_an_activity_has_only_the_bases_of_fields_gaps_balances_and_awards() -> None:
    assert {base.type for base, policy in BASES.items() if not policy.needs_sale} == {
        "transaction_extended_field",
        "transaction_custom_field",
        "gap_before",
        "gap_after",
        "balance",
        "awarded",
        "count",
    }


def test_quantities_balances_and_awards_are_not_rounded() -> None:
    assert {base.type for base, policy in BASES.items() if not policy.is_rounded} == {
        "line_item_quantity",
        "balance",
        "awarded",
    }


@pytest.mark.parametrize(
    ("base", "paths"),
    [
        (TransactionValue(less=["tax", "tenders.card"]), ("tax", "tenders.card")),
        (TransactionExtendedField("fee"), ("extended_fields.fee",)),
        (TransactionCustomField("tip"), ("custom_fields.tip",)),
        (LineItemExtendedField("nights"), ("line:extended_fields.nights",)),
        (LineItemValue(), ()),
        (GapBefore("spend"), ()),
        (Count(), ()),
    ],
)
def test_a_base_reads_these_paths(base: Any, paths: tuple[str, ...]) -> None:
    assert BASES[type(base)].reads(base) == paths


@pytest.mark.parametrize("base", get_args(LineBase))
def test_a_base_over_lines_is_described_by_its_kind(base: Any) -> None:
    field = {"field": "nights"} if base is LineItemExtendedField else {}
    assert (
        describe_base(base(**field))
        == {
            "line_item_value": "line item value",
            "line_item_quantity": "line item quantity",
            "line_item_extended_field": "line item extended field of nights",
        }[base.type]
    )


# -- values ------------------------------------------------------------------------------------------------------------


def taxed(*taxes: str | None) -> list[dict]:
    """Return lines of 20 that carry these taxes; None is a line without."""
    return [
        {**line, "tax": tax} if tax is not None else line
        for line, tax in zip(lines(*["20"] * len(taxes)), taxes, strict=True)
    ]


VALUES: list[tuple[dict, dict, str]] = [
    (whole("transaction_value"), sale("120.50"), "120.5"),
    (whole("transaction_value", less=["tax"]), sale("120.50", tax="9.50"), "111"),
    (whole("transaction_value", less=["tip", "shipping"]), sale("120", tip="10", shipping="0.25", tax="5"), "109.75"),
    (whole("transaction_value", less=["tax"]), sale("120"), "120"),
    (
        whole("transaction_value", less=["tenders.card", "tax"]),
        sale("100", tax="1", tenders=[{"type": "card", "amount": "30"}, {"type": "gift", "amount": "70"}]),
        "69",
    ),
    (
        whole("transaction_value", less=["tenders.cash"]),
        sale("100", tenders=[{"type": "card", "amount": "100"}]),
        "100",
    ),
    (
        whole("transaction_value", less=["tenders.card"]),
        sale("100", tenders=[{"type": "card", "amount": "30"}, {"type": "card", "amount": "20"}]),
        "50",
    ),
    (  # change given: 20 less 2.62 were paid in cash
        whole("transaction_value", less=["tenders.cash"]),
        sale("20", tenders=[{"type": "cash", "amount": "20"}, {"type": "cash", "amount": "-2.62"}]),
        "2.62",
    ),
    (  # a part below zero counts as zero
        whole("transaction_value", less=["tenders.cash"]),
        sale("17", tenders=[{"type": "card", "amount": "20"}, {"type": "cash", "amount": "-3"}]),
        "17",
    ),
    # the tax of the lines, if all carry their own; else that of the bill
    (whole("transaction_value", less=["tax"]), sale("220", tax="99", lines=taxed("0", "20")), "200"),
    (whole("transaction_value", less=["tax"]), sale("220", lines=taxed("1.5", "20")), "198.5"),
    (whole("transaction_value", less=["tax"]), sale("220", tax="99", lines=taxed("0", "20", None)), "121"),
    (whole("transaction_value", less=["tax"]), sale("220", lines=taxed(None, "20")), "220"),
    (whole("transaction_value", less=["tax"]), sale("220", tax="99", lines=[]), "121"),
    (whole("transaction_custom_field", field="tip"), sale("1", custom_fields={"tip": "12.5"}), "12.5"),
    (whole("transaction_extended_field", field="fee"), sale("1", extended_fields={"fee": 7}), "7"),
    (whole("line_item_value"), sale("1", lines=lines("4.25", "5.75", "-1")), "9"),
    (whole("line_item_value", aggregate="each_line"), sale("1", lines=lines("4.25", "5.75", "-1")), "10"),
    (whole("line_item_value", lines={"field": "value", "at_least": 5}), sale("1", lines=lines("4.25", "5.75")), "5.75"),
    (
        whole("line_item_quantity"),
        sale("1", lines=[{"id": "1", "quantity": "2.5", "value": "9"}, {"id": "2", "quantity": "3", "value": "9"}]),
        "5.5",
    ),
    (  # a piece rung up and voided: 2 and −1
        whole("line_item_quantity"),
        sale("1", lines=[{"id": "1", "quantity": "2", "value": "9"}, {"id": "2", "quantity": "-1", "value": "-4.5"}]),
        "1",
    ),
    # a bill of exactly zero still earns on its lines
    (whole("line_item_value"), sale("0", lines=lines("4.25", "5.75")), "10"),
    (whole("line_item_value", lines={"field": "value", "at_least": 1}), sale("0", lines=lines("5", "-5")), "5"),
    (
        whole("line_item_extended_field", field="nights"),
        sale("1", lines=[{**lines("1")[0], "quantity": "3", "extended_fields": {"nights": "4"}}, lines("1", "2")[1]]),
        "4",
    ),
    (
        whole("line_item_extended_field", field="nights", lines={"field": "sku", "is": "ROOM"}),
        sale(
            "1",
            lines=[
                {**lines("1")[0], "sku": "ROOM", "extended_fields": {"nights": "4"}},
                {**lines("1", "2")[1], "sku": "CRIB", "extended_fields": {"nights": "2"}},
            ],
        ),
        "4",
    ),
]


@pytest.mark.parametrize(("proration", "event", "expected"), VALUES)
def test_a_base_has_the_value_calculated_by_hand(proration: dict, event: dict, expected: str) -> None:
    assert amount(program(earn(proration)), event) == expected


@pytest.mark.parametrize(
    ("base", "before", "bill", "expected"),
    [
        ("gap_before", "800", "1", "200"),
        ("gap_before", "999.999999", "1", "0.000001"),
        ("event_value", "800", "200.5", "200.5"),
        ("gap_after", "800", "100", "100"),
        ("gap_after", "0", "999.5", "0.5"),
        ("surplus", "800", "300", "100"),
        ("surplus", "1000", "300", "300"),
        ("surplus", "5000", "300", "300"),
    ],
)
def test_a_base_on_a_tracker_has_the_value_calculated_by_hand(base: str, before: str, bill: str, expected: str) -> None:
    document = program(earn(whole(base, tracker="spend")), trackers=SPEND)

    assert amount(document, sale(bill), {"trackers": {"spend": before}}) == expected


@pytest.mark.parametrize(
    ("proration", "event"),
    [
        (whole("transaction_value"), sale("-5")),
        (whole("transaction_value", less=["tip"]), sale("5", tip="5.01")),
        (whole("transaction_custom_field", field="tip"), sale("1", custom_fields={"tip": "-3"})),
        (whole("line_item_value"), sale("1", lines=lines("5", "-6"))),
        (whole("line_item_quantity"), sale("1", lines=[{"id": "1", "quantity": "-1", "value": "-9"}])),
        (whole("transaction_value", less=["tax"]), sale("10", lines=taxed("4", "6.01"))),
        # the lines of a bill below zero earn nothing, each by itself or in all
        (whole("line_item_value"), sale("-0.01", lines=lines("50", "-80"))),
        (whole("line_item_value", aggregate="each_line"), sale("-30", lines=lines("50", "-80"))),
        (whole("line_item_value", lines={"field": "value", "at_least": 0}), sale("-30", lines=lines("50", "-80"))),
        (whole("line_item_quantity"), sale("-30", lines=lines("50", "-80"))),
        (
            whole("line_item_extended_field", field="nights"),
            sale("-30", lines=[{**lines("50")[0], "extended_fields": {"nights": "4"}}]),
        ),
    ],
)
def test_a_base_is_never_below_zero(proration: dict, event: dict) -> None:
    [skip] = evaluate(program(earn(proration)), event)["skipped"]

    assert skip["reason"] == "zero_amount"


@pytest.mark.parametrize("bill", ["0", "-0.01"])
def test_a_tracker_counts_the_lines_of_a_bill_unless_it_is_below_zero(bill: str) -> None:
    trackers = {"spend": {"measure": {"type": "line_item_value"}, "target": "1000"}}
    event = sale(bill, lines=lines("50"))

    assert [each["value"] for each in evaluate(program(trackers=trackers), event)["intents"]] == (
        ["50"] if bill == "0" else []
    )


def test_the_tax_of_lines_is_in_the_currency_of_the_event() -> None:
    event = sale("220", currency="SEK", exchange_rate="0.5", lines=taxed("0", "20"))

    assert amount(program(earn(whole("transaction_value", less=["tax"])), **MONEY), event) == "100"


@pytest.mark.parametrize(("base", "before", "bill"), [("gap_before", "1000", "1"), ("gap_after", "900", "101"),
    ("gap_after", "900", "100"), ("surplus", "900", "100"), ("surplus", "0", "1")])  # fmt: skip
def test_a_base_on_a_tracker_is_never_below_zero(base: str, before: str, bill: str) -> None:
    document = program(earn(whole(base, tracker="spend")), trackers=SPEND)

    assert evaluate(document, sale(bill), {"trackers": {"spend": before}})["skipped"][0]["reason"] == "zero_amount"


@pytest.mark.parametrize(
    ("base", "event", "expected"),
    [
        ({"type": "transaction_value"}, sale("10", currency="SEK", exchange_rate="0.15"), "1.5"),
        (
            {"type": "transaction_value", "less": ["tax"]},
            sale("10", tax="2", currency="SEK", exchange_rate="2.5"),
            "20",
        ),
        ({"type": "line_item_value"}, sale("1", lines=lines("10", "4"), currency="SEK", exchange_rate="0.25"), "3.5"),
        ({"type": "transaction_value"}, sale("10", currency="USD", exchange_rate="3"), "10"),
        ({"type": "line_item_quantity"}, sale("1", lines=lines("10", "4"), currency="SEK"), "2"),
        ({"type": "event_value", "tracker": "spend"}, sale("10", currency="SEK", exchange_rate="0.5"), "5"),
    ],
)
def test_foreign_money_is_converted_to_the_money_of_the_program(base: dict, event: dict, expected: str) -> None:
    assert amount(program(earn(proportional("100", base)), trackers=SPEND, **MONEY), event) == expected


def test_awards_are_added_after_their_caps() -> None:
    """7 and 2.5, the first trimmed to 6 by its cap: 8.5. An action that issued nothing counts as zero."""
    document = program(
        earn(fixed("7"), "a", caps={"per_event": "6"}),
        earn(fixed("2.5"), "b"),
        earn(fixed("0"), "none"),
        earn(proportional("100", {"type": "awarded", "actions": ["p/a", "p/b", "p/none"]}), "all"),
    )

    assert [intent["amount"] for intent in issued(document, sale("1"))] == ["6", "2.5", "8.5"]


# -- reasons to skip ---------------------------------------------------------------------------------------------------

NIGHTS = {"type": "line_item_extended_field", "field": "nights"}
ONE_LINE = [{"id": "1", "quantity": "1", "value": "1"}, {"id": "2", "quantity": "1", "value": "1"}]


def with_nights(value: Any) -> list[dict]:
    return [ONE_LINE[0], {**ONE_LINE[1], "extended_fields": {"nights": value}}]


SKIPS: list[tuple[dict, dict, str, str]] = [
    (earn(whole("transaction_custom_field", field="tip")), sale("1"), "missing_field", "custom_fields.tip is absent"),
    (
        earn(whole("transaction_custom_field", field="tip")),
        sale("1", custom_fields={"tip": None}),
        "missing_field",
        "custom_fields.tip is absent",
    ),
    (
        earn(whole("transaction_custom_field", field="tip")),
        sale("1", custom_fields={"tip": "ten"}),
        "invalid_field",
        "custom_fields.tip is not a decimal: the text 'ten'",
    ),
    (
        earn(whole("transaction_extended_field", field="fee")),
        sale("1", custom_fields={"fee": "1"}),
        "missing_field",
        "extended_fields.fee is absent",
    ),
    (
        earn(whole("transaction_extended_field", field="fee")),
        sale("1", extended_fields={"fee": "ten"}),
        "invalid_field",
        "extended_fields.fee is not a decimal: the text 'ten'",
    ),
    (earn(whole("line_item_value")), sale("1"), "no_matching_lines", "no line is selected"),
    (
        earn(whole("line_item_quantity", lines={"field": "sku", "is": "MUG"})),
        sale("1", lines=ONE_LINE),
        "no_matching_lines",
        "no line is selected",
    ),
    (
        earn(proportional("1", NIGHTS)),
        sale("1", lines=ONE_LINE),
        "missing_field",
        "extended_fields.nights is absent from every selected line",
    ),
    (
        earn(proportional("1", NIGHTS)),
        sale("1", lines=with_nights("two")),
        "invalid_field",
        "lines[1].extended_fields.nights is not a decimal: the text 'two'",
    ),
    (
        {"type": "issue_coupon", "id": "earn", "coupon_type": "gift", "quantity": whole("gap_before", tracker="spend")},
        sale("1", member=None),
        "no_member",
        "a tracker belongs to a member, and the event is anonymous",
    ),
    (
        earn(whole("event_value", tracker="spend")),
        sale("1", currency="SEK"),
        "no_exchange_rate",
        "tracker spend counts money, and the event has no exchange_rate",
    ),
]


@pytest.mark.parametrize(("action", "event", "reason", "detail"), SKIPS)
def test_an_action_without_its_base_is_skipped(action: dict, event: dict, reason: str, detail: str) -> None:
    [skip] = evaluate(program(action, trackers=SPEND, coupon_types=GIFT, **MONEY), event)["skipped"]

    assert skip == {"promotion": "p", "action": "earn", "reason": reason, "detail": detail}


@pytest.mark.parametrize("base", ["transaction_value", "line_item_value"])
def test_an_activity_has_no_bill(base: str) -> None:
    promotion = {"id": "p", "trigger": "visit", "actions": [earn(whole(base))]}
    expected = {
        "transaction_value": ("missing_field", "amount is absent: an activity has none"),
        "line_item_value": ("no_matching_lines", "no line is selected"),
    }

    [skip] = evaluate(program(promotions=[promotion]), VISIT)["skipped"]
    assert (skip["reason"], skip["detail"]) == expected[base]


# -- refusals ----------------------------------------------------------------------------------------------------------

OF = f"{ACTION}.proration.of"
REFUSED: list[tuple[dict, str, str, str]] = [
    (
        earn(whole("transaction_value", less=["tax", "tax"])),
        f"{OF}.less",
        "duplicate",
        "each component is subtracted once, so name it once",
    ),
    (
        earn(whole("transaction_value", less=["vat"])),
        f"{OF}.less[0]",
        "not_a_choice",
        "expected tax, shipping, tip or tenders.TYPE; found the text 'vat'",
    ),
    (
        earn(whole("transaction_value", less=["tax", 5])),
        f"{OF}.less[1]",
        "not_a_choice",
        "expected tax, shipping, tip or tenders.TYPE; found the number 5",
    ),
    (
        earn(whole("transaction_value", less="tax")),
        f"{OF}.less",
        "not_a_list",
        "expected a list of components, found the text 'tax'",
    ),
    (
        earn(whole("awarded", actions=["earn"])),
        f"{OF}.actions[0]",
        "not_an_id",
        "expected \"PROMOTION/ACTION\", found the text 'earn'",
    ),
    (
        earn(whole("awarded", actions=["a/b/c"])),
        f"{OF}.actions[0]",
        "not_an_id",
        "expected \"PROMOTION/ACTION\", found the text 'a/b/c'",
    ),
    (
        earn(whole("awarded", actions="a/b")),
        f"{OF}.actions",
        "not_a_list",
        "expected a list of actions, found the text 'a/b'",
    ),
]


@pytest.mark.parametrize(("action", "path", "code", "message"), REFUSED)
def test_a_malformed_base_is_refused(action: dict, path: str, code: str, message: str) -> None:
    assert problem_of(program(action)) == (path, code, message)


def test_a_base_built_in_python_is_refused_by_the_name_of_the_argument() -> None:
    with pytest.raises(lr.InvalidValueError) as less:
        TransactionValue(less=("tax", "tax"))

    assert less.value.name == "less"


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"type": "transaction_value"}, "transaction value"),
        ({"type": "transaction_value", "less": ["tax", "tip"]}, "transaction value less tax, tip"),
        ({"type": "transaction_custom_field", "field": "tip"}, "transaction custom field of tip"),
        ({"type": "gap_before", "tracker": "spend"}, "gap before of spend"),
        ({"type": "awarded", "actions": ["p/a", "p/b"]}, "awards of p/a, p/b"),
    ],
)
def test_a_base_is_described_with_the_fields_that_it_reads(base: dict, words: str) -> None:
    actions = [earn(fixed("1"), "a"), earn(fixed("1"), "b"), earn(proportional("50", base), "c")]
    plan = lr.load_program(program(*actions, trackers=SPEND)).plan

    assert plan.describe().splitlines()[-1].startswith(f"  p/c: 50 % of {words} in points;")


# -- unit by unit ------------------------------------------------------------------------------------------------------


def by_unit(rounding: dict, *bought: tuple[str, str], percent: str = "1", **parts: Any) -> str:
    """The amount of 1 % of each unit; what is bought is a quantity and a value."""
    basket = [{"id": str(n), "quantity": quantity, "value": value} for n, (quantity, value) in enumerate(bought, 1)]
    base = {"type": "line_item_value", "aggregate": "each_unit", **parts}
    return amount(program(earn(proportional(percent, base), rounding=rounding)), sale("1", lines=basket))


@pytest.mark.parametrize(
    ("rounding", "bought", "expected"),
    [
        ({"currency": "down"}, [("10", "9400")], "90"),  # 9.4 a piece is 9, ten times
        ({"currency": "down"}, [("10", "9400"), ("2", "700")], "96"),  # and 3.5 a piece is 3, twice
        ({"currency": "down"}, [("2.5", "9400")], "94"),  # no whole number: one unit
        ({"currency": "down"}, [("0", "9400")], "94"),
        ({"currency": "down"}, [("-1", "9400"), ("1", "100")], "1"),
        ({"currency": "down"}, [("3", "-30"), ("1", "100")], "1"),
        ({"value": "up"}, [("3", "1000")], "10.02"),  # 333.33 a piece is 334
        ({}, [("3", "1000")], "10"),  # the exact fraction of a unit
        ({"currency": "up"}, [("3", "1000")], "12"),  # 3.33 a piece is 4
    ],
)
def test_one_unit_is_rounded_and_multiplied(rounding: dict, bought: list[tuple[str, str]], expected: str) -> None:
    assert by_unit(rounding, *bought) == expected


def test_a_fraction_of_many_units_is_rounded_at_the_sixth_decimal_after_the_sum() -> None:
    # 1 % of 0.00004 is 0.0000004: alone it would be 0, and twice it is 0.0000008.
    assert by_unit({}, ("3", "0.00004"), ("3", "0.00004"), percent="1") == "0.000001"


def test_units_are_counted_after_components_were_subtracted() -> None:
    base = {"type": "line_item_value", "aggregate": "each_unit", "less": ["tip"]}
    bought = [{"id": "1", "quantity": "4", "value": "50"}]
    document = program(earn(proportional("10", base), rounding={"currency": "down"}))
    assert amount(document, sale("50", tip="6", lines=bought)) == "4"  # 44 ÷ 4 is 11: 1.1 is 1


@pytest.mark.parametrize(
    "part",
    [
        {"trackers": {"t": {"measure": {"type": "line_item_value", "aggregate": "each_unit"}, "target": "1"}}},
        {
            "coupon_types": {
                "card": {
                    "benefit": {
                        "type": "stored_value",
                        "amount": {"type": "line_item_value", "aggregate": "each_unit"},
                    }
                }
            }
        },
        {
            "promotions": [
                {
                    "id": "p",
                    "when": {"base": {"type": "line_item_value", "aggregate": "each_unit"}, "at_least": "1"},
                    "actions": [],
                }
            ]
        },
    ],
)
def test_units_are_for_the_base_of_a_proration_alone(part: dict) -> None:
    path, code, _ = problem_of(program(**part))
    assert path.endswith(".aggregate")
    assert code == "misplaced"


def test_only_the_value_of_lines_has_units() -> None:
    base = {"type": "line_item_quantity", "aggregate": "each_unit"}
    assert problem_of(program(earn(proportional("1", base))))[:2] == (f"{OF}.aggregate", "not_a_choice")


# -- less on lines -----------------------------------------------------------------------------------------------------

GOODS = [
    {"id": "1", "quantity": "1", "value": "60", "category": "A"},
    {"id": "2", "quantity": "1", "value": "40", "category": "GIFT"},
]
NO_GIFT = {"not": {"field": "category", "is": "GIFT"}}


def test_a_selected_line_counts_less_its_own_part() -> None:
    base = whole("line_item_value", lines=NO_GIFT, less=["tenders.points"])
    paid = [{"type": "points", "amount": "50"}, {"type": "card", "amount": "50"}]
    assert amount(program(earn(base)), sale("100", tenders=paid, lines=GOODS)) == "30"


def test_components_are_in_the_currency_of_the_event() -> None:
    base = whole("line_item_value", less=["tip"])
    event = sale("100", tip="10", currency="EUR", exchange_rate="1.5", lines=GOODS)
    assert amount(program(earn(base), **MONEY), event) == "135"


def test_shares_weigh_lines_after_their_components() -> None:
    own = [{**GOODS[0], "tax": "50"}, {**GOODS[1], "tax": "0"}]
    base = whole("line_item_value", less=["tax"])
    [intent] = issued(program(earn(base)), sale("100", lines=own))
    assert [each["amount"] for each in intent["shares"]] == ["10", "40"]


def test_a_line_of_a_quantity_below_zero_weighs_nothing_in_shares() -> None:
    base = whole("line_item_value", aggregate="each_unit")
    bought = [{"id": "1", "quantity": "2", "value": "30"}, {"id": "2", "quantity": "-1", "value": "30"}]
    [intent] = issued(program(earn(base)), sale("100", lines=bought))
    assert [each["amount"] for each in intent["shares"]] == ["30", "0"]


# -- crossings and balances --------------------------------------------------------------------------------------------

STAMPS = {"spend": {"measure": {"type": "transaction_value"}, "target": "10", "repeats": True}}
OF_GROUP = {"spend": {**SPEND["spend"], "per": "member_group"}}


@pytest.mark.parametrize(
    ("base", "before", "bill", "expected"),
    [
        ("crossings", "8", "14", "2"),  # 10 and 20
        ("crossings", "8", "2", "1"),
        ("crossings", "10", "10", "1"),  # from one milestone to the next
        ("crossings", "-5", "25", "2"),  # 10 and 20
        ("gap_before", "8", "14", "2"),
        ("gap_before", "10", "1", "10"),  # to the next milestone
        ("gap_before", "-5", "1", "15"),  # milestones are positive
        ("gap_after", "8", "14", "8"),
        ("gap_after", "8", "2", "10"),
        ("surplus", "8", "14", "12"),
        ("event_value", "8", "14", "14"),
    ],
)
def test_a_base_on_a_tracker_that_repeats(base: str, before: str, bill: str, expected: str) -> None:
    document = program(earn(whole(base, tracker="spend")), trackers=STAMPS)
    assert amount(document, sale(bill), {"trackers": {"spend": before}}) == expected


@pytest.mark.parametrize(("before", "bill", "expected"), [("990", "10", "1"), ("10", "4000", "1")])
def test_a_tracker_that_does_not_repeat_is_crossed_once(before: str, bill: str, expected: str) -> None:
    document = program(earn(whole("crossings", tracker="spend")), trackers=SPEND)
    assert amount(document, sale(bill), {"trackers": {"spend": before}}) == expected


@pytest.mark.parametrize(("before", "bill"), [("0", "9"), ("1", "8.999999"), ("11", "0")])
def test_no_milestone_is_zero(before: str, bill: str) -> None:
    document = program(earn(whole("crossings", tracker="spend")), trackers=STAMPS)
    [skip] = evaluate(document, sale(bill), {"trackers": {"spend": before}})["skipped"]
    assert skip["reason"] == "zero_amount"


@pytest.mark.parametrize("base", ["gap_before", "event_value", "gap_after", "surplus", "crossings"])
def test_a_member_without_a_group_has_no_tracker_of_groups(base: str) -> None:
    document = program(earn(whole(base, tracker="spend")), trackers=OF_GROUP)
    [skip] = evaluate(document, sale("1"))["skipped"]
    assert skip["reason"] == "no_group"


def test_a_tracker_of_groups_counts_for_each_member() -> None:
    event = sale("100", member={"id": "M1", "group": "G1"})
    document = program(earn(whole("gap_before", tracker="spend")), trackers=OF_GROUP)
    assert amount(document, event, {"trackers": {"spend": "800"}}) == "200"


def balance_of(*actions: dict, before: str | None = "100", **parts: Any) -> list[str]:
    """The amounts of these actions in order."""
    snapshot = {"balances": {"points": before}} if before is not None else {}
    return [each["amount"] for each in issued(program(*actions, **parts), sale("50"), snapshot)]


BALANCE = whole("balance", currency="points")


def test_a_balance_is_that_of_the_snapshot() -> None:
    assert balance_of(earn(BALANCE)) == ["100"]
    assert balance_of(earn(BALANCE), before="0.5") == ["0.5"]


@pytest.mark.parametrize("before", ["0", "-20", None])
def test_a_balance_stops_at_zero(before: str | None) -> None:
    assert balance_of(earn(BALANCE), before=before) == []


def test_a_balance_has_what_earlier_actions_issued_at_once() -> None:
    # −20 and 50 issued is 30; then 30 more are 60.
    assert balance_of(earn(fixed("50"), "a"), earn(BALANCE, "b"), earn(BALANCE, "c"), before="-20") == [
        "50",
        "30",
        "60",
    ]


@pytest.mark.parametrize("timing", [{"type": "delayed"}, {"type": "external"}])
def test_a_promise_is_no_balance(timing: dict) -> None:
    assert balance_of(earn(fixed("50"), "a", timing=timing), earn(BALANCE)) == ["50", "100"]


def test_the_balance_is_that_of_the_member_alone() -> None:
    document = program(
        earn(fixed("50"), "a", recipient="member_group"),
        earn(fixed("9"), "b", currency="stars"),
        earn(BALANCE),
        currencies={"points": {}, "stars": {}},
    )
    event = sale("50", member={"id": "M1", "group": "G1"})
    assert [each["amount"] for each in issued(document, event, {"balances": {"points": "7"}})] == ["50", "9", "7"]


def test_a_balance_is_never_rounded() -> None:
    assert balance_of(earn(BALANCE, rounding={"value": "down"}), before="0.5") == ["0.5"]


def test_a_later_issue_is_not_in_the_balance() -> None:
    assert balance_of(earn(BALANCE), earn(fixed("50"), "later")) == ["100", "50"]


def test_an_anonymous_event_has_no_balance() -> None:
    coupons = {"type": "issue_coupon", "id": "c", "coupon_type": "gift", "quantity": BALANCE}
    [skip] = evaluate(program(coupons, coupon_types=GIFT), sale("1", member=None))["skipped"]
    assert (skip["reason"], skip["detail"]) == (
        "no_member",
        "an account belongs to a member, and the event is anonymous",
    )


def test_the_currency_of_a_balance_exists() -> None:
    base = whole("balance", currency="pints")
    assert problem_of(program(earn(base)))[:2] == (f"{OF}.currency", "unknown_reference")
