"""Any input ends in a value or in a LoyaltyError, after a bounded number of instructions and bytes.

No test here reads a clock: the interpreter counts its instructions, and tracemalloc the bytes that are allocated.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loyalty_rules as lr
from benchmarks import effort
from loyalty_rules.documents import references, structuring
from loyalty_rules.errors import DocumentError, InvalidValueError, LoyaltyError
from nasty import NASTY, Anything, cyclic_condition, cyclic_list, cyclic_object, nested
from properties.examples import SCALE, WANTED, examples
from shop import NEVER, Serials, earn, evaluate, fixed, lines, program, proportional, sale

TESTS = Path(__file__).parents[1]
MAX_INSTRUCTIONS = 4_000_000  # one pass over a million items takes five million
MAX_ALLOCATED = 4 * 2**20  # a list of a million items takes eight
SAFETY_NET = 300  # seconds until a process that does not end is killed; no assertion depends on them
MAX_MESSAGE = 2_000


def outcome(load: Callable[[Any], Any], source: Any) -> Any:
    """Return the loaded value, or the LoyaltyError that refuses the source, with a clear message."""
    try:
        return load(source)
    except LoyaltyError as error:
        assert_clear_message(error)
        return error


def assert_clear_message(error: LoyaltyError) -> None:
    """Check that an error has a path, a code and a short message that any terminal or log can write."""
    if isinstance(error, DocumentError):
        assert 1 <= len(error.problems) <= 100
        for problem in error.problems:
            assert problem.path.startswith("$")
            assert problem.code.replace("_", "").isalpha()
            assert len(str(problem)) < MAX_MESSAGE
    else:
        assert len(str(error)) < MAX_MESSAGE
    str(error).encode("utf-8")


def problems(load: Callable[[Any], Any], source: Any) -> list[tuple[str, str]]:
    """Return the path and the code of each problem of a refused source."""
    with pytest.raises(DocumentError) as caught:
        load(source)
    assert_clear_message(caught.value)
    return [(problem.path, problem.code) for problem in caught.value.problems]


def in_a_process(code: str) -> str:
    """Return the output of code that, with a bug, would compute in C for ever."""
    preamble = "import loyalty_rules as lr\nfrom decimal import Decimal\nfrom shop import *\nfrom nasty import *\n"
    command = [sys.executable, "-c", preamble + code]
    try:
        ran = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=SAFETY_NET)
    except subprocess.TimeoutExpired:
        return "did not end"
    return ran.stdout.strip() or ran.stderr.strip().splitlines()[-1]


REFUSED = "try: {}\nexcept lr.DocumentError as e: print(e.problems[0].path, e.problems[0].code)"

# -- texts -------------------------------------------------------------------------------------------------------------


def event_text(amount: str) -> str:
    return json.dumps(sale("AMOUNT")).replace('"AMOUNT"', amount)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("   ", "not_json"),
        ("{", "not_json"),
        ("nonsense", "not_json"),
        ("{}{}", "not_json"),
        ("{'a': 1}", "not_json"),
        ('{"a": 1,}', "not_json"),
        ('{"a": "\t"}', "not_json"),
        ("NaN", "not_json"),
        ('{"amount": NaN}', "not_json"),
        ('{"amount": -Infinity}', "not_json"),
        ("[]", "not_an_object"),
        ('"text"', "not_an_object"),
        ("5", "not_an_object"),
        ("null", "not_an_object"),
        ("1E+1000000", "not_an_object"),
        ("9" * 1_000_000, "not_an_object"),
        (b"", "not_json"),
        (b"\xff\xfe{}", "not_json"),
        (b'{"a": "\xff"}', "not_json"),
        ('{"a": 1}'.encode("utf-16"), "not_json"),
        (bytearray(b"{"), "not_json"),
        ("[" * 100_000, "too_deep"),
        ('{"a":' * 100_000, "too_deep"),
        ("[" * 100_000 + "]" * 100_000, "too_deep"),
        (" " * (8 * 2**20 + 1), "too_large"),
        (b'"' + b"x" * 10**7 + b'"', "too_large"),
    ],
    ids=lambda value: repr(value[:20]),
)
@pytest.mark.parametrize("load", [lr.load_program, lr.load_event, lr.load_snapshot])
def test_a_text_that_is_not_a_document_is_refused_as_a_whole(load: Any, text: str | bytes, code: str) -> None:
    assert problems(load, text) == [("$", code)]


@pytest.mark.parametrize("load", [lr.load_program, lr.load_event, lr.load_snapshot])
@pytest.mark.parametrize(
    "value",
    [None, 5, 1.5, [], (), {1}, object(), len, dict, memoryview(b"{}"), Anything()],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_not_a_document_is_refused(load: Any, value: object) -> None:
    assert problems(load, value) == [("$", "wrong_type")]


def test_a_byte_order_mark_before_a_document_is_ignored() -> None:
    assert lr.load_event(b"\xef\xbb\xbf" + json.dumps(sale()).encode()) == lr.load_event(sale())


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": 1, "a": 2}', "$"),
        ('{"a": {"b": [{"c": 1, "c": 2}]}}', "$.a.b[0]"),
        ('{"a b": {"c": 1, "c": 1}}', "$['a b']"),
    ],
)
def test_a_duplicate_key_is_refused_with_its_path(text: str, path: str) -> None:
    assert problems(lr.load_snapshot, text) == [(path, "duplicate_key")]


def test_every_duplicate_key_is_reported() -> None:
    text = '{"a": 1, "a": 2, "b": {"c": 1, "c": 2}, "b": 3}'
    assert sorted(problems(lr.load_event, text)) == [
        ("$", "duplicate_key"),
        ("$", "duplicate_key"),
        ("$.b", "duplicate_key"),
    ]


def test_a_duplicate_key_in_a_truncated_text_is_refused() -> None:
    found = outcome(lr.load_event, '[{"a": 1, "a": 2}, ')
    assert isinstance(found, DocumentError)


def test_a_duplicate_key_before_a_deep_value_is_refused() -> None:
    found = outcome(lr.load_event, '[{"a": 1, "a": 2}, ' + "[" * 100_000 + "]" * 100_000 + "]")
    assert isinstance(found, DocumentError)


def with_a_key_twice_before(items: int) -> str:
    return '{"x": {"a": 1, "a": 2}, "y": [' + "0," * items + "0]}"


def test_a_duplicate_key_before_a_long_list_is_refused() -> None:
    assert problems(lr.load_event, with_a_key_twice_before(2_000_000)) == [("$.x", "duplicate_key")]


@pytest.mark.slow
def test_the_work_to_find_a_duplicate_key_grows_no_faster_than_the_text() -> None:
    few, many = (instructions_of(lr.load_event, with_a_key_twice_before(items)) for items in (20_000, 40_000))
    assert many < 2.1 * few


# -- numbers -----------------------------------------------------------------------------------------------------------

NO_DECIMALS = [
    *("", " ", "1 ", " 1", "+1", "--1", "-", ".", ".5", "5.", "1,5", "1_000", "1e5", "1E+1000000", "0x10", "1/2"),
    *("NaN", "sNaN", "nan", "Infinity", "-inf", "١٢", "１２", "१", "²", "½", "1\n", "\x001", "1.0000001", "0.0000000"),
    *("1" + "0" * 15, "1" * 1_000_000, "0." + "1" * 1_000_000, "-" + "0" * 16),
]


@pytest.mark.parametrize("text", NO_DECIMALS, ids=lambda text: ascii(text[:20]))
def test_a_text_that_is_not_a_decimal_is_refused(text: str) -> None:
    assert problems(lr.load_event, sale(text)) == [("$.amount", "not_a_decimal")]


@pytest.mark.parametrize(
    ("text", "dumped"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000000", "0"),
        ("000000000000001", "1"),
        ("1.50", "1.5"),
        ("-1.5", "-1.5"),
        ("0.000001", "0.000001"),
        ("999999999999999.999999", "999999999999999.999999"),
        (10, "10"),
        (-(10**15) + 1, "-999999999999999"),
        (Decimal("1E+2"), "100"),
        (Decimal("1.50"), "1.5"),
        (Decimal("1." + "0" * 5000), "1"),
        (Decimal("-0"), "0"),
        (Decimal("0E+1000000"), "0"),
        (Decimal("0E-999999999999999999"), "0"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_decimal_is_read_and_written_canonically(text: object, dumped: str) -> None:
    assert lr.dump(lr.load_event(sale(text)))["amount"] == dumped


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "float"),
        (float("nan"), "float"),
        (True, "not_a_decimal"),
        (1j, "not_a_decimal"),
        (b"1", "not_a_decimal"),
        (["1"], "not_a_decimal"),
        ({"amount": "1"}, "not_a_decimal"),
        (10**15, "out_of_range"),
        pytest.param(10**5000, "out_of_range", id="10**5000"),
        (Decimal("NaN"), "not_finite"),
        (Decimal("sNaN123"), "not_finite"),
        (Decimal("Infinity"), "not_finite"),
        (Decimal("1E+15"), "out_of_range"),
        (Decimal("1E-7"), "out_of_range"),
        (Decimal("1E-999999999999999999"), "out_of_range"),
        (Decimal("1" * 5000), "out_of_range"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_is_not_a_supported_decimal_is_refused(value: object, code: str) -> None:
    assert problems(lr.load_event, sale(value)) == [("$.amount", code)]


@pytest.mark.parametrize("exponent", [10**6, 10**9, 999_999_999_999_999_999])
def test_a_decimal_with_a_huge_exponent_is_refused_without_its_digits(exponent: int) -> None:
    code = REFUSED.format(f"lr.load_event(sale(Decimal('1E+{exponent}')))")
    assert in_a_process(code) == "$.amount out_of_range"


@pytest.mark.parametrize(
    "number", ["1E+1000000", "1e400", "-1E-400", "1.0000001", "1" * 16, "1" * 1_000_000, "0." + "0" * 1_000_000 + "1"]
)
def test_a_number_of_a_json_text_outside_the_limits_is_refused(number: str) -> None:
    [(path, _)] = problems(lr.load_event, event_text(number))
    assert path == "$.amount"


@pytest.mark.parametrize(("number", "dumped"), [("1.50", "1.5"), ("0.1", "0.1"), ("-0.0", "0"), ("12", "12")])
def test_a_fraction_of_a_json_text_is_read_exactly(number: str, dumped: str) -> None:
    assert lr.dump(lr.load_event(event_text(number)))["amount"] == dumped


@pytest.mark.parametrize("number", ["1E+1000000", "1e400", "1" * 1_000_000, "0.1234567"])
def test_a_number_outside_the_limits_in_a_free_form_field_never_breaks_an_evaluation(number: str) -> None:
    text = json.dumps(sale(custom_fields={"tip": "TIP"})).replace('"TIP"', number)
    event = outcome(lr.load_event, text)
    if isinstance(event, LoyaltyError):
        return  # a number beyond a float
    rules = lr.load_program(program(earn(proportional("10", {"type": "transaction_custom_field", "field": "tip"}))))
    assert [entry.reason for entry in rules.evaluate(event).skipped] == ["invalid_field"]


# -- shapes ------------------------------------------------------------------------------------------------------------


def with_condition(condition: object) -> dict:
    return program(promotions=[{"id": "p", "when": condition, "actions": [earn(fixed("1"))]}])


LEAF = {"field": "store", "is": "S1"}
WRAPS = {
    "not": lambda inside: {"not": inside},
    "all": lambda inside: {"all": [inside]},
    "any": lambda inside: {"any": [inside]},
    "lines": lambda inside: {"lines": inside},
    "field": lambda inside: {"field": inside},
    "list": lambda inside: [inside],
}


@pytest.mark.parametrize("depth", [33, 100, 1_000, 100_000])
@pytest.mark.parametrize("wrap", WRAPS)
def test_a_condition_that_is_too_deep_is_refused(wrap: str, depth: int) -> None:
    document = with_condition(nested(depth, WRAPS[wrap], LEAF))
    found = problems(lr.load_program, document)
    assert all(path.startswith("$.promotions[0].when") for path, _ in found)


@pytest.mark.parametrize("wrap", ["not", "all", "any"])
def test_a_condition_of_32_levels_is_accepted(wrap: str) -> None:
    lr.load_program(with_condition(nested(31, WRAPS[wrap], LEAF)))


@pytest.mark.parametrize("depth", [33, 1_000, 100_000])
@pytest.mark.parametrize("wrap", [lambda inside: {"a": inside}, lambda inside: [inside]], ids=["objects", "lists"])
def test_a_free_form_field_that_is_too_deep_is_refused(wrap: Any, depth: int) -> None:
    document = sale(custom_fields={"deep": nested(depth, wrap, 1)})
    assert problems(lr.load_event, document) == [("$.custom_fields", "too_large")]


@pytest.mark.parametrize("key", ["id", "amount", "lines", "member", "custom_fields", "tenders", "occurred_at"])
@pytest.mark.parametrize("value", [cyclic_object(), cyclic_list()], ids=["object", "list"])
def test_a_cyclic_value_in_an_event_is_refused(key: str, value: object) -> None:
    [(path, _), *_] = problems(lr.load_event, sale(**{key: value}))
    assert path.startswith(f"$.{key}")


def test_a_cyclic_condition_is_refused() -> None:
    assert all(
        path.startswith("$.promotions[0].when")
        for path, _ in problems(lr.load_program, with_condition(cyclic_condition()))
    )


@pytest.mark.parametrize("load", [lr.load_program, lr.load_event, lr.load_snapshot])
@pytest.mark.parametrize("document", [{5: 1}, {None: 1}, {("a",): 1}, {"\ud800": 1}, {"k" * 10**7: 1}, cyclic_object()])
def test_an_object_with_odd_keys_is_refused(load: Any, document: dict) -> None:
    assert isinstance(outcome(load, document), DocumentError)


@pytest.mark.parametrize("key", [5, None, ("a",), b"id"], ids=repr)
def test_a_key_that_is_not_a_text_is_unknown(key: object) -> None:
    [(path, code)] = problems(lr.load_event, {**sale(), key: 1})
    assert (path[:2], code) == ("$[", "unknown_key")


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb"])
def test_a_lone_surrogate_is_refused_in_a_name(value: str) -> None:
    assert problems(lr.load_event, sale(store=value)) == [("$.store", "not_a_name")]


def test_a_message_does_not_repeat_a_long_value() -> None:
    secret = "s3cr3t" * 2_000_000
    for document in (sale(store=secret), sale(secret), sale(**{secret: 1}), sale(lines=secret)):
        with pytest.raises(DocumentError) as caught:
            lr.load_event(document)
        assert len(str(caught.value)) < MAX_MESSAGE


@pytest.mark.parametrize(
    "path", ["nowhere.json", "\0.json", "\ud800.json", "x" * 4_000 + ".json", ".json", "a/b/c.toml"], ids=ascii
)
def test_a_path_without_a_file_is_refused(path: str) -> None:
    assert problems(lr.load_program, path) == [("$", "unreadable")]


class BytesPath:
    def __fspath__(self) -> bytes:
        return b"program.json"


class RaisingPath:
    def __fspath__(self) -> str:
        raise RuntimeError("no path today")


@pytest.mark.parametrize("path", [BytesPath(), RaisingPath()], ids=["of bytes", "that raises"])
def test_an_odd_path_object_is_refused(path: object) -> None:
    assert isinstance(outcome(lr.load_program, path), DocumentError)


def test_a_problem_is_reported_once() -> None:
    rules = program(earn(fixed("1"), currency="miles"))
    assert problems(lr.load_program, rules) == [("$.promotions[0].actions[0].currency", "unknown_reference")]


def test_all_problems_are_reported_together() -> None:
    document = sale("x", id="", store=5, lines=[{"id": "1", "quantity": "1E5", "value": 1.5}, 7], colour="red")
    assert {path for path, _ in problems(lr.load_event, document)} == {
        "$.amount",
        "$.id",
        "$.store",
        "$.lines[0].quantity",
        "$.lines[0].value",
        "$.lines[1]",
        "$.colour",
    }


def test_every_wrong_item_of_a_list_is_reported() -> None:
    document = sale(member={"id": "M", "tags": ["staff", "", 5]})
    assert [path for path, _ in problems(lr.load_event, document)] == ["$.member.tags[1]", "$.member.tags[2]"]


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_bill_has_at_most_10_000_lines() -> None:
    lr.load_event(sale(lines=lines(*["1"] * 10_000)))
    assert problems(lr.load_event, sale(lines=lines(*["1"] * 10_001))) == [("$.lines", "out_of_range")]


def test_a_promotion_has_at_most_1_000_actions() -> None:
    actions = [earn(fixed("1"), name=f"a{number}") for number in range(1_001)]
    lr.load_program(program(*actions[:1_000]))
    assert problems(lr.load_program, program(*actions)) == [("$.promotions[0].actions", "out_of_range")]


def test_a_period_has_at_most_36_500_days() -> None:
    def lasting(after: dict) -> dict:
        return program(earn(fixed("1"), expiry={"type": "fixed_period", "after": after}))

    lr.load_program(lasting({"days": 36_500}))
    [(path, code)] = problems(lr.load_program, lasting({"days": 36_501}))
    assert (path, code) == ("$.promotions[0].actions[0].expiry.after.days", "out_of_range")


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_an_event_lies_in_the_years_1970_to_9998(year: str) -> None:
    assert problems(lr.load_event, sale(occurred_at=f"{year}-06-01T00:00:00Z")) == [("$.occurred_at", "out_of_range")]


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Pacific/Kiritimati", "9998-12-31T23:59:59-12:00"),
        ("Pacific/Midway", "1970-01-01T00:00:00+14:00"),
    ],
)
def test_an_event_in_the_first_or_last_year_is_evaluated(zone: str, at: str, unit: str) -> None:
    window = {"type": "calendar", "unit": unit}
    rules = program(
        earn(fixed("1"), caps={"per_member": {"times": 5, "window": window}}),
        time_zone=zone,
        trackers={"visits": {"measure": {"type": "count"}, "target": "5", "window": window}},
    )
    evaluation = evaluate(rules, sale(occurred_at=at))
    assert [intent["type"] for intent in evaluation["intents"]][:1] == ["issue_currency"]


def test_the_error_of_a_document_can_be_pickled() -> None:
    import pickle

    with pytest.raises(DocumentError) as caught:
        lr.load_event(sale("x"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)


# -- costs -------------------------------------------------------------------------------------------------------------


def quadratic_references() -> dict:
    """Return a program with many unknown names, each similar to many known ones."""
    rules = program(currencies={f"currency{number}": {} for number in range(1_000)})
    rules["promotions"] = [
        {"id": f"p{number}", "actions": [earn(fixed("1"), currency=f"currancy{number}")]} for number in range(100)
    ]
    return rules


COSTLY: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    "million digits in a text": (lr.load_event, lambda: event_text('"' + "1" * 10**6 + '"')),
    "million digits in a number": (lr.load_event, lambda: event_text("1" * 10**6)),
    "million digits in an integer": (lr.load_event, lambda: sale(10**1_000_000)),
    "million digits in a Decimal": (lr.load_event, lambda: sale(Decimal("1" * 10**6))),
    "exponent of a million": (lr.load_event, lambda: sale(Decimal("1E+1000000"))),
    "million digits in a free-form field": (lr.load_event, lambda: sale(custom_fields={"a": 10**1_000_000})),
    "10 MB of text": (lr.load_event, lambda: " " * 10**7),
    "10 MB of bytes": (lr.load_event, lambda: b"{" * 10**7),
    "10 MB value": (lr.load_event, lambda: sale(store="x" * 10**7)),
    "10 MB value that is not ASCII": (lr.load_event, lambda: sale(store="ü" * 10**7)),
    "10 MB free-form value": (lr.load_event, lambda: sale(custom_fields={"a": "x" * 10**7})),
    "10 MB key": (lr.load_event, lambda: sale(**{"x" * 10**7: 1})),
    "10 MB operand": (lr.load_program, lambda: with_condition({"field": "store", "is": "x" * 10**7})),
    "10 MB path": (lr.load_program, lambda: with_condition({"field": "x" * 10**7, "is": "x"})),
    "10 MB time zone": (lr.load_program, lambda: program(time_zone="x" * 10**7)),
    "10 MB of path": (lr.load_program, lambda: "x" * 10**7 + ".json"),
    "deep text": (lr.load_event, lambda: "[" * 100_000),
    "deep objects": (lr.load_event, lambda: sale(custom_fields=nested(100_000, lambda inside: {"a": inside}, 1))),
    "deep condition": (lr.load_program, lambda: with_condition(nested(100_000, WRAPS["all"], LEAF))),
    "deep not": (lr.load_program, lambda: with_condition(nested(100_000, WRAPS["not"], LEAF))),
    "cyclic condition": (lr.load_program, lambda: with_condition(cyclic_condition())),
    "10,000 unknown keys": (lr.load_event, lambda: sale(**{f"key{number}": 1 for number in range(10_000)})),
    "10,000 nearly known keys": (
        lr.load_event,
        lambda: sale(**{f"occurred_at{number}": 1 for number in range(10_000)}),
    ),
    "million keys": (lr.load_event, lambda: sale(**{f"key{number}": 1 for number in range(10**6)})),
    "million currencies": (lr.load_program, lambda: program(currencies={str(n): {} for n in range(10**6)})),
    "million trackers": (lr.load_program, lambda: program(trackers={str(n): {} for n in range(10**6)})),
    "million actions": (lr.load_program, lambda: program(*[{}] * 10**6)),
    "million awarded actions": (
        lr.load_program,
        lambda: program(earn(proportional("1", {"type": "awarded", "actions": ["p/a"] * 10**6}))),
    ),
    "million free-form keys": (lr.load_event, lambda: sale(custom_fields={str(n): 0 for n in range(10**6)})),
    "million contacts": (
        lr.load_event,
        lambda: sale(member={"id": "M", "contacts": {str(n): "x" for n in range(10**6)}}),
    ),
    "million free-form values": (lr.load_event, lambda: sale(custom_fields={"a": [0] * 10**6})),
    "million tags": (lr.load_event, lambda: sale(member={"id": "M", "tags": ["a"] * 10**6})),
    "million lines": (lr.load_event, lambda: sale(lines=[{}] * 10**6)),
    "million wrong lines": (lr.load_event, lambda: sale(lines=[5] * 10**6)),
    "million operands": (lr.load_program, lambda: with_condition({"field": "store", "in": ["S1"] * 10**6})),
    "million conditions": (lr.load_program, lambda: with_condition({"any": [LEAF] * 10**6})),
    "million promotions": (lr.load_program, lambda: program(promotions=[{}] * 10**6)),
    "many names for nothing": (lr.load_program, quadratic_references),
    "20,000 trackers of a snapshot": (lr.load_snapshot, lambda: {"trackers": {str(n): "x" for n in range(20_000)}}),
}


LONG = ["many names for nothing", *(f"million {parts}" for parts in ("keys", "currencies", "trackers", "contacts"))]


def instructions_of(load: Callable[[Any], Any], source: Any, limit: int = 10 * MAX_INSTRUCTIONS) -> int:
    """Return the number of instructions that load a source, after imports and caches are warm."""
    outcome(load, sale())
    return effort.instructions(lambda: outcome(load, source), limit).total()


def allocated_by(load: Callable[[Any], Any], source: Any) -> int:
    """Return the maximum of allocated bytes while a source is loaded."""
    outcome(load, sale())
    tracemalloc.start()
    try:
        outcome(load, source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak


def slow_if_long(name: str) -> Any:
    """Return the name of a source, marked as slow if the source is long to build, or if the loader reads much of it."""
    return pytest.param(name, marks=pytest.mark.slow) if name in LONG else name


@pytest.mark.parametrize("name", [slow_if_long(name) for name in COSTLY])
def test_a_hostile_source_is_refused_before_its_parts_are_read(name: str) -> None:
    load, make = COSTLY[name]
    source = make()
    assert allocated_by(load, source) <= MAX_ALLOCATED
    assert instructions_of(load, source, MAX_INSTRUCTIONS) < MAX_INSTRUCTIONS


def every_part_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structuring, "_MAX_ITEMS", 10**9)


def every_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "_MAX_ENTRIES", 10**9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "name"),
    [
        (every_part_is_read, "million conditions"),
        (every_part_is_read, "million currencies"),
        (every_name_is_looked_up, "million conditions"),
        (every_name_is_looked_up, "million promotions"),
    ],
)
def test_a_loader_that_reads_a_list_over_its_limit_is_found(
    bug: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, make = COSTLY[name]
    source = make()
    bug(monkeypatch)
    with pytest.raises(effort.TooMuchWork):
        instructions_of(load, source, MAX_INSTRUCTIONS)


def test_a_loader_that_copies_a_long_list_is_found() -> None:
    def copying(source: Any) -> Any:
        return lr.load_event({**source, "lines": list(source.get("lines", ()))})

    assert allocated_by(copying, COSTLY["million lines"][1]()) > MAX_ALLOCATED


@pytest.mark.parametrize("item", ["[]", "{}", '""', "1.5", '{"a":1}', "[[[]]]"])
def test_the_cost_of_a_text_is_in_proportion_to_its_length(item: str) -> None:
    # A text that is refused only after it has been read costs the reading: a few instructions and 40 bytes a byte.
    few, many = ("[" + ",".join([item] * (length // (len(item) + 1))) + "]" for length in (2**16, 2**17))
    assert allocated_by(lr.load_event, many) <= 40 * len(many)
    assert instructions_of(lr.load_event, many) < min(2.1 * instructions_of(lr.load_event, few) + 1_000, 30 * len(many))


# -- anything at all ---------------------------------------------------------------------------------------------------

CASES = [
    case
    for path in sorted((TESTS / "conformance").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]
PROGRAM = program(
    {
        **earn(proportional("10"), caps={"per_event": "5", "per_member": {"times": 3}, "total": {"amount": "9"}}),
        "rounding": {"value": "up", "currency": "down"},
        "expiry": {"type": "fixed_period", "after": {"days": 90}},
        "timing": {"type": "transaction_update", "when": {"field": "status", "is": "Shipped"}},
        "communication": {"template": "earned", "mandatory": ["email"], "priority": ["sms"]},
    },
    {
        "type": "issue_coupon",
        "id": "thanks",
        "coupon_type": "fifteen",
        "quantity": {"type": "stepped", "step_size": "10", "points_per_step": "1"},
        "rounding": {"value": "actual", "currency": "nearest"},
    },
    earn(
        proportional("10", {"type": "line_item_extended_field", "field": "nights", "aggregate": "each_line"}), "lines"
    ),
    earn(proportional("10", {"type": "transaction_custom_field", "field": "tip"}), "field"),
    earn(proportional("10", {"type": "surplus", "tracker": "spend"}), "surplus"),
    earn(proportional("10", {"type": "awarded", "actions": ["p/lines"]}), "awarded"),
    earn(fixed("1"), "renewal", expiry={"type": "customer_field", "field": "renewal", "after": {"months": 1}}),
    earn(fixed("1"), "joined", expiry={"type": "registration_anniversary"}, timing={"type": "delayed", "days": 3}),
    earn(fixed("1"), "rolling", expiry={"type": "rolling", "after": {"years": 1}}),
    money="USD",
    limits={"daily": {"currency": "points", "per": "store", "amount": "500", "window": {"type": "rolling", "days": 3}}},
    trackers={
        "spend": {"measure": {"type": "line_item_value"}, "target": "1000", "when": {"field": "store", "exists": True}}
    },
    coupon_types={
        "fifteen": {
            "benefit": {"type": "percent_off", "percent": "15", "most": "50"},
            "validity": {"starts_after": {"days": 1}, "expiry": NEVER},
            "caps": {"per_transaction": 3, "per_store": 9},
            "redemption": {"stores": ["S1"], "holder_only": True},
        }
    },
)
PROGRAM["promotions"][0].update(
    title="Ten percent",
    starts_at="2020-01-01T00:00:00Z",
    ends_at="2030-01-01T00:00:00Z",
    priority=1,
    exclusive="group",
    when={
        "any": [
            {
                "all": [
                    {"field": "amount", "at_least": "1", "less_than": 1000},
                    {"not": {"field": "store", "in": ["X"]}},
                ]
            },
            {"lines": {"field": "tags", "has": "wine"}, "quantity": {"at_least": 2}},
            {"anniversary": "member.registered_on", "unit": "month"},
            {"tracker": "spend", "crossed": True},
        ]
    },
)
EVENT = sale(
    "120.50",
    business_date="2025-01-15",
    tax="9.50",
    tenders=[{"type": "card", "amount": "120.50"}],
    currency="EUR",
    exchange_rate="1.123456789012",
    store="S1",
    status="placed",
    member={
        "id": "M1",
        "group": "G",
        "registered_on": "2023-06-10",
        "tags": ["staff"],
        "contacts": {"sms": "+1", "email": {"to": "m@example.org", "consent": True}},
        "extended_fields": {"renewal": "2025-09-01"},
    },
    lines=[
        {"id": "1", "sku": "MUG", "tags": ["wine"], "quantity": "2", "unit_price": "9", "discount": "1"},
        {"id": "2", "quantity": "1", "value": "50", "extended_fields": {"nights": "4"}},
    ],
    custom_fields={"tip": "10"},
)
SNAPSHOT = {
    "trackers": {"spend": "800"},
    "issued": {"p/earn": {"member": {"amount": "450", "times": 9}, "total": {"amount": "1"}}},
    "limits": {"daily": "120"},
    "coupons": {"fifteen": {"store": 1, "member": 0, "total": 3}},
}
RULES = lr.load_program(PROGRAM)
KNOWN = lr.load_snapshot(SNAPSHOT)
BILL = lr.load_event(EVENT)


def test_the_documents_are_valid_before_they_are_spoiled() -> None:
    evaluation = evaluate(PROGRAM, EVENT, SNAPSHOT)
    assert len(evaluation["intents"]) + len(evaluation["skipped"]) >= 9


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a document: its container and its key."""
    for key, value in list(document.items() if isinstance(document, dict) else enumerate(document)):
        yield document, key
        if isinstance(value, (dict, list)):
            yield from places(value)


def with_each_place_spoiled(document: dict, step: int = 1) -> Iterator[tuple[str, dict]]:
    """Yield the document with one place replaced by one hostile value: every such pair, or every `step`-th."""
    pairs = [(number, name) for number, _ in enumerate(places(document)) for name in NASTY]
    for number, name in pairs[::step]:
        spoiled = copy.deepcopy(document)
        holder, key = list(places(spoiled))[number]
        holder[key] = NASTY[name]()
        yield f"{name} for {key}", spoiled


def escapes(load: Callable[[Any], Any], document: dict, use: Callable[[Any], Any], step: int = 1) -> list[str]:
    """Return every error other than a LoyaltyError that a spoiled document raises."""
    found = []
    for what, spoiled in with_each_place_spoiled(document, step):
        try:
            value = outcome(load, spoiled)
            if not isinstance(value, LoyaltyError):
                json.dumps(lr.dump(value))
                use(value)
        except LoyaltyError as error:
            assert_clear_message(error)
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001  (collected, so that all are reported together)
            found.append(f"{what}: {type(error).__name__}: {str(error)[:80]}")
    return found


def decide(rules: Any, event: Any, known: Any) -> None:
    evaluation = rules.evaluate(event, known, serials=Serials())
    json.dumps(lr.dump(evaluation))
    str(evaluation.explain())


@pytest.mark.slow
def test_every_hostile_value_in_an_event_is_refused_or_evaluated() -> None:
    assert escapes(lr.load_event, EVENT, lambda event: decide(RULES, event, KNOWN)) == []


def test_every_hostile_value_in_a_snapshot_is_refused_or_evaluated() -> None:
    assert escapes(lr.load_snapshot, SNAPSHOT, lambda known: decide(RULES, BILL, known)) == []


@pytest.mark.slow
def test_every_hostile_value_in_a_program_is_refused_or_evaluated() -> None:
    step = 1 if WANTED else 7 if SCALE >= 1 else 35
    assert escapes(lr.load_program, PROGRAM, lambda rules: decide(rules, BILL, KNOWN), step) == []


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("key", ["promotion", "action"])
def test_every_hostile_id_is_refused_or_loaded(key: str, name: str) -> None:
    document = copy.deepcopy(PROGRAM)
    (document["promotions"][0] if key == "promotion" else document["promotions"][0]["actions"][4])["id"] = NASTY[name]()
    outcome(lr.load_program, document)


@st.composite
def spoiled(draw: Any, document: dict) -> dict:
    """Draw a valid document in which one to three parts are replaced, renamed, removed or repeated."""
    found: dict = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        every = [(holder, key) for holder, key in places(found)]
        if not every or len(every) > 2_000:
            break
        holder, key = every[draw(st.integers(0, len(every) - 1))]
        way = draw(st.sampled_from(["replace", "replace", "replace", "remove", "move", "rename", "repeat"]))
        if way == "remove":
            del holder[key]
        elif way == "move":
            other_holder, other_key = every[draw(st.integers(0, len(every) - 1))]
            holder[key] = copy.deepcopy(other_holder[other_key])
        elif way == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from(["", "type", "id", "tpye", "\ud800", 5, "k" * 200]))] = holder.pop(key)
        elif way == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = copy.deepcopy(NASTY[draw(st.sampled_from(PLAIN))]())
    return found


# Cyclic values cannot be iterated to their end, and generators cannot be copied: they are tried above.
PLAIN = sorted(name for name in NASTY if not any(word in name for word in ("cyclic", "deep", "generator")))


@examples(1_200)
@given(spoiled(EVENT))
def test_a_spoiled_event_is_refused_or_evaluated(document: dict) -> None:
    event = outcome(lr.load_event, document)
    if not isinstance(event, LoyaltyError):
        json.dumps(lr.dump(event))
        if isinstance(event, (lr.Transaction, lr.Activity)):
            decide(RULES, event, KNOWN)


@examples(600)
@given(spoiled(PROGRAM))
def test_a_spoiled_program_is_refused_or_evaluates(document: dict) -> None:
    rules = outcome(lr.load_program, document)
    if not isinstance(rules, LoyaltyError):
        decide(rules, BILL, KNOWN)


@examples(400)
@given(spoiled(SNAPSHOT))
def test_a_spoiled_snapshot_is_refused_or_read(document: dict) -> None:
    known = outcome(lr.load_snapshot, document)
    if not isinstance(known, LoyaltyError):
        decide(RULES, BILL, known)


@pytest.mark.parametrize("load", [lr.load_program, lr.load_event, lr.load_snapshot])
@examples(300)
@given(text=st.one_of(st.text(), st.binary(), st.text(alphabet='{}[]":,01e.-tfn \\u')))
@pytest.mark.slow
def test_any_text_is_refused_or_read(load: Any, text: str | bytes) -> None:
    outcome(load, text)


@examples(500)
@given(st.data())
def test_a_document_with_a_spoiled_text_is_refused_or_read(data: Any) -> None:
    text = json.dumps(data.draw(st.sampled_from([EVENT, PROGRAM])))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 20, len(text))))
    put = data.draw(st.sampled_from(["", '"', "{", "}", ",", "NaN", "1e999", "\\ud800", "\x00", "9" * 50, '"id":1,']))
    outcome(data.draw(st.sampled_from([lr.load_event, lr.load_program])), text[:start] + put + text[end:])


# -- constructors ------------------------------------------------------------------------------------------------------


def values_in(value: Any) -> Iterator[Any]:
    """Yield a value and every value of the library within it."""
    if attrs.has(type(value)):
        yield value
        for field in attrs.fields(type(value)):
            yield from values_in(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from values_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from values_in(each)


def one_of_each_class() -> dict[type, Any]:
    later = [
        {"type": "return", "id": "R", "occurred_at": EVENT["occurred_at"], "of": "T", "amount": "1", "lines": []},
        {"type": "update", "id": "U", "occurred_at": EVENT["occurred_at"], "of": "T", "custom_fields": {"a": 1}},
        {"type": "confirmation", "id": "C", "occurred_at": EVENT["occurred_at"], "promise": "k", "outcome": "issue"},
        {"type": "check_in", "id": "A", "occurred_at": EVENT["occurred_at"]},
    ]
    later[0]["lines"] = [{"id": "1", "quantity": "1"}]
    loaded = [RULES, BILL, KNOWN, *map(lr.load_event, later)]
    loaded += [lr.load_program(case["program"]) for case in CASES]
    return {type(value): value for each in loaded for value in values_in(each)}


ONE_OF_EACH = one_of_each_class()


@pytest.mark.parametrize("cls", ONE_OF_EACH, ids=lambda cls: cls.__name__)
def test_a_constructor_refuses_or_accepts_every_hostile_value(cls: type) -> None:
    value = ONE_OF_EACH[cls]
    escaped = []
    for field in attrs.fields(cls):
        for name, make in NASTY.items():
            if field.name.startswith("_"):
                continue
            try:
                json.dumps(lr.dump(attrs.evolve(value, **{field.name: make()})))
            except LoyaltyError as error:
                assert_clear_message(error)
                escaped += misnamed_arguments(error, field.name, cls)
            except Exception as error:  # noqa: BLE001  (collected, so that all are reported together)
                escaped.append(f"{field.name} = {name}: {type(error).__name__}")
    assert escaped == []


def misnamed_arguments(error: LoyaltyError, name: str, cls: type) -> list[str]:
    """Return the name in a refusal if it is not an argument of the constructor."""
    named = error.name if isinstance(error, InvalidValueError) else ""
    first = re.split(r"[.\[]", named)[0]
    right = not named or named.startswith(name) or {first, f"{first}_"} & {*attrs.fields_dict(cls)}
    return [] if right else [f"{name}: refused as {named}"]


@pytest.mark.parametrize("call", ["evaluate", "counters", "snapshot"])
@pytest.mark.parametrize("event", [None, 5, {}, sale(), "T", object()], ids=lambda event: type(event).__name__)
def test_a_value_that_is_not_an_event_is_refused(call: str, event: object) -> None:
    arguments = {"snapshot": [lambda counter: Decimal(0)]}.get(call, [])
    with pytest.raises(LoyaltyError):
        getattr(RULES, call)(event, *arguments)


@pytest.mark.parametrize("snapshot", [5, {}, SNAPSHOT, "S"], ids=lambda snapshot: type(snapshot).__name__)
def test_a_value_that_is_not_a_snapshot_is_refused(snapshot: object) -> None:
    with pytest.raises(LoyaltyError):
        RULES.evaluate(BILL, snapshot, serials=Serials())
