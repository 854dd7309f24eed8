"""JSON Schema of the documents, for editors and for hosts that check before they load. Source: documents.

Nothing of a document is said a second time here: keys, defaults and choices are walked off the classes, whose
docstrings become the descriptions. Two things an annotation can't say stand in a table each: what a field's reader
accepts (`_READERS`) and what a class asks of its fields together (`_RULES`). A reader or a rule without a row is an
error, so that neither is forgotten.

What the schema refuses, the loader refuses, but for a null under a key that there is not: null means absent. A few
things only the loader can tell: that a name stands for something, that an id comes once, that a date or a time zone
exists, that a number in a text has no exponent, and the sizes against which it guards.
"""

import inspect
import re
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

import attrs

from loyalty_rules import events, intents, program
from loyalty_rules.documents.structuring import fields_of, is_keyed, key_of, tags_of, unstructure
from loyalty_rules.errors import LoyaltyError
from loyalty_rules.keys import RESERVED_PROMOTION_IDS
from loyalty_rules.rules import (
    base_values,
    caps,
    conditions,
    coupons,
    expiry,
    promotions,
    proration,
    timing,
    trackers,
    windows,
)
from loyalty_rules.rules.conditions import (
    ANNIVERSARY_SCOPE,
    CONTRIBUTION_SCOPE,
    EVENT_SCOPE,
    LINE_SCOPE,
    OPERATORS,
    Scope,
)
from loyalty_rules.schema.scalars import SCALARS
from loyalty_rules.values import amounts, checked, dates, identifiers

__all__ = ["KINDS", "UnknownFormError", "schema"]

Json: TypeAlias = dict[str, Any]
Reader: TypeAlias = Callable[..., Any]

KINDS = ("program", "event", "snapshot", "evaluation")
_TITLES = dict(zip(KINDS, ("Loyalty program", "Loyalty event", "Loyalty snapshot", "Loyalty evaluation"), strict=True))
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class UnknownFormError(LoyaltyError, LookupError):
    """A field or a class of which this module does not know how a document writes it: it needs a row in a table."""


def schema(kind: str) -> Json:
    """Give the JSON Schema (draft 2020-12) of one of the `KINDS` of document.

    An event's schema is that of all its types. Numbers are texts, or numbers as a JSON or TOML text holds them; a
    Python float in a mapping is refused by the loader all the same.
    """
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}, found {kind!r}")
    walk = _Walk()
    body = walk.event() if kind == "event" else walk.object(_ROOTS[kind], EVENT_SCOPE)
    head = {"$schema": _DIALECT, "$id": f"urn:loyalty-rules:{kind}:1"}
    return {**head, **body, "title": _TITLES[kind], "$defs": walk.definitions}


_ROOTS: Mapping[str, type] = {
    "program": program.Program,
    "snapshot": events.Snapshot,
    "evaluation": program.Evaluation,
}


# -- the walk --------------------------------------------------------------------------------------------------------


class _Walk:
    """One walk over the classes of a document; what is shared or holds itself is gathered in `definitions`."""

    def __init__(self) -> None:
        self.definitions: Json = {}

    def shared(self, name: str, make: Callable[[], Json]) -> Json:
        """Refer to a definition, making it where it is met for the first time."""
        if name not in self.definitions:
            self.definitions[name] = {}  # holds the place: a condition holds conditions
            self.definitions[name] = make()
        return {"$ref": f"#/$defs/{name}"}

    def scalar(self, name: str) -> Json:
        return self.shared(name, lambda: SCALARS[name])

    # -- classes -----------------------------------------------------------------------------------------------------

    def instance(self, cls: type, scope: Scope = EVENT_SCOPE, *, keyed: bool = False) -> Json:
        """Refer to the objects of a class; a condition's differ by where it stands."""
        prefix = f"{_SCOPE_NAMES[scope]}_" if cls in get_args(conditions.Condition) else ""
        name = prefix + _snake(cls.__name__)
        if name in SCALARS or name in _UNIONS:
            raise UnknownFormError(f"{cls.__name__} would be defined under a name that is taken: {name}")
        return self.shared(name, lambda: self.object(cls, scope, keyed=keyed))

    def object(self, cls: type, scope: Scope, *, keyed: bool = False) -> Json:
        """Describe the objects of a class; with `keyed`, those whose id is the key under which they stand."""
        tag = getattr(cls, "type", None)
        properties: Json = {"type": {"const": tag}} if isinstance(tag, str) else {}
        required = [*properties]
        for key, field in fields_of(cls).items():
            if not field.eq or (keyed and key == "id"):  # what is not compared is not said
                continue
            properties[key] = self.field(cls, key, field, _scope_of(cls, key, scope))
            if _is_required(field):
                required.append(key)
        return _with_rules(
            cls,
            {
                "title": _words(cls.__name__),
                "description": _first_sentence(cls),
                "type": "object",
                "properties": properties,
                **({"required": required} if required else {}),
                "additionalProperties": False,
            },
        )

    def field(self, cls: type, key: str, field: "attrs.Attribute[Any]", scope: Scope) -> Json:
        """Describe what may stand under a key: null, too, where the key may be absent."""
        try:
            held = self.held(cls, key, field, scope)
        except UnknownFormError as error:
            raise UnknownFormError(f"{cls.__name__}.{field.name}: {error}") from None
        return held if _is_required(field) else {**_or_null(held), **_default(field)}

    def held(self, cls: type, key: str, field: "attrs.Attribute[Any]", scope: Scope) -> Json:
        if is_keyed(field):
            return self.keyed(get_args(field.type)[0])
        if (cls, key) in _PATHS:
            return self.path(_PATHS[cls, key] or scope)
        read = _reader(field)
        if read is None:
            return self.annotated(field.type, scope)
        if read not in _READERS:
            raise UnknownFormError(f"what {read.__module__}.{read.__qualname__} reads is not known to the schema")
        return _READERS[read](self, scope)

    def keyed(self, cls: type) -> Json:
        """Describe values by their ids."""
        ids = self.field(cls, "id", fields_of(cls)["id"], EVENT_SCOPE)
        return {
            "type": "object",
            "propertyNames": ids,
            "additionalProperties": _or_null(self.instance(cls, keyed=True)),
        }

    # -- annotations -------------------------------------------------------------------------------------------------

    def annotated(self, annotation: Any, scope: Scope) -> Json:
        """Describe what an annotation allows."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return {"const": arguments[0]} if len(arguments) == 1 else {"enum": [*arguments]}
        if origin is tuple:
            return {"type": "array", "items": self.annotated(arguments[0], scope)}
        if origin in (Union, types.UnionType):
            return self.union(arguments, scope)
        if annotation in _PLAIN:
            return _PLAIN[annotation](self, scope)
        if attrs.has(annotation):
            return self.instance(annotation, scope)
        raise UnknownFormError(f"what the annotation {annotation} allows is not known to the schema")

    def union(self, arguments: tuple[Any, ...], scope: Scope) -> Json:
        alternatives = [each for each in arguments if each is not types.NoneType]
        if len(alternatives) < len(arguments):
            return _or_null(self.annotated(Union[tuple(alternatives)], scope))  # noqa: UP007  (made, not written)
        if set(alternatives) == set(get_args(conditions.Condition)):
            return self.condition(scope)
        return self.tagged(Union[tuple(alternatives)], scope)  # noqa: UP007

    def tagged(self, union: Any, scope: Scope = EVENT_SCOPE) -> Json:
        """Refer to the objects of which `type` says which one it is."""
        known = [name for name, each in _UNIONS.items() if set(get_args(each)) == set(get_args(union))]
        if not known:
            raise UnknownFormError(f"the union {union} has no name in the schema")
        name = known[0]
        return self.shared(name, lambda: self.by_tag(name, tags_of(union), scope))

    def by_tag(self, name: str, tags: Mapping[str, type], scope: Scope) -> Json:
        # If and then, not oneOf: an editor then tells what is wrong with the one that was meant, not with each.
        told = "\n".join(f"- `{tag}`: {_first_sentence(cls)}" for tag, cls in tags.items())
        return {
            "title": _words(name),
            "description": f"One of\n{told}",
            "type": "object",
            "properties": {"type": {"enum": [*tags]}},
            "required": ["type"],
            "allOf": [_if_type(tag, self.instance(cls, scope)) for tag, cls in tags.items()],
        }

    # -- conditions --------------------------------------------------------------------------------------------------

    def condition(self, scope: Scope) -> Json:
        """Refer to a condition that may stand in a scope: the key that it has says which one it is."""
        return self.shared(f"{_SCOPE_NAMES[scope]}_condition", lambda: self.by_key(scope))

    def by_key(self, scope: Scope) -> Json:
        kinds = {key_of(_first_field(cls)): cls for cls in get_args(conditions.Condition) if _may_stand(cls, scope)}
        told = "\n".join(f"- `{key}`: {_first_sentence(cls)}" for key, cls in kinds.items())
        return {
            "title": _words(f"condition on {scope.name}"),
            "description": f"What {scope.name} is asked. The key says what is asked:\n{told}",
            "type": "object",
            "properties": {key: {"description": _first_sentence(cls)} for key, cls in kinds.items()},
            "anyOf": [{"required": [key]} for key in kinds],
            "allOf": [_if_has(key, self.instance(cls, scope)) for key, cls in kinds.items()],
        }

    def path(self, scope: Scope) -> Json:
        """Refer to the paths of a scope: those that are named, and the families under which names are the host's."""
        families = "|".join(re.escape(family) for family in scope.families)
        return self.shared(
            f"{_SCOPE_NAMES[scope]}_path",
            lambda: {
                "title": _words(f"path of {scope.name}"),
                "description": "A path: " + ", ".join([*scope.paths, *(f"{each}NAME" for each in scope.families)]),
                "type": "string",
                "anyOf": [{"enum": [*scope.paths]}, {"pattern": rf"^(?:{families})[\s\S]{{1,128}}$"}],
            },
        )

    # -- events ------------------------------------------------------------------------------------------------------

    def event(self) -> Json:
        """Describe an event: a type that is none of the four documents is the name of an activity."""
        told = "\n".join(f"- `{tag}`: {_first_sentence(cls)}" for tag, cls in events.EVENT_TYPES.items())
        return {
            "description": f"What happened: an activity, by the name of its type, or one of\n{told}",
            "type": "object",
            "properties": {"type": {**self.scalar("name"), "examples": [*events.EVENT_TYPES, "registration"]}},
            "required": ["type"],
            "allOf": [
                *(_if_type(tag, self.instance(cls)) for tag, cls in events.EVENT_TYPES.items()),
                {
                    "if": {"properties": {"type": {"enum": [*events.EVENT_TYPES]}}},
                    "else": self.instance(events.Activity),
                },
            ],
        }


_UNIONS: Mapping[str, Any] = {
    "action": promotions.Action,
    "base_value": base_values.BaseValue,
    "benefit": coupons.Benefit,
    "expiry": expiry.Expiry,
    "intent": intents.Intent,
    "measure_of_tracker": trackers.MeasuredBy,
    "proration": proration.Proration,
    "timing": timing.Timing,
    "window": windows.Window,
}
"""The unions whose classes are told apart by `type`, by the names that they have in the schema."""

_SCOPE_NAMES: Mapping[Scope, str] = {
    EVENT_SCOPE: "event",
    CONTRIBUTION_SCOPE: "measured_event",
    LINE_SCOPE: "line",
    ANNIVERSARY_SCOPE: "anniversary",
}

_PATHS: Mapping[tuple[type, str], Scope | None] = {
    (conditions.Comparison, "field"): None,  # of the scope in which it stands
    (conditions.Anniversary, "anniversary"): ANNIVERSARY_SCOPE,
}


def _scope_of(cls: type, key: str, scope: Scope) -> Scope:
    """Say what the conditions under a key are asked of."""
    if key == "lines":
        return LINE_SCOPE
    if cls is trackers.Tracker:
        return CONTRIBUTION_SCOPE
    return scope if cls in get_args(conditions.Condition) else EVENT_SCOPE


def _may_stand(cls: type, scope: Scope) -> bool:
    if cls is conditions.TrackerTest:
        return scope.tracker_tests
    return scope.line_tests or cls not in (conditions.LineTest, conditions.Anniversary)


def _first_field(cls: type) -> str:
    """Give the field whose key tells a condition from the others: the first that is required."""
    required: list[str] = [field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING]
    return required[0]


def _reader(field: "attrs.Attribute[Any]") -> Reader | None:
    """Give the function that reads a field, or None where the annotation says it all."""
    if field.converter is None:
        return None
    read = checked.reader_of(field)
    if read.__qualname__.startswith("optional."):
        read = inspect.getclosurevars(read).nonlocals["converter"]
    return None if read.__module__ == checked.__name__ else read


def _is_required(field: "attrs.Attribute[Any]") -> bool:
    """Say whether a document must hold a field: one without default, and one that marks what the document is."""
    marks = get_origin(field.type) is Literal and len(get_args(field.type)) == 1
    return marks or field.default is attrs.NOTHING


def _default(field: "attrs.Attribute[Any]") -> Json:
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    if default is None:
        return {}
    return {"default": {} if is_keyed(field) and not default else _without_nulls(unstructure(default))}


def _without_nulls(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    return {key: _without_nulls(each) for key, each in document.items() if each is not None}


# -- parts of schemas ------------------------------------------------------------------------------------------------


def _or_null(held: Json) -> Json:
    """Allow null, too."""
    if "enum" in held:
        return {**held, "enum": [*held["enum"], *([] if None in held["enum"] else [None])]}
    if "const" in held:
        return {"enum": [held["const"], None]}
    kind = held.get("type")
    if kind is not None:
        kinds = kind if isinstance(kind, list) else [kind]
        return {**held, "type": [*kinds, *([] if "null" in kinds else ["null"])]}
    if {"type": "null"} in held.get("anyOf", ()):
        return held
    return {"anyOf": [held, {"type": "null"}]}


def _if_type(tag: str, then: Json) -> Json:
    return {"if": {"properties": {"type": {"const": tag}}, "required": ["type"]}, "then": then}


def _if_has(key: str, then: Json) -> Json:
    return {"if": {"required": [key]}, "then": then}


def _given(key: str) -> Json:
    """The key stands there, and not with null, which means absent."""
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _one_of(*keys: str) -> Json:
    return {"oneOf": [_given(key) for key in keys]}


def _any_of(*keys: str) -> Json:
    return {"anyOf": [_given(key) for key in keys]}


def _at_most_one_of(*keys: str) -> Json:
    return {
        "allOf": [
            {"if": _given(key), "then": {"properties": {other: {"type": "null"} for other in keys if other != key}}}
            for key in keys
        ]
    }


def _at_most(key: str, most: int) -> Json:
    return {"properties": {key: {"maxItems": most}}}


def _words(name: str) -> str:
    text = _snake(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _first_sentence(cls: type) -> str:
    text = " ".join((inspect.getdoc(cls) or "").split())
    if not text:
        raise UnknownFormError(f"{cls.__name__} has no docstring of which an editor could show the first sentence")
    first: str = re.split(r"(?<=[.…]) (?=[^a-z])", text, maxsplit=1)[0]
    return first


# -- readers ---------------------------------------------------------------------------------------------------------

Form: TypeAlias = Callable[[_Walk, Scope], Json]


def _scalar(name: str, **more: Any) -> Form:
    return lambda walk, _: {**walk.scalar(name), **more}


def _whole(least: int, most: int) -> Form:
    return lambda _walk, _scope: {"type": "integer", "minimum": least, "maximum": most}


def _list(item: Form, **more: Any) -> Form:
    return lambda walk, scope: {
        "type": "array",
        "items": item(walk, scope),
        "maxItems": identifiers._MAX_LIST,
        **more,
    }


def _by_name(item: Form) -> Form:
    return lambda walk, scope: {
        "type": "object",
        "propertyNames": walk.scalar("text"),
        "additionalProperties": item(walk, scope),
        "maxProperties": identifiers._MAX_LIST,
    }


def _instance_of(cls: type) -> Form:
    return lambda walk, _: walk.instance(cls)


def _condition(walk: _Walk, scope: Scope) -> Json:
    return walk.condition(scope)


def _contacts(walk: _Walk, _: Scope) -> Json:
    contact = {
        "type": ["string", "boolean", "object", "null"],
        "maxLength": identifiers._MAX_TEXT,
        "if": {"type": "object"},
        "then": walk.instance(events.Contact),
    }
    name = walk.scalar("name")
    return {
        "type": "object",
        "propertyNames": name,
        "additionalProperties": contact,
        "maxProperties": identifiers._MAX_LIST,
    }


def _quantity(walk: _Walk, _: Scope) -> Json:
    return {
        "description": "How many: a whole number, or a proration whose result is rounded to one.",
        "type": ["integer", "object"],
        "minimum": 0,
        "maximum": promotions.MAX_COUPONS,
        "if": {"type": "object"},
        "then": walk.tagged(proration.Proration),
    }


def _validity_expiry(walk: _Walk, scope: Scope) -> Json:
    tags = {tag: cls for tag, cls in tags_of(expiry.Expiry).items() if cls is not expiry.Rolling}
    return walk.shared("coupon_expiry", lambda: walk.by_tag("coupon_expiry", tags, scope))


_READERS: Mapping[Reader, Form] = {
    amounts.read_count: _whole(0, amounts._LIMIT - 1),
    amounts.read_decimal: _scalar("decimal"),
    amounts.read_drawn: _scalar("drawn"),
    amounts.read_non_negative: _scalar("non_negative"),
    amounts.read_positive: _scalar("positive"),
    amounts.read_rate: _scalar("rate"),
    base_values._read_action_keys: _list(_scalar("action_key")),
    base_values._read_less: _list(_scalar("component"), uniqueItems=True),
    conditions._read_conditions: _list(_condition),
    conditions._read_operand: _scalar("operand"),
    conditions._read_operands: _list(_scalar("operand")),
    conditions.read_condition: _condition,
    coupons._read_validity_expiry: _validity_expiry,
    dates._part: _whole(0, 36_500),
    dates.read_date: _scalar("date"),
    dates.read_event_date: _scalar("date_of_event"),
    dates.read_event_instant: _scalar("instant_of_event"),
    dates.read_instant: _scalar("instant"),
    dates.read_zone: _scalar("time_zone"),
    events._read_activity_type: _scalar("name", **{"not": {"enum": [*events.EVENT_TYPES]}}),
    events._read_contact_to: lambda _walk, _: {"type": ["string", "boolean"], "maxLength": identifiers._MAX_TEXT},
    events._read_contacts: _contacts,
    events._read_coupon_counts: _by_name(_instance_of(events.CouponCounts)),
    events._read_issued: _by_name(_instance_of(events.Issued)),
    events._read_drawn: _by_name(_scalar("drawn")),
    events._read_sums: _by_name(_scalar("sum")),
    expiry._read_day: _whole(1, 31),
    expiry._read_month: _whole(1, 12),
    identifiers.read_free_form: _scalar("free_form"),
    identifiers.read_id: _scalar("id"),
    identifiers.read_name: _scalar("name"),
    identifiers.read_names: _list(_scalar("name")),
    identifiers.read_text: _scalar("text"),
    program._read_money: _scalar("money"),
    promotions._read_decimals: _whole(0, 6),
    promotions._read_priority: _whole(-(10**9), 10**9),
    promotions._read_promotion_id: _scalar("id", **{"not": {"enum": [*RESERVED_PROMOTION_IDS]}}),
    promotions._read_quantity: _quantity,
    promotions._read_trigger: _scalar(
        "name",
        **{"not": {"enum": [each for each in events.EVENT_TYPES if each != "transaction"]}},
        examples=["transaction", "registration", "profile_update"],
    ),
    timing._read_delay: _whole(0, 36_500),
    windows._read_days: _whole(1, 36_500),
}
"""What each reader of a field accepts."""

_PLAIN: Mapping[Any, Form] = {
    bool: lambda _walk, _: {"type": "boolean"},
    str: lambda _walk, _: {"type": "string"},
    Decimal: _scalar("amount"),
    date: _scalar("date"),
    datetime: _scalar("instant"),
}
"""What stands for an annotation in documents that only come out, and for a flag."""


# -- rules -----------------------------------------------------------------------------------------------------------

_OPERATORS = _any_of(*OPERATORS)
_TENDERS = _at_most("tenders", events.MAX_LINES)
_LINES = _at_most("lines", events.MAX_LINES)

_RULES: Mapping[type, tuple[Json, ...]] = {
    caps.Cap: (_one_of("amount", "times"),),
    conditions.Comparison: (_OPERATORS,),
    conditions.LineTest: (_at_most_one_of("quantity", "value", "count"),),
    conditions.Measure: (_OPERATORS,),
    conditions.TrackerTest: (_one_of("crossed", "reached"),),
    coupons.CouponType: (
        {
            "if": {"properties": {"serial_managed": {"const": False}}, "required": ["serial_managed"]},
            "then": _given("code"),
        },
    ),
    dates.Period: (_any_of("years", "months", "weeks", "days"),),
    events.Activity: (_TENDERS,),
    events.Line: (_any_of("value", "unit_price"),),
    events.Return: (_LINES,),
    events.Transaction: (_TENDERS, _LINES),
    expiry.FixedRecurring: (
        {
            "if": {"properties": {"month": {"const": 2}}},
            "then": {"properties": {"day": {"maximum": 29}}},
            "else": {
                "if": {"properties": {"month": {"enum": [4, 6, 9, 11]}}},
                "then": {"properties": {"day": {"maximum": 30}}},
            },
        },
    ),
    program.Evaluation: (
        {"properties": {"trace": {"description": "Empty: it is asked for.", "type": "array", "maxItems": 0}}},
        {"required": ["trace"]},
    ),
    program.Program: (),  # names stand for something, ids come once: for the loader to tell
    promotions.Promotion: (_at_most("actions", promotions.MAX_ACTIONS),),
}
"""What a class asks of its fields together, and what a document asks beyond its class."""


def _with_rules(cls: type, body: Json) -> Json:
    if hasattr(cls, "__attrs_post_init__") and cls not in _RULES:
        raise UnknownFormError(f"{cls.__name__} checks its fields together in a way not known to the schema")
    for rule in _RULES.get(cls, ()):
        body = _merged(body, rule)
    return body


def _merged(body: Json, rule: Json) -> Json:
    merged = {**body}
    for key, value in rule.items():
        held = merged.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            merged[key] = _merged(held, value)
        elif isinstance(held, list) and isinstance(value, list):
            merged[key] = [*held, *value]
        else:
            merged[key] = value
    return merged
