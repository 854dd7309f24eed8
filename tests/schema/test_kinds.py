"""The schemas and the loader agree, except on the few rules that only the loader can check."""

import copy
import functools
import inspect
import json
import random
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Literal, get_args

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from loyalty_rules import dump, load_event, load_program, load_snapshot
from loyalty_rules.errors import DocumentError, InvalidValueError
from loyalty_rules.intents import Intent
from loyalty_rules.rules.conditions import EVENT_SCOPE
from loyalty_rules.schema import KINDS, UndeclaredSchemaError, collector, kinds, schema
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_zone
from loyalty_rules.values.json_schema import Declaration, declaration_of
from reference.documents import cases

TESTS = Path(__file__).parents[1]
EXAMPLES = TESTS.parent / "examples"
LOADERS: dict[str, Callable[[Any], Any]] = {"program": load_program, "event": load_event, "snapshot": load_snapshot}
SERIALS = DerivedSerials.from_master(b"q7/Vw2@mZ9&xK4#tB8!pL3%sD6^gH1*jN5")
ABSENT = object()


@functools.cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def faults(kind: str, document: Any) -> list[str]:
    """The faults that the schema finds in a document."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(kind).iter_errors(document)]


def problems(kind: str, document: Any) -> list[tuple[str, str]]:
    """The problems that the loader finds in the JSON text of a document: paths and codes."""
    try:
        LOADERS[kind](json.dumps(document))
    except DocumentError as error:
        return [(problem.path, problem.code) for problem in error.problems]
    return []


# -- the schemas themselves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_schema_is_a_valid_schema_that_names_itself(kind: str) -> None:
    document = schema(kind)
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["$id"] == f"urn:loyalty-rules:{kind}:1"
    assert document["title"]
    assert document["description"]


def test_another_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected one of program, event, snapshot, evaluation, found 'ledger'"):
        schema("ledger")


def objects(part: Any) -> Iterator[dict]:
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from objects(each)
    elif isinstance(part, list):
        for each in part:
            yield from objects(each)


@pytest.mark.parametrize("kind", KINDS)
def test_every_definition_is_used_and_has_a_description_for_editors(kind: str) -> None:
    document = schema(kind)
    used = {part["$ref"] for part in objects(document) if "$ref" in part}
    assert used == {f"#/$defs/{name}" for name in document["$defs"]}
    assert all(each["description"] for each in document["$defs"].values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_plain_json(kind: str) -> None:
    assert json.loads(json.dumps(schema(kind))) == schema(kind)


@pytest.mark.parametrize("kind", ["program", "event", "snapshot"])
def test_every_default_is_valid(kind: str) -> None:
    definitions = schema(kind)["$defs"]
    for part in objects(schema(kind)):
        if "default" in part and "$defs" not in part:
            Draft202012Validator({**part, "$defs": definitions}).validate(part["default"])


def test_an_editor_is_offered_the_paths_of_a_condition() -> None:
    definitions = schema("program")["$defs"]
    event_paths, families = definitions["event_path"]["anyOf"]
    assert {"amount", "store", "weekday", "member.tier", "tax"} < set(event_paths["enum"])
    assert "member.extended_fields" in families["pattern"].replace("\\", "")
    assert definitions["line_path"]["anyOf"][0]["enum"] == [
        "sku", "category", "brand", "tags", "unit_price", "discount", "quantity", "value"
    ]  # fmt: skip


def test_a_line_condition_has_no_line_tests_and_a_measured_event_has_no_tracker_tests() -> None:
    definitions = schema("program")["$defs"]
    assert set(definitions["event_condition"]["properties"]) == {
        "all", "any", "not", "field", "lines", "anniversary", "tracker", "base", "tier", "sample"
    }  # fmt: skip
    assert set(definitions["measured_event_condition"]["properties"]) == {
        "all", "any", "not", "field", "lines", "anniversary", "base", "tier", "sample"
    }  # fmt: skip
    assert set(definitions["line_condition"]["properties"]) == {"all", "any", "not", "field"}


def test_every_intent_is_in_the_schema_of_an_evaluation() -> None:
    tags = schema("evaluation")["$defs"]["intent"]["properties"]["type"]["enum"]
    assert tags == [each.type for each in get_args(Intent)]


# -- declarations ---------------------------------------------------------------------------------------------------


def _read_colour(value: str) -> str:
    return value


@attrs.frozen(field_transformer=checked)
class Painted:
    """Something painted."""

    colour: str = attrs.field(converter=_read_colour)


@attrs.frozen
class Weighed:
    """Something weighed."""

    kilograms: complex


@attrs.frozen(field_transformer=checked)
class Paired:
    """Something with a rule about two of its fields."""

    left: Literal["a", "b"]

    def __attrs_post_init__(self) -> None:
        pass


@attrs.frozen
class Silent:
    name: str


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Painted, r"Painted\.colour: .*_read_colour declares no JSON Schema"),
        (Weighed, "Weighed.kilograms: the schema of the annotation .*complex.* is not known"),
        (Paired, "Paired checks its fields together"),
        (Silent, "Silent has no docstring"),
    ],
)
def test_a_class_without_a_declaration_is_an_error(cls: type, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "ROOTS", {"program": cls})
    with pytest.raises(UndeclaredSchemaError, match=message):
        schema("program")


def test_a_reader_without_a_declaration_is_an_error_that_names_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(read_zone, "json_schema")
    with pytest.raises(
        UndeclaredSchemaError,
        match=r"Program\.time_zone: loyalty_rules\.values\.dates\.read_zone declares no JSON Schema",
    ):
        schema("program")


def declared_functions() -> list[Callable]:
    """Every reader and writer of the library that declares a schema."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("loyalty_rules.")]
    functions = {each: None for module in modules for each in vars(module).values() if inspect.isfunction(each)}
    return [each for each in functions if declaration_of(each) is not None]


def test_every_declaration_is_part_of_a_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    used = set()

    def noting(function: Callable) -> Declaration | None:
        used.add(function)
        return declaration_of(function)

    monkeypatch.setattr(collector, "declaration_of", noting)
    for kind in KINDS:
        schema(kind)
    assert used == set(declared_functions())


NOT_READ_ALONE = {"text_of", "_read_path", "_read_anniversary_path"}
"""A writer, and the readers of paths: a path is checked with the scope of its condition, when a program is complete."""

READERS = [each for each in declared_functions() if each.__name__ not in NOT_READ_ALONE]

SAMPLES = (
    *(None, True, False, "", " x", "x ", "x y", "x\ty", "\u0085", "é", "a/b", "a/b/c", "x" * 64, "x" * 65, "x" * 128),
    *(
        "x" * 129,
        "x" * 10_000,
        "x" * 10_001,
        "tax",
        "tenders.card",
        "tenders.",
        "tenders. x",
        "tip",
        "tracker",
        "limit",
    ),
    *("transaction", "return", "update", "confirmation", "registration", "USD", "usd", "USDT", "UTC", "Europe/Berlin"),
    *(0, 1, -1, 6, 7, 12, 13, 31, 32, 9_999, 10_000, 10_001, 36_500, 36_501, 10**9, 10**9 + 1, -(10**9), -(10**9) - 1),
    *(10**15 - 1, 10**15, -(10**15) + 1, -(10**15), "0", "-0", "-0.0", "-1", "1", "007", "1.5", ".5", "1.", "+1", " 1"),
    *("1e5", "1E+2", "NaN", "Infinity", "1,5", "1_000", "9" * 15, "9" * 16, "0.000001", "0.0000001", "-0.000001"),
    *("999999999", "1000000000", "0.000000000001", "0.0000000000001", "0.000", "0x10"),
    *("2025-01-15", "2025-1-15", "2025-13-01", "2025-01-32", "0000-01-01", "1969-12-31", "1970-01-01", "9998-12-31"),
    *("9999-01-01", "20250115", "2025-01-15T10:00:00", "2025-01-15T10:00:00Z", "2025-01-15t10:00:00z"),
    *("2025-01-15T10:00:00+05:30", "2025-01-15T10:00:00.5+05:30", "2025-01-15 10:00:00Z", "2025-01-15T24:00:00Z"),
    *("2025-01-15T10:60:00Z", "2025-01-15T10:00:60Z", "2025-01-15T10:00Z", "2025-01-15T10:00:00+24:00"),
    *("1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", [], {}, ["x"], ["x", "x"], {"x": 1}),
    *(["tax", "tip"], ["tax", "tax"], ["a/b"], ["a"], [1], [None], {"sms": None}, {"sms": 5}, {"": True}, {"x": "1"}),
    *({"x": -1}, {"x": None}, {"x": {}}, {"sms": "x" * 10_001}),
)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_declaration_accepts_exactly_the_values_that_its_reader_reads(read: Callable) -> None:
    collected = collector.Collector()
    part = collected.resolve({"$ref": read}, EVENT_SCOPE)
    check = Draft202012Validator({**part, "$defs": collected.definitions})
    names = [each["$ref"].removeprefix("#/$defs/") for each in objects(part) if "$ref" in each]
    takes_classes = any("title" in collected.definitions[name] for name in names)
    for sample in SAMPLES:
        if takes_classes and (isinstance(sample, (dict, list)) and sample):
            continue  # documents of classes are read field by field
        if read is read_zone and check.is_valid(sample):
            continue  # a schema cannot list the time zones
        assert check.is_valid(sample) == is_read(read, sample), sample


def is_read(read: Callable, sample: Any) -> bool:
    try:
        read(sample)
    except InvalidValueError:
        return False
    return True


# -- valid documents ------------------------------------------------------------------------------------------------


def as_json(value: Any) -> Any:
    """Convert a TOML document to its JSON form."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


def written() -> Iterator[Any]:
    for path in sorted((EXAMPLES / "programs").glob("*.toml")):
        yield pytest.param("program", as_json(tomllib.loads(path.read_text(encoding="utf-8"))), id=path.stem)
    for path in sorted((EXAMPLES / "events").glob("*.json")):
        kind = "snapshot" if path.stem.endswith(".snapshot") else "event"
        yield pytest.param(kind, json.loads(path.read_text(encoding="utf-8")), id=path.stem)
    for path in sorted((TESTS / "conformance").glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            for kind in ("program", "event", "snapshot"):
                if case.get(kind) is not None:
                    yield pytest.param(kind, case[kind], id=f"{path.stem}-{case['name']}-{kind}")


@pytest.mark.parametrize(("kind", "document"), [*written()])
def test_the_documents_of_the_examples_and_vectors_are_valid(kind: str, document: dict) -> None:
    assert faults(kind, document) == []
    assert problems(kind, document) == []


@functools.cache
def drawn() -> list[tuple[dict, dict, dict | None]]:
    """Return cases over the whole format, the same on each run."""
    collected: list[tuple[dict, dict, dict | None]] = []

    @settings(max_examples=200, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases())
    def collect(case: tuple) -> None:
        collected.append(case)

    collect()
    return collected


@pytest.mark.slow
def test_documents_drawn_at_random_and_their_evaluations_are_valid() -> None:
    for number, (program, event, snapshot) in enumerate(drawn()):
        assert faults("program", program) == []
        assert faults("event", event) == []
        assert faults("snapshot", snapshot or {}) == []
        taken = load_program(program), load_event(event), load_snapshot(snapshot or {})
        if number % 2 == 0:
            evaluation = taken[0].evaluate(*taken[1:], serials=SERIALS)
            assert faults("evaluation", dump(evaluation)) == []


@pytest.mark.slow
def test_a_loaded_document_is_valid_after_dump() -> None:
    for program, event, snapshot in drawn()[:60]:
        assert faults("program", dump(load_program(program))) == []
        assert faults("event", dump(load_event(event))) == []
        assert faults("snapshot", dump(load_snapshot(snapshot or {}))) == []


# -- mistakes --------------------------------------------------------------------------------------------------------

PROGRAM = {
    "format": "loyalty-rules/1",
    "id": "acme",
    "time_zone": "America/New_York",
    "money": "USD",
    "currencies": {
        "points": {
            "title": "Points",
            "decimals": 0,
            "redeem": {"points": "100", "value": "5.00", "least": "500", "block": "100", "most": None},
        }
    },
    "limits": {
        "daily": {
            "currency": "points",
            "per": "member",
            "amount": "500",
            "window": {"type": "calendar", "unit": "day"},
        }
    },
    "shortfall": "write_off",
    "trackers": {
        "spend": {
            "measure": {"type": "line_item_value", "lines": {"field": "sku", "is": "TEA"}, "aggregate": "total"},
            "when": {"field": "store", "is": "S1"},
            "target": "1000",
            "window": {"type": "rolling", "days": 30},
        }
    },
    "coupon_types": {
        "next-visit": {
            "serial_managed": True,
            "code": None,
            "benefit": {"type": "percent_off", "percent": "15", "most": "50", "lines": None},
            "validity": {"starts_after": {"days": 0}, "expiry": {"type": "fixed_period", "after": {"days": 30}}},
            "caps": {"per_transaction": 1, "per_store": 1000, "per_member": 1, "total": 5000},
            "redemption": {"when": None, "stores": ["S1"], "brands": None, "holder_only": False},
        }
    },
    "promotions": [
        {
            "id": "base",
            "title": "10 % back",
            "trigger": "transaction",
            "starts_at": "2025-01-01T00:00:00-05:00",
            "ends_at": None,
            "when": {
                "all": [
                    {"field": "store", "in": ["S1", "S2"]},
                    {"lines": {"field": "category", "is": "Food"}, "quantity": {"at_least": 2}},
                    {"any": [{"tracker": "spend", "crossed": True}, {"not": {"field": "amount", "less_than": 5}}]},
                    {"anniversary": "member.registered_on", "unit": "day"},
                ]
            },
            "priority": 0,
            "exclusive": None,
            "actions": [
                {
                    "type": "issue_currency",
                    "id": "earn",
                    "currency": "points",
                    "recipient": "member",
                    "proration": {
                        "type": "proportional",
                        "percent": "10",
                        "of": {"type": "transaction_value", "less": ["tax", "tenders.gift_card"]},
                    },
                    "rounding": {"value": "actual", "currency": "down"},
                    "expiry": {"type": "fixed_recurring", "month": 2, "day": 29},
                    "timing": {"type": "delayed", "days": 14},
                    "caps": {
                        "per_event": "500",
                        "per_member": {"amount": "2000", "window": {"type": "calendar", "unit": "month"}},
                        "total": {"times": 10000},
                    },
                    "on_return": "recompute",
                    "communication": {"template": "earned", "mandatory": ["email"], "priority": ["sms"]},
                },
                {
                    "type": "issue_currency",
                    "id": "again",
                    "currency": "points",
                    "proration": {
                        "type": "stepped",
                        "step_size": "5",
                        "points_per_step": "1",
                        "of": {"type": "awarded", "actions": ["base/earn"]},
                    },
                    "timing": {"type": "transaction_update", "when": {"field": "status", "is": "Shipped"}},
                    "expiry": {"type": "fixed_date", "on": "2025-12-25"},
                },
                {
                    "type": "issue_coupon",
                    "id": "thanks",
                    "coupon_type": "next-visit",
                    "quantity": 1,
                    "rounding": {"value": "actual", "currency": "nearest"},
                    "on_return": "void_if_unredeemed",
                },
            ],
        }
    ],
}
SALE = {
    "type": "transaction",
    "id": "T-1001",
    "occurred_at": "2025-01-15T10:00:00-05:00",
    "business_date": "2025-01-15",
    "amount": "120.50",
    "tax": "9.50",
    "tenders": [{"type": "card", "amount": "120.50"}, {"type": "cash", "amount": "-2.62"}],
    "currency": "USD",
    "exchange_rate": "1.1",
    "store": "S1",
    "member": {
        "id": "M1",
        "registered_on": "2023-06-10",
        "tags": ["staff"],
        "contacts": {"sms": "+15550100", "email": {"to": "m1@example.org", "consent": False}, "mobile_push": True},
        "extended_fields": {"renewal": "2025-09-01"},
    },
    "lines": [
        {"id": "1", "quantity": "1", "unit_price": "50", "tax": "4", "tags": ["linen"]},
        {"id": "2", "quantity": "-1", "value": "-17.38"},
    ],
    "custom_fields": {"tip": "10"},
}
ACTIVITY = {"type": "registration", "id": "A-1", "occurred_at": "2025-01-15T10:00:00Z", "member": {"id": "M1"}}
RETURN = {
    "type": "return",
    "id": "R-1",
    "occurred_at": "2025-01-20T10:00:00Z",
    "of": "T-1001",
    "amount": "50",
    "lines": [{"id": "1", "quantity": "1", "amount": "46", "extended_fields": {"nights": "2"}}],
    "tax": "4",
    "shipping": "0",
    "tip": "0",
    "tenders": [{"type": "card", "amount": "50"}],
}
UPDATE = {"type": "update", "id": "U-1", "occurred_at": "2025-01-20T10:00:00Z", "of": "T-1001", "status": "Shipped"}
CONFIRMATION = {
    "type": "confirmation",
    "id": "C-1",
    "occurred_at": "2025-01-20T10:00:00Z",
    "promise": "acme/T-1001/base/earn",
    "outcome": "issue",
}
SNAPSHOT = {
    "trackers": {"spend": "800"},
    "issued": {"base/earn": {"member": {"amount": "450", "times": 9}, "total": {"amount": "90000"}}},
    "limits": {"daily": "120"},
    "coupons": {"next-visit": {"store": 12, "member": 0, "total": 340}},
}
DOCUMENTS: dict[str, tuple[str, dict]] = {
    "program": ("program", PROGRAM),
    "sale": ("event", SALE),
    "activity": ("event", ACTIVITY),
    "return": ("event", RETURN),
    "update": ("event", UPDATE),
    "confirmation": ("event", CONFIRMATION),
    "snapshot": ("snapshot", SNAPSHOT),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_are_valid_before_the_mistakes(name: str) -> None:
    kind, document = DOCUMENTS[name]
    assert faults(kind, document) == []
    assert problems(kind, document) == []


def changed(document: dict, path: str, value: Any) -> dict:
    """Return a document with another value at a path, or without the value at that path."""
    document = copy.deepcopy(document)
    *way, last = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    holder: Any = document
    for step in way:
        holder = holder[step]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return document


ACTION = "promotions[0].actions[0]"
AGAIN = "promotions[0].actions[1]"
COUPONS = "promotions[0].actions[2]"
WHEN = "promotions[0].when"
TYPE = "coupon_types.next-visit"

# The mistake; the document, the path and the value there; the path (None: the same) and the code of the problem.
MISTAKES = [
    ("another format", "program", "format", "loyalty-rules/2", None, "not_a_choice"),
    ("an unknown key", "program", "curencies", {}, None, "unknown_key"),
    ("no id", "program", "id", ABSENT, None, "required"),
    ("null for a required key", "program", "id", None, None, "required"),
    ("an id with white space", "program", "id", "ac me", None, "not_an_id"),
    ("an id that is too long", "program", "id", "x" * 65, None, "not_an_id"),
    ("no time zone", "program", "time_zone", ABSENT, None, "required"),
    ("a time zone that is a number", "program", "time_zone", 5, None, "unknown_time_zone"),
    ("money in lower case", "program", "money", "usd", None, "not_a_currency_code"),
    ("no currencies", "program", "currencies", ABSENT, None, "required"),
    ("currencies in a list", "program", "currencies", [], None, "not_an_object"),
    ("no promotions", "program", "promotions", ABSENT, None, "required"),
    ("promotions in an object", "program", "promotions", {}, None, "not_a_list"),
    ("an unknown shortfall", "program", "shortfall", "forgive", None, "not_a_choice"),
    ("decimals beyond six", "program", "currencies.points.decimals", 7, None, "out_of_range"),
    ("decimals in a text", "program", "currencies.points.decimals", "0", None, "not_a_whole_number"),
    ("decimals with a fraction", "program", "currencies.points.decimals", 1.5, None, "not_a_whole_number"),
    ("a flag for a whole number", "program", "currencies.points.decimals", True, None, "not_a_whole_number"),
    ("an id beside its key", "program", "currencies.points.id", "points", None, "unknown_key"),
    ("a block of zero", "program", "currencies.points.redeem.block", "0", None, "out_of_range"),
    ("a rate without value", "program", "currencies.points.redeem.value", ABSENT, None, "required"),
    ("a limit per day", "program", "limits.daily.per", "day", None, "not_a_choice"),
    ("a negative limit", "program", "limits.daily.amount", "-1", None, "out_of_range"),
    ("an unknown window", "program", "limits.daily.window.type", "sliding", None, "not_a_choice"),
    ("a window without type", "program", "limits.daily.window.type", ABSENT, None, "required"),
    ("an unknown calendar unit", "program", "limits.daily.window.unit", "fortnight", None, "not_a_choice"),
    ("a rolling window of no days", "program", "trackers.spend.window.days", 0, None, "out_of_range"),
    ("a calendar's key in a rolling window", "program", "trackers.spend.window.unit", "day", None, "unknown_key"),
    ("no target", "program", "trackers.spend.target", ABSENT, None, "required"),
    ("a target of zero", "program", "trackers.spend.target", "0", None, "out_of_range"),
    ("a tracker base as a measure", "program", "trackers.spend.measure",
     {"type": "gap_after", "tracker": "spend"}, "trackers.spend.measure.type", "not_a_choice"),
    ("an award as a measure", "program", "trackers.spend.measure",
     {"type": "awarded", "currency": "points", "actions": []}, "trackers.spend.measure.actions", "unknown_key"),
    ("a tracker test for a tracker", "program", "trackers.spend.when",
     {"tracker": "spend", "reached": True}, None, "misplaced"),
    ("a tracker test deep in a tracker", "program", "trackers.spend.when",
     {"all": [{"not": {"tracker": "spend", "reached": True}}]}, "trackers.spend.when.all[0].not", "misplaced"),
    ("a line test in a line condition", "program", "trackers.spend.measure.lines",
     {"lines": {"field": "sku", "is": "TEA"}}, None, "misplaced"),
    ("an anniversary in a line condition", "program", "trackers.spend.measure.lines",
     {"anniversary": "member.registered_on", "unit": "day"}, None, "misplaced"),
    ("a tracker test in a line condition", "program", "trackers.spend.measure.lines",
     {"tracker": "spend", "crossed": True}, None, "misplaced"),
    ("an event's path in a line condition", "program", "trackers.spend.measure.lines.field", "store", None,
     "unknown_path"),
    ("an unknown aggregate", "program", "trackers.spend.measure.aggregate", "average", None, "not_a_choice"),
    ("a shared-code type without its code", "program", f"{TYPE}.serial_managed", False, f"{TYPE}.code", "required"),
    ("a flag in a text", "program", f"{TYPE}.serial_managed", "yes", None, "not_a_boolean"),
    ("an unknown benefit", "program", f"{TYPE}.benefit.type", "free_shipping", None, "not_a_choice"),
    ("a negative percentage off", "program", f"{TYPE}.benefit.percent", "-15", None, "out_of_range"),
    ("a rolling validity", "program", f"{TYPE}.validity.expiry", {"type": "rolling", "after": {"days": 3}}, None,
     "not_a_choice"),
    ("a negative period", "program", f"{TYPE}.validity.starts_after.days", -1, None, "out_of_range"),
    ("a period of hours", "program", f"{TYPE}.validity.starts_after", {"hours": 3},
     f"{TYPE}.validity.starts_after.hours", "unknown_key"),
    ("a coupon cap with a fraction", "program", f"{TYPE}.caps.total", "5.5", None, "not_a_whole_number"),
    ("a coupon cap below zero", "program", f"{TYPE}.caps.per_store", -1, None, "out_of_range"),
    ("stores in a text", "program", f"{TYPE}.redemption.stores", "S1", None, "not_a_list"),
    ("a store that is a number", "program", f"{TYPE}.redemption.stores", ["S1", 7], f"{TYPE}.redemption.stores[1]",
     "not_a_text"),
    ("a promotion without actions", "program", "promotions[0].actions", ABSENT, None, "required"),
    ("a promotion with a reserved id", "program", "promotions[0].id", "tracker", None, "reserved"),
    ("a promotion for returns", "program", "promotions[0].trigger", "return", None, "not_a_choice"),
    ("a title with a tabulator", "program", "promotions[0].title", "10 %\tback", None, "not_a_name"),
    ("an empty title", "program", "promotions[0].title", "", None, "out_of_range"),
    ("a naive start", "program", "promotions[0].starts_at", "2025-01-01T00:00:00", None, "naive_instant"),
    ("a start that is a date", "program", "promotions[0].starts_at", "2025-01-01", None, "not_an_instant"),
    ("a priority in a text", "program", "promotions[0].priority", "high", None, "not_a_whole_number"),
    ("a condition without any key", "program", WHEN, {}, None, "not_a_condition"),
    ("a condition in a text", "program", WHEN, "store is S1", None, "not_an_object"),
    ("all of something that is no list", "program", f"{WHEN}.all", {"field": "store", "is": "S1"}, None, "not_a_list"),
    ("a comparison without operators", "program", f"{WHEN}.all[0].in", ABSENT, f"{WHEN}.all[0]", "required"),
    ("a comparison with a null operator", "program", f"{WHEN}.all[0].in", None, f"{WHEN}.all[0]", "required"),
    ("an unknown operator", "program", f"{WHEN}.all[0].equals", "S1", None, "unknown_key"),
    ("in without a list", "program", f"{WHEN}.all[0].in", "S1", None, "not_a_list"),
    ("an operand that is an object", "program", f"{WHEN}.all[0].in[1]", {}, None, "not_an_operand"),
    ("an operand that is too large", "program", f"{WHEN}.all[0].in[1]", 10**15, None, "out_of_range"),
    ("exists with a text", "program", f"{WHEN}.all[0].exists", "yes", None, "not_a_boolean"),
    ("an unknown path", "program", f"{WHEN}.all[0].field", "stroe", None, "unknown_path"),
    ("a family without a name", "program", f"{WHEN}.all[0].field", "custom_fields.", None, "unknown_path"),
    ("a path of a line", "program", f"{WHEN}.all[0].field", "sku", None, "unknown_path"),
    ("a path that is a number", "program", f"{WHEN}.all[0].field", 5, None, "not_a_text"),
    ("two kinds of condition in one", "program", f"{WHEN}.all[0].tracker", "spend", f"{WHEN}.all[0]", "ambiguous"),
    ("a line test of two measures", "program", f"{WHEN}.all[1].count", {"at_least": 2}, f"{WHEN}.all[1]", "ambiguous"),
    ("a measure without operators", "program", f"{WHEN}.all[1].quantity", {}, None, "required"),
    ("a measure that is a number", "program", f"{WHEN}.all[1].quantity", 5, None, "not_an_object"),
    ("a tracker crossed and reached", "program", f"{WHEN}.all[2].any[0].reached", True, f"{WHEN}.all[2].any[0]",
     "required"),
    ("a tracker neither crossed nor reached", "program", f"{WHEN}.all[2].any[0].crossed", ABSENT,
     f"{WHEN}.all[2].any[0]", "required"),
    ("an anniversary of a week", "program", f"{WHEN}.all[3].unit", "week", None, "not_a_choice"),
    ("an anniversary of the event", "program", f"{WHEN}.all[3].anniversary", "local_date", None, "unknown_path"),
    ("an unknown action", "program", f"{ACTION}.type", "issue_points", None, "not_a_choice"),
    ("an action without type", "program", f"{ACTION}.type", ABSENT, None, "required"),
    ("an action without expiry", "program", f"{ACTION}.expiry", ABSENT, None, "required"),
    ("an action without proration", "program", f"{ACTION}.proration", ABSENT, None, "required"),
    ("a coupon's key in a currency's action", "program", f"{ACTION}.quantity", 1, None, "unknown_key"),
    ("an unknown recipient", "program", f"{ACTION}.recipient", "family", None, "not_a_choice"),
    ("an unknown proration", "program", f"{ACTION}.proration.type", "percentage", None, "not_a_choice"),
    ("a proration that is a number", "program", f"{ACTION}.proration", 10, None, "not_an_object"),
    ("a negative percentage", "program", f"{ACTION}.proration.percent", "-10", None, "out_of_range"),
    ("a percentage with an exponent", "program", f"{ACTION}.proration.percent", "1e1", None, "not_a_decimal"),
    ("a percentage with a comma", "program", f"{ACTION}.proration.percent", "10,5", None, "not_a_decimal"),
    ("a percentage with a sign", "program", f"{ACTION}.proration.percent", "10 %", None, "not_a_decimal"),
    ("a percentage of seven decimals", "program", f"{ACTION}.proration.percent", "0.1234567", None, "not_a_decimal"),
    ("a percentage of sixteen digits", "program", f"{ACTION}.proration.percent", 10**15, None, "out_of_range"),
    ("a percentage that is true", "program", f"{ACTION}.proration.percent", True, None, "not_a_decimal"),
    ("a proportional without base", "program", f"{ACTION}.proration.of", ABSENT, None, "required"),
    ("an unknown base", "program", f"{ACTION}.proration.of.type", "basket", None, "not_a_choice"),
    ("a base that is a text", "program", f"{ACTION}.proration.of", "transaction_value", None, "not_an_object"),
    ("a field base without field", "program", f"{ACTION}.proration.of", {"type": "transaction_custom_field"},
     f"{ACTION}.proration.of.field", "required"),
    ("a component subtracted twice", "program", f"{ACTION}.proration.of.less", ["tax", "tax"], None, "duplicate"),
    ("an unknown component", "program", f"{ACTION}.proration.of.less[0]", "discount", None, "not_a_choice"),
    ("a tender without a type", "program", f"{ACTION}.proration.of.less[1]", "tenders.", None, "out_of_range"),
    ("a step size of zero", "program", f"{AGAIN}.proration.step_size", "0", None, "out_of_range"),
    ("negative points a step", "program", f"{AGAIN}.proration.points_per_step", "-1", None, "out_of_range"),
    ("an action's key without promotion", "program", f"{AGAIN}.proration.of.actions[0]", "earn", None, "not_an_id"),
    ("an unknown rounding", "program", f"{ACTION}.rounding.value", "floor", None, "not_a_choice"),
    ("a month beyond twelve", "program", f"{ACTION}.expiry.month", 13, None, "out_of_range"),
    ("30 February", "program", f"{ACTION}.expiry.day", 30, None, "out_of_range"),
    ("31 June", "program", f"{ACTION}.expiry", {"type": "fixed_recurring", "month": 6, "day": 31},
     f"{ACTION}.expiry.day", "out_of_range"),
    ("an unknown expiry", "program", f"{ACTION}.expiry.type", "sometime", None, "not_a_choice"),
    ("a date in another order", "program", f"{AGAIN}.expiry.on", "25-12-2025", None, "not_a_date"),
    ("a date without zeros", "program", f"{AGAIN}.expiry.on", "2025-1-5", None, "not_a_date"),
    ("a rolling scope of all", "program", f"{AGAIN}.expiry",
     {"type": "rolling", "after": {"days": 1}, "scope": "all"}, f"{AGAIN}.expiry.scope", "not_a_choice"),
    ("a negative delay", "program", f"{ACTION}.timing.days", -1, None, "out_of_range"),
    ("an update without condition", "program", f"{AGAIN}.timing.when", ABSENT, None, "required"),
    ("an unknown timing", "program", f"{AGAIN}.timing.type", "later", None, "not_a_choice"),
    ("a cap of amount and times", "program", f"{ACTION}.caps.per_member.times", 5, f"{ACTION}.caps.per_member",
     "required"),
    ("a cap of neither", "program", f"{ACTION}.caps.per_member.amount", ABSENT, f"{ACTION}.caps.per_member",
     "required"),
    ("a cap that is a number", "program", f"{ACTION}.caps.total", 10000, None, "not_an_object"),
    ("a coupon's policy on a currency", "program", f"{ACTION}.on_return", "void_if_unredeemed", None, "not_a_choice"),
    ("a communication without template", "program", f"{ACTION}.communication.template", ABSENT, None, "required"),
    ("channels in a text", "program", f"{ACTION}.communication.priority", "sms", None, "not_a_list"),
    ("a coupon action without type of coupon", "program", f"{COUPONS}.coupon_type", ABSENT, None, "required"),
    ("half a coupon", "program", f"{COUPONS}.quantity", "0.5", None, "not_a_whole_number"),
    ("too many coupons", "program", f"{COUPONS}.quantity", 10_001, None, "out_of_range"),
    ("an unknown proration of coupons", "program", f"{COUPONS}.quantity", {"type": "some"},
     f"{COUPONS}.quantity.type", "not_a_choice"),
    ("a number of coupons rounded as it is", "program", f"{COUPONS}.rounding.currency", "actual", None,
     "not_a_choice"),
    ("an event without type", "sale", "type", ABSENT, None, "required"),
    ("an event whose type is a number", "sale", "type", 5, None, "not_a_text"),
    ("a sale without id", "sale", "id", ABSENT, None, "required"),
    ("a sale without amount", "sale", "amount", ABSENT, None, "required"),
    ("an id with white space at its end", "sale", "id", "T-1001 ", None, "not_a_name"),
    ("a naive instant", "sale", "occurred_at", "2025-01-15T10:00:00", None, "naive_instant"),
    ("an instant before 1970", "sale", "occurred_at", "1969-12-31T23:59:59Z", None, "out_of_range"),
    ("an instant without seconds", "sale", "occurred_at", "2025-01-15T10:00Z", None, "not_an_instant"),
    ("a business date after 9998", "sale", "business_date", "9999-01-01", None, "out_of_range"),
    ("a negative tax", "sale", "tax", "-1", None, "out_of_range"),
    ("a tender without amount", "sale", "tenders[0].amount", ABSENT, None, "required"),
    ("an exchange rate of zero", "sale", "exchange_rate", "0", None, "out_of_range"),
    ("an exchange rate that is too fine", "sale", "exchange_rate", "0.0000000000001", None, "not_a_decimal"),
    ("a member without id", "sale", "member.id", ABSENT, None, "required"),
    ("tags in a text", "sale", "member.tags", "staff", None, "not_a_list"),
    ("a contact that is a number", "sale", "member.contacts.sms", 5, None, "not_a_contact"),
    ("an unknown key of a contact", "sale", "member.contacts.email.adress", "x", None, "unknown_key"),
    ("a contact's consent in a text", "sale", "member.contacts.email.consent", "no", None, "not_a_boolean"),
    ("free-form fields in a list", "sale", "custom_fields", [], None, "not_an_object"),
    ("a line without id", "sale", "lines[0].id", ABSENT, None, "required"),
    ("a line without value and price", "sale", "lines[0].unit_price", ABSENT, "lines[0]", "required"),
    ("a negative tax of a line", "sale", "lines[0].tax", "-1", None, "out_of_range"),
    ("an activity with an amount", "activity", "amount", "5", None, "unknown_key"),
    ("an activity with lines", "activity", "lines", [], None, "unknown_key"),
    ("an activity without instant", "activity", "occurred_at", ABSENT, None, "required"),
    ("a return of nothing", "return", "of", ABSENT, None, "required"),
    ("a negative return", "return", "amount", "-50", None, "out_of_range"),
    ("a negative quantity returned", "return", "lines[0].quantity", "-1", None, "out_of_range"),
    ("a negative amount returned of a line", "return", "lines[0].amount", "-1", None, "out_of_range"),
    ("fields returned in a list", "return", "lines[0].extended_fields", [], None, "not_an_object"),
    ("a negative tax returned", "return", "tax", "-1", None, "out_of_range"),
    ("a negative postage returned", "return", "shipping", "-1", None, "out_of_range"),
    ("a negative tip returned", "return", "tip", "-1", None, "out_of_range"),
    ("a returned tender without amount", "return", "tenders[0].amount", ABSENT, None, "required"),
    ("returned tenders in an object", "return", "tenders", {"card": "50"}, None, "not_a_list"),
    ("a return of a line's value", "return", "lines[0].value", "50", None, "unknown_key"),
    ("an update of the amount", "update", "amount", "5", None, "unknown_key"),
    ("an update of nothing", "update", "of", ABSENT, None, "required"),
    ("an unknown outcome", "confirmation", "outcome", "maybe", None, "not_a_choice"),
    ("a confirmation of nothing", "confirmation", "promise", ABSENT, None, "required"),
    ("an unknown part of a snapshot", "snapshot", "coupon", {}, None, "unknown_key"),
    ("a negative number of times", "snapshot", "issued.base/earn.member.times", -1,
     "issued['base/earn'].member.times", "out_of_range"),
    ("a tracker with an exponent", "snapshot", "trackers.spend", "1e3", None, "not_a_decimal"),
    ("a tracker that is null", "snapshot", "trackers.spend", None, None, "not_a_decimal"),
    ("a negative limit drawn", "snapshot", "limits.daily", "-1", None, "out_of_range"),
    ("a count of coupons in a text", "snapshot", "coupons.next-visit.store", "12", None, "not_a_whole_number"),
    ("trackers in a list", "snapshot", "trackers", [], None, "not_an_object"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "value", "at", "code"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_the_schema_and_the_loader_refuse_a_mistake(
    name: str, path: str, value: Any, at: str | None, code: str
) -> None:
    kind, document = DOCUMENTS[name]
    mistaken = changed(document, path, value)
    assert faults(kind, mistaken)
    found = problems(kind, mistaken)
    assert (f"$.{at or path}", code) in found
    assert {each for _, each in found} <= {code, "unknown_reference"}  # references to the invalid part fail, too


# -- rules of the loader alone ---------------------------------------------------------------------------------------

SPEND = PROGRAM["trackers"]["spend"]  # type: ignore[index]
EARN, LINE = PROGRAM["promotions"][0]["actions"][0], SALE["lines"][0]  # type: ignore[index]


def nested(levels: int) -> dict:
    return functools.reduce(lambda part, _: {"not": part}, range(levels), {"field": "store", "is": "S1"})


ONLY_THE_LOADER = [
    ("a currency that does not exist", "program", f"{ACTION}.currency", "miles", None, "unknown_reference"),
    ("a limit of an unknown currency", "program", "limits.daily.currency", "miles", None, "unknown_reference"),
    ("a type of coupon that does not exist", "program", f"{COUPONS}.coupon_type", "gift", None, "unknown_reference"),
    ("a test of a tracker that does not exist", "program", f"{WHEN}.all[2].any[0].tracker", "visits", None,
     "unknown_reference"),
    ("a base of a tracker that does not exist", "program", f"{ACTION}.proration.of",
     {"type": "surplus", "tracker": "visits"}, f"{ACTION}.proration.of.tracker", "unknown_reference"),
    ("an award of a later action", "program", f"{AGAIN}.proration.of.actions[0]", "base/later", None,
     "unknown_reference"),
    ("an award of the action itself", "program", f"{AGAIN}.proration.of.actions[0]", "base/again", None,
     "unknown_reference"),
    ("a promotion's id that occurs twice", "program", "promotions", PROGRAM["promotions"] * 2,  # type: ignore[operator]
     "promotions[1].id", "duplicate_id"),
    ("an action's id that occurs twice", "program", f"{AGAIN}.id", "earn", None, "duplicate_id"),
    ("a line's id that occurs twice", "sale", "lines", [LINE, LINE], "lines[1].id", "duplicate_id"),
    ("a time zone that does not exist", "program", "time_zone", "America/Springfield", None, "unknown_time_zone"),
    ("a date that does not exist", "program", f"{AGAIN}.expiry.on", "2025-02-29", None, "not_a_date"),
    ("an instant on such a date", "program", "promotions[0].starts_at", "2025-02-29T00:00:00Z", None,
     "not_an_instant"),
    ("a business date that does not exist", "sale", "business_date", "2025-04-31", None, "not_a_date"),
    ("a character that is not seen", "sale", "store", "S\u200b1", None, "not_a_name"),
    ("a line break at the end, where $ is that of Python", "sale", "store", "S1\n", None, "not_a_name"),
    ("a lone surrogate in an operand", "program", f"{WHEN}.all[0].is", "\ud800", None, "not_a_text"),
    ("a period whose parts are too long together", "program", f"{TYPE}.validity.starts_after",
     {"years": 99, "days": 400}, None, "out_of_range"),
    ("a condition of 33 levels", "program", WHEN, nested(32), f"{WHEN}{'.not' * 32}", "too_deep"),
    ("a free-form field of 33 levels", "sale", "custom_fields.x",
     functools.reduce(lambda part, _: [part], range(32), 5), "custom_fields", "too_large"),
    ("ten thousand free-form values", "sale", "custom_fields.x", [0] * 10_000, "custom_fields", "too_large"),
    ("a number in the text of seven decimals", "sale", "amount", 0.1234567, None, "out_of_range"),
    ("a number in the text with an exponent", "sale", "amount", 0.00001, None, "not_a_decimal"),
    ("a whole number with a fraction of zero", "program", "promotions[0].priority", 1.0, None, "not_a_whole_number"),
]  # fmt: skip
"""Documents that the schema accepts and the loader refuses: a schema cannot express these rules."""


@pytest.mark.parametrize(
    ("name", "path", "value", "at", "code"),
    [row[1:] for row in ONLY_THE_LOADER],
    ids=[row[0] for row in ONLY_THE_LOADER],
)
def test_the_loader_refuses_mistakes_that_a_schema_cannot_express(
    name: str, path: str, value: Any, at: str | None, code: str
) -> None:
    kind, document = DOCUMENTS[name]
    mistaken = changed(document, path, value)
    assert faults(kind, mistaken) == []
    assert problems(kind, mistaken) == [(f"$.{at or path}", code)]


def test_only_the_loader_refuses_a_float_in_a_mapping() -> None:
    mistaken = {**SALE, "amount": 120.5}
    assert faults("event", mistaken) == []
    with pytest.raises(DocumentError, match=r"\$\.amount: a float is not exact"):
        load_event(mistaken)
    assert problems("event", mistaken) == []  # the same number in a text is exact


def test_only_the_loader_refuses_a_repeated_key_in_a_text() -> None:
    text = json.dumps(SALE).replace('"store": "S1"', '"store": "S1", "store": "S2"')
    assert faults("event", json.loads(text)) == []
    with pytest.raises(DocumentError, match=r"the key 'store' occurs 2 times"):
        load_event(text)


PLACES = [
    ("a name that refers to nothing is reported once", "program", "limits.daily.currency", "miles",
     "$.limits.daily.currency"),
    ("a program has a format", "program", "format", ABSENT, "$.format"),
    ("a program's format is not null", "program", "format", None, "$.format"),
    ("a period has a part", "program", f"{TYPE}.validity.starts_after", {}, f"$.{TYPE}.validity.starts_after"),
    ("a null part counts as absent", "program", f"{TYPE}.validity.starts_after", {"weeks": None},
     f"$.{TYPE}.validity.starts_after"),
    ("an action that is null is named", "program", ACTION, None, f"$.{ACTION}"),
    ("an action that is a number is named", "program", ACTION, 5, f"$.{ACTION}"),
    ("the channel is named", "sale", "member.contacts", {" x": True}, "$.member.contacts[' x']"),
    ("a key that is no id is named", "program", "currencies", {"po ints": {}}, "$.currencies['po ints']"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "value", "at"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_the_loader_reports_the_path_of_the_mistake(name: str, path: str, value: Any, at: str) -> None:
    kind, document = DOCUMENTS[name]
    with pytest.raises(DocumentError) as caught:
        LOADERS[kind](json.dumps(changed(document, path, value)))
    paths = [problem.path for problem in caught.value.problems]
    assert at in paths
    assert "$" not in paths


@pytest.mark.parametrize(
    ("name", "path", "value"), [row[1:4] for row in PLACES[1:]], ids=[row[0] for row in PLACES[1:]]
)
def test_the_schema_refuses_the_same_mistakes(name: str, path: str, value: Any) -> None:
    kind, document = DOCUMENTS[name]
    assert faults(kind, changed(document, path, value))


@pytest.mark.parametrize("path", ["tital", f"{TYPE}.benefit.least", f"{WHEN}.all[0].all"])
def test_only_the_schema_refuses_null_under_an_unknown_key(path: str) -> None:
    mistaken = changed(PROGRAM, path, None)
    assert faults("program", mistaken)
    assert problems("program", mistaken) == []  # null means absent


# -- random mistakes--------------------------------------------------------------------------------------------------

VALUES = (
    *(None, True, False, 0, 1, -1, 5, 12, 31, 10_000, 10**15, 1.5, "", " ", "x", "x y", "x/y", "0", "1", "-1", "10.5"),
    *("1e3", "1.5.5", "USD", "2025-01-15", "2025-01-15T10:00:00Z", "2025-01-15T10:00:00", "store", "amount", "sku"),
    *("never", "count", "member", "transaction", "return", "actual", "tax", [], ["x"], [5], [None], {}, {"x": 1}),
    *({"type": "never"}, {"type": "x"}, {"days": 1}, {"field": "store", "is": "S1"}, {"all": []}, {"lines": {}}),
)
FREE_FORM = {"custom_fields", "extended_fields"}


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every object or list of a document with each of its keys or positions, except in free-form fields."""
    if isinstance(document, (dict, list)):
        for step in document if isinstance(document, dict) else range(len(document)):
            yield document, step
            if step not in FREE_FORM:
                yield from places(document[step])


def mutated(document: dict, chance: random.Random) -> dict:
    """Return the document with one key removed, renamed, or given another value."""
    document = copy.deepcopy(document)
    holder, step = chance.choice([*places(document)])
    change = chance.randrange(4)
    if change == 0:
        del holder[step]
    elif change == 1 and isinstance(holder, dict) and holder[step] is not None:
        holder[chance.choice(["type", "id", "field", "of", "is", "x", f"{step}s"])] = holder.pop(step)
    else:
        holder[step] = copy.deepcopy(chance.choice(VALUES))
    return document


NAMES = {
    *("unknown_reference", "duplicate_code", "duplicate_id", "unknown_time_zone"),
    *("unreachable", "no_rate", "misplaced"),
}
"""The codes of `ONLY_THE_LOADER` that a mutation can cause."""


LOADED_ALONE = re.compile(r"\.bands\[|\.starts_after$")
"""The paths of mistakes that a schema cannot express, whatever their code."""


def without_nulls(document: Any) -> Any:
    """Return the document without nulls, which mean absent."""
    if isinstance(document, list):
        return [without_nulls(each) for each in document]
    if not isinstance(document, dict):
        return document
    return {key: without_nulls(each) for key, each in document.items() if each is not None}


@pytest.mark.parametrize(
    ("kind", "position", "times"),
    [("program", 0, 2), ("event", 1, 4), ("snapshot", 2, 3)],
    ids=["program", "event", "snapshot"],
)
@pytest.mark.slow
def test_schema_and_loader_agree_on_random_mistakes(kind: str, position: int, times: int) -> None:
    chance = random.Random(7)
    outcomes = {True: 0, False: 0}
    for case in drawn():
        for _ in range(times if case[position] else 0):
            document = mutated(case[position], chance)  # type: ignore[arg-type]
            found, is_valid = problems(kind, document), validator(kind).is_valid(document)
            if is_valid:
                # JSON Schema cannot compare the ends of bands, nor add periods to dates.
                assert {code for path, code in found if not LOADED_ALONE.search(path)} <= NAMES, (document, found)
            else:
                assert found or faults(kind, without_nulls(document)) == [], document
            outcomes[is_valid] += 1
    assert min(outcomes.values()) > 50
