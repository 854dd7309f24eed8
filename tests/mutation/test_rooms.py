"""What the rooms of the arithmetic say at their edges: numbers by hand, and each refusal to the word."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.rules.base_values import TransactionValue
from loyalty_rules.rules.caps import Cap
from shop import earn, evaluate, fixed, issued, lines, program, proportional, sale, stepped

VISIT = {"type": "visit", "id": "V", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}}
GIFT = {"gift": {"serial_managed": False, "code": "GIFT", "benefit": {"type": "amount_off", "amount": "1"}}}
SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "1000"}}


def of(base: str, **parts: Any) -> dict:
    return proportional("100", {"type": base, **parts})


def amount(document: dict, event: dict, snapshot: dict | None = None) -> str:
    [intent] = issued(document, event, snapshot)
    return intent["amount"]


# -- bases -------------------------------------------------------------------------------------------------------------

BASES: list[tuple[dict, dict, str]] = [
    (of("transaction_value"), sale("120.50"), "120.5"),
    (of("transaction_value", less=["tax"]), sale("120.50", tax="9.50"), "111"),
    (of("transaction_value", less=["tip", "shipping"]), sale("120", tip="10", shipping="0.25", tax="5"), "109.75"),
    (of("transaction_value", less=["tax"]), sale("120"), "120"),
    (
        of("transaction_value", less=["tenders.card", "tax"]),
        sale("100", tax="1", tenders=[{"type": "card", "amount": "30"}, {"type": "gift", "amount": "70"}]),
        "69",
    ),
    (of("transaction_value", less=["tenders.cash"]), sale("100", tenders=[{"type": "card", "amount": "100"}]), "100"),
    (
        of("transaction_value", less=["tenders.card"]),
        sale("100", tenders=[{"type": "card", "amount": "30"}, {"type": "card", "amount": "20"}]),
        "50",
    ),
    (of("transaction_custom_field", field="tip"), sale("1", custom_fields={"tip": "12.5"}), "12.5"),
    (of("transaction_extended_field", field="fee"), sale("1", extended_fields={"fee": 7}), "7"),
    (of("line_item_value"), sale("1", lines=lines("4.25", "5.75", "-1")), "9"),
    (of("line_item_value", aggregate="each_line"), sale("1", lines=lines("4.25", "5.75", "-1")), "10"),
    (of("line_item_value", lines={"field": "value", "at_least": 5}), sale("1", lines=lines("4.25", "5.75")), "5.75"),
    (
        of("line_item_quantity"),
        sale("1", lines=[{"id": "1", "quantity": "2.5", "value": "9"}, {"id": "2", "quantity": "3", "value": "9"}]),
        "5.5",
    ),
    (
        of("line_item_extended_field", field="nights"),
        sale("1", lines=[{**lines("1")[0], "quantity": "3", "extended_fields": {"nights": "4"}}, lines("1", "2")[1]]),
        "4",
    ),
    (
        of("line_item_extended_field", field="nights", lines={"field": "sku", "is": "ROOM"}),
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


@pytest.mark.parametrize(("proration", "event", "by_hand"), BASES)
def test_a_base_is_what_it_is_by_hand(proration: dict, event: dict, by_hand: str) -> None:
    assert amount(program(earn(proration)), event) == by_hand


@pytest.mark.parametrize(
    ("base", "before", "bill", "by_hand"),
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
def test_a_base_on_a_tracker_is_what_it_is_by_hand(base: str, before: str, bill: str, by_hand: str) -> None:
    document = program(earn(of(base, tracker="spend")), trackers=SPEND)

    assert amount(document, sale(bill), {"trackers": {"spend": before}}) == by_hand


@pytest.mark.parametrize(
    ("proration", "event"),
    [
        (of("transaction_value"), sale("-5")),
        (of("transaction_value", less=["tip"]), sale("5", tip="5.01")),
        (of("transaction_custom_field", field="tip"), sale("1", custom_fields={"tip": "-3"})),
        (of("line_item_value"), sale("1", lines=lines("5", "-6"))),
    ],
)
def test_a_base_stops_at_zero(proration: dict, event: dict) -> None:
    [skip] = evaluate(program(earn(proration)), event)["skipped"]

    assert skip["reason"] == "zero_amount"


@pytest.mark.parametrize(("base", "before", "bill"), [("gap_before", "1000", "1"), ("gap_after", "900", "101"),
    ("gap_after", "900", "100"), ("surplus", "900", "100"), ("surplus", "0", "1")])  # fmt: skip
def test_a_base_on_a_tracker_stops_at_zero(base: str, before: str, bill: str) -> None:
    document = program(earn(of(base, tracker="spend")), trackers=SPEND)

    assert evaluate(document, sale(bill), {"trackers": {"spend": before}})["skipped"][0]["reason"] == "zero_amount"


MONEY = {"money": "USD"}


@pytest.mark.parametrize(
    ("base", "event", "by_hand"),
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
def test_money_of_elsewhere_is_turned_into_the_program_s(base: dict, event: dict, by_hand: str) -> None:
    assert amount(program(earn(proportional("100", base)), trackers=SPEND, **MONEY), event) == by_hand


def test_awards_are_added_as_they_were_issued() -> None:
    """7 and 2.5, the first trimmed to 6 by its cap: 8.5; what issued nothing counts as nothing."""
    document = program(
        earn(fixed("7"), "a", caps={"per_event": "6"}),
        earn(fixed("2.5"), "b"),
        earn(fixed("0"), "none"),
        earn(proportional("100", {"type": "awarded", "actions": ["p/a", "p/b", "p/none"]}), "all"),
    )

    assert [intent["amount"] for intent in issued(document, sale("1"))] == ["6", "2.5", "8.5"]


# -- why nothing is issued ---------------------------------------------------------------------------------------------

NIGHTS = {"type": "line_item_extended_field", "field": "nights"}
ONE_LINE = [{"id": "1", "quantity": "1", "value": "1"}, {"id": "2", "quantity": "1", "value": "1"}]


def with_nights(value: Any) -> list[dict]:
    return [ONE_LINE[0], {**ONE_LINE[1], "extended_fields": {"nights": value}}]


def expiring(**expiry: Any) -> dict:
    return earn(fixed("1"), expiry=expiry)


DAY = {"days": 1}
SKIPS: list[tuple[dict, dict, str, str]] = [
    (earn(of("transaction_custom_field", field="tip")), sale("1"), "missing_field", "custom_fields.tip is absent"),
    (
        earn(of("transaction_custom_field", field="tip")),
        sale("1", custom_fields={"tip": None}),
        "missing_field",
        "custom_fields.tip is absent",
    ),
    (
        earn(of("transaction_custom_field", field="tip")),
        sale("1", custom_fields={"tip": "ten"}),
        "invalid_field",
        "custom_fields.tip is not a decimal: the text 'ten'",
    ),
    (
        earn(of("transaction_extended_field", field="fee")),
        sale("1", custom_fields={"fee": "1"}),
        "missing_field",
        "extended_fields.fee is absent",
    ),
    (
        earn(of("transaction_extended_field", field="fee")),
        sale("1", extended_fields={"fee": "ten"}),
        "invalid_field",
        "extended_fields.fee is not a decimal: the text 'ten'",
    ),
    (earn(of("line_item_value")), sale("1"), "no_matching_lines", "no line is selected"),
    (
        earn(of("line_item_quantity", lines={"field": "sku", "is": "MUG"})),
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
        {"type": "issue_coupon", "id": "earn", "coupon_type": "gift", "quantity": of("gap_before", tracker="spend")},
        sale("1", member=None),
        "no_member",
        "a tracker belongs to a member, and the event is anonymous",
    ),
    (
        earn(of("event_value", tracker="spend")),
        sale("1", currency="SEK"),
        "no_exchange_rate",
        "tracker spend counts money, and the event has no exchange_rate",
    ),
    (expiring(type="registration_anniversary"), sale(), "missing_field", "member.registered_on is absent"),
    (
        expiring(type="customer_field", field="until"),
        sale(),
        "missing_field",
        "member.extended_fields.until is absent",
    ),
    (
        expiring(type="customer_field", field="until"),
        sale(member={"id": "M1", "extended_fields": {"until": "soon"}}),
        "invalid_field",
        "member.extended_fields.until is not a date: the text 'soon'",
    ),
    (expiring(type="transaction_field", field="until"), sale(), "missing_field", "extended_fields.until is absent"),
    (
        expiring(type="transaction_field", field="until"),
        sale(extended_fields={"until": "2025-02-29"}),
        "invalid_field",
        "extended_fields.until is not a date: the text '2025-02-29'",
    ),
    (
        expiring(type="fixed_date", on="9999-01-01"),
        sale(),
        "invalid_field",
        "the expiry 9999-01-01 lies outside 1970 to 9998",
    ),
    (
        expiring(type="transaction_field", field="until", after={"years": 90}),
        sale(extended_fields={"until": "9990-01-01"}),
        "invalid_field",
        "the expiry lies outside 1970 to 9998",
    ),
]


@pytest.mark.parametrize(("action", "event", "reason", "detail"), SKIPS)
def test_what_issues_nothing_says_why_to_the_word(action: dict, event: dict, reason: str, detail: str) -> None:
    [skip] = evaluate(program(action, trackers=SPEND, coupon_types=GIFT, **MONEY), event)["skipped"]

    assert skip == {"promotion": "p", "action": "earn", "reason": reason, "detail": detail}


@pytest.mark.parametrize("base", ["transaction_value", "line_item_value"])
def test_an_activity_has_no_bill(base: str) -> None:
    promotion = {"id": "p", "trigger": "visit", "actions": [earn(of(base))]}
    said = {
        "transaction_value": ("missing_field", "amount is absent: an activity has none"),
        "line_item_value": ("no_matching_lines", "no line is selected"),
    }

    [skip] = evaluate(program(promotions=[promotion]), VISIT)["skipped"]
    assert (skip["reason"], skip["detail"]) == said[base]


def test_a_coupon_for_nobody_can_not_live_by_a_member_s_date() -> None:
    gift = {**GIFT["gift"], "validity": {"expiry": {"type": "customer_field", "field": "until"}}}
    coupon = {"type": "issue_coupon", "id": "c", "coupon_type": "gift"}
    [skip] = evaluate(program(coupon, coupon_types={"gift": gift}), sale(member=None))["skipped"]

    assert (skip["reason"], skip["detail"]) == ("missing_field", "member.extended_fields.until is absent")


# -- what is refused ---------------------------------------------------------------------------------------------------


def problem_of(document: dict) -> tuple[str, str, str]:
    with pytest.raises(lr.DocumentError) as caught:
        lr.load_program(document)
    [problem] = caught.value.problems
    return problem.path, problem.code, problem.message


ACTION = "$.promotions[0].actions[0]"
OF = f"{ACTION}.proration.of"
REFUSED: list[tuple[dict, str, str, str]] = [
    (
        earn(of("transaction_value", less=["tax", "tax"])),
        f"{OF}.less",
        "duplicate",
        "each component is subtracted once, so name it once",
    ),
    (
        earn(of("transaction_value", less=["vat"])),
        f"{OF}.less[0]",
        "not_a_choice",
        "expected tax, shipping, tip or tenders.TYPE; found the text 'vat'",
    ),
    (
        earn(of("transaction_value", less=["tax", 5])),
        f"{OF}.less[1]",
        "not_a_choice",
        "expected tax, shipping, tip or tenders.TYPE; found the number 5",
    ),
    (
        earn(of("transaction_value", less="tax")),
        f"{OF}.less",
        "not_a_list",
        "expected a list of components, found the text 'tax'",
    ),
    (
        earn(of("awarded", actions=["earn"])),
        f"{OF}.actions[0]",
        "not_an_id",
        "expected \"PROMOTION/ACTION\", found the text 'earn'",
    ),
    (
        earn(of("awarded", actions=["a/b/c"])),
        f"{OF}.actions[0]",
        "not_an_id",
        "expected \"PROMOTION/ACTION\", found the text 'a/b/c'",
    ),
    (
        earn(of("awarded", actions="a/b")),
        f"{OF}.actions",
        "not_a_list",
        "expected a list of actions, found the text 'a/b'",
    ),
    (
        expiring(type="fixed_recurring", month=2, day=30),
        f"{ACTION}.expiry.day",
        "out_of_range",
        "month 2 has 29 days, found 30",
    ),
    (
        expiring(type="fixed_recurring", month=11, day=31),
        f"{ACTION}.expiry.day",
        "out_of_range",
        "month 11 has 30 days, found 31",
    ),
    (
        earn(fixed("1"), caps={"total": {"amount": "1", "times": 1}}),
        f"{ACTION}.caps.total",
        "required",
        "a cap has either an amount or times",
    ),
    (
        earn(fixed("1"), caps={"per_member": {}}),
        f"{ACTION}.caps.per_member",
        "required",
        "a cap has either an amount or times",
    ),
]


@pytest.mark.parametrize(("action", "path", "code", "message"), REFUSED)
def test_what_is_refused_is_told_to_the_word(action: dict, path: str, code: str, message: str) -> None:
    assert problem_of(program(action)) == (path, code, message)


@pytest.mark.parametrize(("month", "day", "key"), [(0, 1, "month"), (13, 1, "month"), (1, 0, "day"), (1, 32, "day")])
def test_no_month_and_no_day_lies_outside_the_calendar(month: int, day: int, key: str) -> None:
    path, code, message = problem_of(program(expiring(type="fixed_recurring", month=month, day=day)))

    assert (path, code) == (f"{ACTION}.expiry.{key}", "out_of_range")
    assert message.startswith(f"expected 1 to {12 if key == 'month' else 31}")


def test_what_is_built_in_python_is_refused_by_the_name_of_the_argument() -> None:
    with pytest.raises(lr.InvalidValueError) as cap:
        Cap()
    with pytest.raises(lr.InvalidValueError) as less:
        TransactionValue(less=("tax", "tax"))

    assert (cap.value.name, less.value.name) == ("", "less")


def limited(days: int) -> dict:
    window = {"type": "rolling", "days": days}
    return program(limits={"l": {"currency": "points", "per": "total", "amount": "1", "window": window}})


@pytest.mark.parametrize("days", [0, 36_501])
def test_a_rolling_window_has_a_length(days: int) -> None:
    assert problem_of(limited(days))[:2] == ("$.limits.l.window.days", "out_of_range")


@pytest.mark.parametrize("days", [1, 36_500])
def test_the_shortest_and_the_longest_rolling_window_are_taken(days: int) -> None:
    assert lr.load_program(limited(days)).limits[0].window.days == days  # type: ignore[union-attr]


# -- expiries ----------------------------------------------------------------------------------------------------------

LATER = {"type": "delayed", "days": 20}
EXPIRIES: list[tuple[dict, dict, str | None]] = [
    ({"type": "never"}, sale(), None),
    ({"type": "fixed_date", "on": "2025-01-15"}, sale(), "2025-01-15"),
    ({"type": "fixed_recurring", "month": 1, "day": 15}, sale(), "2026-01-15"),
    ({"type": "fixed_recurring", "month": 1, "day": 16}, sale(), "2025-01-16"),
    ({"type": "fixed_recurring", "month": 2, "day": 29}, sale(), "2025-02-28"),
    ({"type": "fixed_recurring", "month": 12, "day": 31}, sale(), "2025-12-31"),
    ({"type": "fixed_period", "after": {"months": 1}}, sale(), "2025-02-15"),
    ({"type": "event_date", "after": DAY}, sale(), "2025-01-16"),
    ({"type": "rolling", "after": {"years": 1, "weeks": 1}}, sale(), "2026-01-22"),
    ({"type": "registration_anniversary"}, sale(member={"id": "M1", "registered_on": "2023-06-10"}), "2025-06-10"),
    (
        {"type": "customer_field", "field": "until"},
        sale(member={"id": "M1", "extended_fields": {"until": "2025-02-01"}}),
        "2025-02-01",
    ),
    (
        {"type": "customer_field", "field": "until", "after": {"days": 30}},
        sale(member={"id": "M1", "extended_fields": {"until": "2025-02-01"}}),
        "2025-03-03",
    ),
    (
        {"type": "transaction_field", "field": "until", "after": DAY},
        sale(extended_fields={"until": "2025-02-28"}),
        "2025-03-01",
    ),
    ({"type": "fixed_date", "on": "9998-12-31"}, sale(), "9998-12-31"),
]


@pytest.mark.parametrize(("expiry", "event", "by_hand"), EXPIRIES)
def test_an_expiry_is_the_day_that_it_is_by_hand(expiry: dict, event: dict, by_hand: str | None) -> None:
    [intent] = issued(program(earn(fixed("1"), expiry=expiry)), event)

    assert intent["expires_on"] == by_hand


@pytest.mark.parametrize(("until", "reason"), [("1970-01-01", "already_expired"), ("1969-12-31", "invalid_field")])
def test_a_date_of_the_first_year_is_one_and_is_past(until: str, reason: str) -> None:
    action = earn(fixed("1"), expiry={"type": "customer_field", "field": "until"})
    event = sale(member={"id": "M1", "extended_fields": {"until": until}})

    assert [skip["reason"] for skip in evaluate(program(action), event)["skipped"]] == [reason]


@pytest.mark.parametrize("years", [1, 2])
def test_a_period_that_leaves_the_years_that_there_are_is_refused(years: int) -> None:
    """Into 9999, which is beyond the last one, and into 10000, which no date can hold."""
    action = earn(fixed("1"), expiry={"type": "fixed_period", "after": {"years": years}})
    event = sale(occurred_at="9998-06-01T12:00:00Z")

    assert [skip["reason"] for skip in evaluate(program(action), event)["skipped"]] == ["invalid_field"]


@pytest.mark.parametrize(
    ("expiry", "by_hand"),
    [
        ({"type": "fixed_period", "after": DAY}, "2025-02-05"),  # from 4 February, 20 days on
        ({"type": "fixed_recurring", "month": 2, "day": 4}, "2026-02-04"),
        ({"type": "registration_anniversary"}, "2025-02-05"),
        ({"type": "event_date", "after": {"days": 40}}, "2025-02-24"),  # from the sale
    ],
)
def test_of_a_promise_it_is_counted_from_the_issue_or_from_the_sale(expiry: dict, by_hand: str) -> None:
    member = {"id": "M1", "registered_on": "2020-02-05"}
    [intent] = issued(program(earn(fixed("1"), expiry=expiry, timing=LATER)), sale(member=member))

    assert intent["expires_on"] == by_hand


@pytest.mark.parametrize("kind", ["fixed_period", "fixed_recurring", "registration_anniversary"])
def test_where_the_issue_date_is_not_known_neither_is_what_counts_from_it(kind: str) -> None:
    parts = {"fixed_period": {"after": DAY}, "fixed_recurring": {"month": 1, "day": 1}, "registration_anniversary": {}}
    action = earn(fixed("1"), expiry={"type": kind, **parts[kind]}, timing={"type": "external"})

    assert issued(program(action), sale())[0]["expires_on"] is None


# -- prorations, shares, caps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proration", "bill", "by_hand"),
    [
        (fixed("12.345678"), "1", "12.345678"),
        (proportional("0.5"), "200", "1"),
        (proportional("100"), "0.000001", "0.000001"),
        (proportional("33.333333"), "3", "1"),  # 0.99999999, held half up to 6 decimals
        ({"type": "multiplier", "percent": "250"}, "50.2", "125.5"),
        (stepped("0.3", "1.5"), "1", "4.5"),  # three whole steps, and 0.1 over
        (stepped("0.25", "2"), "1", "8"),
    ],
)
def test_a_proration_is_what_it_is_by_hand(proration: dict, bill: str, by_hand: str) -> None:
    assert amount(program(earn(proration)), sale(bill)) == by_hand


@pytest.mark.parametrize(
    ("values", "points", "decimals", "by_hand"),
    [
        (["4300", "1400", "2300"], "299", 0, ["161", "52", "86"]),
        (["1", "1", "1"], "2", 0, ["1", "1", "0"]),  # ties: the earlier line
        (["1", "2", "2"], "1", 0, ["0", "1", "0"]),  # 0.2, 0.4, 0.4
        (["1", "3"], "2", 0, ["0", "2"]),  # 0.5 and 1.5: a tie, to the larger weight
        (["0", "0"], "3", 0, ["2", "1"]),  # nothing to go by: evenly
        (["0", "5"], "3", 0, ["0", "3"]),
        (["-5", "5", "5"], "3", 0, ["0", "2", "1"]),
        (["1", "1"], "1", 2, ["0.5", "0.5"]),
        (["1", "1"], "0.001", 0, ["0.001", "0"]),  # finer than the currency: by its own last digit
        (["1", "2"], "0.5", 0, ["0.2", "0.3"]),  # 0.1666…, 0.3333… in tenths: 1 and 3, one left to 0.666…
    ],
)
def test_shares_are_what_they_are_by_hand(values: list[str], points: str, decimals: int, by_hand: list[str]) -> None:
    document = program(earn(fixed(points)), currencies={"points": {"decimals": decimals}})
    [intent] = issued(document, sale("1", lines=lines(*values)))

    assert [share["amount"] for share in intent["shares"]] == by_hand


# -- caps --------------------------------------------------------------------------------------------------------------

COUNTED = {"issued": {"p/earn": {"member": {"amount": "450", "times": 9}, "total": {"amount": "900", "times": 20}}}}
CAPS: list[tuple[dict, str | None, str]] = [
    ({"per_event": "60"}, "60", ""),
    ({"per_event": "100.5"}, "100", ""),
    ({"per_event": "0"}, None, "the cap of 0 per event is used up"),
    ({"per_member": {"amount": "500"}}, "50", ""),
    ({"per_member": {"amount": "550"}}, "100", ""),
    ({"per_member": {"amount": "450"}}, None, "the member's cap of 450 is used up"),
    ({"per_member": {"amount": "450.000001"}}, "0.000001", ""),
    ({"per_member": {"times": 9}}, None, "the member's cap of 9 times is used up"),
    ({"per_member": {"times": 10}}, "100", ""),
    ({"total": {"amount": "907.5"}}, "7.5", ""),
    ({"total": {"amount": "800"}}, None, "the total cap of 800 is used up"),
    ({"total": {"times": 20}}, None, "the total cap of 20 times is used up"),
    ({"total": {"times": 21}}, "100", ""),
    ({"per_event": "60", "per_member": {"amount": "490"}, "total": {"amount": "930"}}, "30", ""),
]


@pytest.mark.parametrize(("caps", "by_hand", "detail"), CAPS)
def test_a_cap_leaves_what_it_leaves_by_hand(caps: dict, by_hand: str | None, detail: str) -> None:
    evaluation = evaluate(program(earn(fixed("100"), caps=caps)), sale(), COUNTED)

    assert [intent["amount"] for intent in evaluation["intents"]] == ([by_hand] if by_hand is not None else [])
    assert [(skip["reason"], skip["detail"]) for skip in evaluation["skipped"]] == (
        [] if by_hand is not None else [("cap_reached", detail)]
    )


def limit(per: str, amount: str = "150") -> dict:
    return {"currency": "points", "per": per, "amount": amount}


@pytest.mark.parametrize(
    ("limits", "store", "by_hand"),
    [
        ({"l": limit("member")}, None, ["100", "20"]),  # 30 of 150 are gone
        ({"l": limit("total")}, None, ["100", "20"]),
        ({"l": limit("store")}, "S1", ["100", "20"]),
        ({"l": limit("store")}, None, ["100", "100"]),  # binds no event without a store
        ({"l": limit("member"), "m": limit("total", "105")}, None, ["100", "5"]),
        ({"m": limit("total", "105"), "l": limit("member")}, None, ["100", "5"]),
        ({"l": limit("member", "130")}, None, ["100"]),
    ],
)
def test_a_limit_counts_what_this_evaluation_has_issued(limits: dict, store: str | None, by_hand: list[str]) -> None:
    document = program(earn(fixed("100"), "a"), earn(fixed("100"), "b"), limits=limits)
    evaluation = evaluate(document, sale(store=store), {"limits": {"l": "30"}})

    assert [intent["amount"] for intent in evaluation["intents"]] == by_hand


def test_a_limit_that_leaves_nothing_is_named() -> None:
    [skip] = evaluate(program(earn(fixed("1")), limits={"l": limit("member")}), sale(), {"limits": {"l": "150"}})[
        "skipped"
    ]

    assert (skip["reason"], skip["detail"]) == ("cap_reached", "the limit l of 150 is used up")


def test_another_currency_s_limit_does_not_bind() -> None:
    document = program(
        earn(fixed("100")),
        currencies={"points": {}, "stars": {}},
        limits={"l": {**limit("member", "5"), "currency": "stars"}},
    )

    assert amount(document, sale()) == "100"


def test_an_issue_claims_what_it_draws_on_in_order() -> None:
    day = {"type": "calendar", "unit": "day"}
    document = program(
        earn(
            fixed("100"),
            caps={"per_member": {"amount": "500", "window": day}, "total": {"times": 30}, "per_event": "80"},
        ),
        limits={"l": {**limit("member"), "window": {"type": "rolling", "days": 7}}, "s": limit("store")},
    )
    [intent] = issued(document, sale(), {"limits": {"l": "100"}})

    assert intent["amount"] == "50"
    assert intent["claims"] == [
        {"counter": "p/earn/member/M1/2025-01-15", "limit": "500", "amount": "50"},
        {"counter": "p/earn/total/lifetime/times", "limit": "30", "amount": "1"},
        {
            "counter": "limit/l/M1/rolling",
            "limit": "150",
            "amount": "50",
            "from": "2025-01-09",
            "to": "2025-01-15",
        },
    ]


def test_shares_follow_the_lines_that_were_selected() -> None:
    """10 % of 10 and 25 is 3.5, rounded up 4: 1.14… and 2.86… of it; the third line is not selected."""
    base = {"type": "line_item_value", "lines": {"field": "value", "at_most": "25"}}
    document = program(earn(proportional("10", base), rounding={"currency": "up"}))
    [intent] = issued(document, sale("1", lines=lines("10", "99", "25")))

    assert intent["shares"] == [{"line": "1", "amount": "1"}, {"line": "3", "amount": "3"}]


def test_where_each_line_is_rounded_each_is_an_award() -> None:
    """At 10 %, to the nearest: 12.5 is 13, 1.25 is 1, 1.5 is 2; stepped by 150: none of 75 and 55, one of 170."""
    base = {"type": "line_item_value", "aggregate": "each_line"}
    rounded = program(earn(proportional("10", base), rounding={"currency": "nearest"}))
    steps = program(earn(stepped("150", "1", base)))

    assert amount(rounded, sale("1", lines=lines("125", "12.5", "15"))) == "16"
    assert amount(steps, sale("1", lines=lines("75", "55", "170"))) == "1"
    assert (
        amount(
            program(earn(stepped("150", "1", {"type": "line_item_value"}))), sale("1", lines=lines("75", "55", "170"))
        )
        == "2"
    )


def test_where_each_line_is_rounded_it_is_to_the_currencys_last_decimal() -> None:
    """At 10 %, down to two decimals: 0.1234 is 0.12, 0.0099 is 0, 1.999 is 1.99."""
    action = earn(
        proportional("10", {"type": "line_item_value", "aggregate": "each_line"}), rounding={"currency": "down"}
    )
    document = program(action, currencies={"points": {"decimals": 2}})

    assert amount(document, sale("1", lines=lines("1.234", "0.099", "19.99"))) == "2.11"


def test_a_limit_counts_all_that_this_evaluation_has_issued() -> None:
    actions = [earn(fixed("50"), name) for name in ("a", "b", "c", "d")]
    document = program(*actions, limits={"l": limit("member", "170")})

    assert [intent["amount"] for intent in issued(document, sale())] == ["50", "50", "50", "20"]


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
def test_a_base_is_named_with_what_it_hangs_on(base: dict, words: str) -> None:
    actions = [earn(fixed("1"), "a"), earn(fixed("1"), "b"), earn(proportional("50", base), "c")]
    plan = lr.load_program(program(*actions, trackers=SPEND)).plan

    assert plan.describe().splitlines()[-1].startswith(f"  p/c: 50 % of {words} in points;")
