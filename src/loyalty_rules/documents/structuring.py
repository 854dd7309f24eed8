"""The conversion of documents to values and back, derived from the classes. Only this module imports cattrs.

The classes define the fields; this module defines how a document writes them. `type` selects the class of a union, an
object of ids stands for a tuple of values with an `id`, and null means absent. All problems of a document are
collected. Each field is read by the same reader that the constructor uses. Source: documents.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, override

from loyalty_rules.errors import DocumentError, InvalidValueError, Problem, describe, path_step
from loyalty_rules.intents import Claim, Release, SpendCurrency
from loyalty_rules.rules.conditions import (
    AllOf,
    Anniversary,
    AnyOf,
    BaseTest,
    Comparison,
    Condition,
    LineTest,
    Measure,
    Not,
    Operators,
    Sample,
    TierTest,
    TrackerTest,
)
from loyalty_rules.rules.texts import Text
from loyalty_rules.values.amounts import text_of
from loyalty_rules.values.checked import nearest, read_field
from loyalty_rules.values.dates import instant_text

__all__ = ["fields_of", "key_of", "problems_of", "restore", "share_parts", "structure", "tags_of", "unstructure"]

T = TypeVar("T")

MAX_PROBLEMS = 100
_MAX_ITEMS = 20_000

# -- keys and tags ---------------------------------------------------------------------------------------------------

_KEYS = {
    **{name + "_": name for name in ("not", "is", "in", "else", "from", "for")},
    "from_date": "from",
    "to_date": "to",
}


def key_of(name: str) -> str:
    """Return the key of a field in a document."""
    return _KEYS.get(name, name)


@functools.cache
def fields_of(cls: Any) -> Mapping[str, "attrs.Attribute[Any]"]:
    """Return the fields of a class by their keys in a document."""
    fields = {key_of(field.name): field for field in attrs.fields(cls)}
    return dict(sorted(fields.items(), key=lambda pair: pair[0] != "type"))


def _tag(cls: type) -> dict[str, str]:
    tag = getattr(cls, "type", None)  # a tag is a class variable, not a field
    return {"type": tag} if isinstance(tag, str) else {}


def is_keyed(field: "attrs.Attribute[Any]") -> bool:
    """Return whether a document writes a field as an object by the ids of its values, like trackers."""
    return field.metadata.get("keyed", False) is True


def tags_of(union: Any) -> Mapping[str, type]:
    """Return the classes of a union by their `type` in a document."""
    classes: list[Any] = [each for each in get_args(union) if attrs.has(each)]
    return {each.type: each for each in classes}


_CONDITION_KEYS: Mapping[str, type] = {
    "all": AllOf,
    "any": AnyOf,
    "not": Not,
    "field": Comparison,
    "lines": LineTest,
    "anniversary": Anniversary,
    "tracker": TrackerTest,
    "base": BaseTest,
    "tier": TierTest,
    "sample": Sample,
}

# -- reading ---------------------------------------------------------------------------------------------------------

# A valid document is made quickly: each value is read once, by its constructor. Only one that is not is read again,
# field by field, to find everything that is wrong with it.
_quick = cattrs.Converter(detailed_validation=False, forbid_extra_keys=True, prefer_attrib_converters=True)
_thorough = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)

Hook: TypeAlias = Callable[[Any], Any]


def structure(document: Mapping[str, Any], cls: type[T]) -> T:
    """Convert a document to a value. Raises an error that `problems_of` converts to problems."""
    value: T
    try:
        value = _quick.structure(document, cls)
    except Exception:  # noqa: BLE001  (the second conversion raises it again, with every problem)
        value = _thorough.structure(document, cls)
    return value


def share_parts(value: Any, known: dict[Any, Any]) -> Any:
    """Replace equal parts without an id by one shared object, in a value that was just built and is not in use yet.

    A program repeats the same parts a thousand times. Without sharing, ten thousand promotions are a quarter of a
    million objects, which the host's garbage collector traverses again and again. `known` collects the shared parts.
    """
    cls: Any = type(value)
    for name in _nested_names(cls):
        part = getattr(value, name)
        if isinstance(part, tuple):
            object.__setattr__(value, name, tuple([share_parts(each, known) for each in part]))
        elif part is not None:
            object.__setattr__(value, name, share_parts(part, known))
    # A plain value is not shared: 1 and Decimal(1) are equal.
    return known.setdefault(value, value) if attrs.has(cls) and not hasattr(cls, "id") else value


@functools.cache
def _nested_names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(cls) if _is_nested(field.type)) if attrs.has(cls) else ()


def _class_hook(converter: cattrs.Converter, cls: type) -> Callable[[Any, Any], Any]:
    options: dict[str, Any] = {
        **{field.name: _override(converter, field) for field in attrs.fields(cls)},
        "_cattrs_forbid_extra_keys": True,
        "_cattrs_detailed_validation": converter.detailed_validation,
        "_cattrs_prefer_attrib_converters": not converter.detailed_validation,
    }
    make: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, converter, **options)

    known = fields_of(cls)
    needs_one = bool(getattr(cls, "needs_one", False))

    def hook(value: Any, _: Any) -> Any:
        _check_count(len(_object(value)))
        given = {key: each for key, each in value.items() if each is not None}  # null means absent
        if needs_one and not given:
            raise InvalidValueError("", "required", f"needs at least one of {', '.join(known)}")
        return make(given, cls)

    return hook


for _converter in (_quick, _thorough):
    _converter.register_structure_hook_factory(attrs.has, functools.partial(_class_hook, _converter))


def _override(converter: cattrs.Converter, field: "attrs.Attribute[Any]") -> Any:
    key = key_of(field.name)
    nested = _nested_field_hook(converter, field) if _is_nested(field.type) else None
    if converter.detailed_validation:
        read = nested or (lambda value: value)
        return override(rename=key, struct_hook=lambda value, _: read_field(field, read(value)))
    return override(rename=key, struct_hook=(lambda value, _: nested(value)) if nested is not None else None)


def _is_nested(annotation: Any) -> bool:
    return attrs.has(annotation) or any(_is_nested(each) for each in get_args(annotation))


def _object(value: Any) -> Mapping[Any, Any]:
    if type(value) is dict or isinstance(value, Mapping):
        return value
    raise InvalidValueError("", "not_an_object", f"expected an object, found {describe(value)}")


def _nested_field_hook(converter: cattrs.Converter, field: "attrs.Attribute[Any]") -> Hook:
    if is_keyed(field):
        return _keyed_hook(converter, get_args(field.type)[0])
    return _nested_hook(converter, field.type)


def _nested_hook(converter: cattrs.Converter, annotation: Any) -> Hook:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return _list_hook(converter, arguments[0])
    if origin in (Union, UnionType):
        tuples = [each for each in arguments if get_origin(each) is tuple]
        is_optional_list = tuples and {*arguments} == {*tuples, NoneType}
        return _nested_hook(converter, tuples[0]) if is_optional_list else _union_hook(converter, annotation)
    if attrs.has(annotation):
        return lambda value: converter.structure(value, annotation)
    return _mapping_hook(converter, arguments[1])


def _list_hook(converter: cattrs.Converter, annotation: Any) -> Hook:
    item = _nested_hook(converter, annotation)

    def hook(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value  # the field's reader raises the error
        return [each for _, each in _all(converter, enumerate(value), len(value), lambda _, each: item(each))]

    return hook


def _keyed_hook(converter: cattrs.Converter, cls: type) -> Hook:
    item, id_field = _nested_hook(converter, cls), fields_of(cls)["id"]

    def with_id(key: Any, value: Any) -> Any:
        read_field(id_field, key)
        if "id" in _object(value):
            raise InvalidValueError("id", "unknown_key", "the id is the key of this object")
        return item({**value, "id": key})

    def hook(value: Any) -> Any:
        _check_count(len(_object(value)))  # before the pairs are allocated
        pairs = [(key, each) for key, each in value.items() if each is not None]
        return [each for _, each in _all(converter, pairs, len(pairs), with_id)]

    return hook


def _mapping_hook(converter: cattrs.Converter, annotation: Any) -> Hook:
    item = _nested_hook(converter, annotation)
    return lambda value: dict(_all(converter, _object(value).items(), len(_object(value)), lambda _, each: item(each)))


def _all(
    converter: cattrs.Converter, pairs: Iterable[tuple[Any, Any]], count: int, item: Callable[[Any, Any], Any]
) -> list[tuple[Any, Any]]:
    _check_count(count)
    if not converter.detailed_validation:
        return [(index, item(index, value)) for index, value in pairs]
    values: list[tuple[Any, Any]] = []
    errors: list[Exception] = []
    for index, value in pairs:
        try:
            values.append((index, item(index, value)))
        except Exception as error:  # noqa: BLE001  (every error becomes a problem)
            error.add_note(IterableValidationNote("", index, None))
            errors.append(error)
            if len(errors) >= MAX_PROBLEMS:
                break
    if errors:
        raise IterableValidationError("", errors, list)
    return values


def _check_count(count: int) -> None:
    """Refuse a list or an object that is too long, before any of its items is read."""
    if count > _MAX_ITEMS:
        raise InvalidValueError("", "out_of_range", f"expected at most {_MAX_ITEMS:,} items, found {count:,}")


def _union_hook(converter: cattrs.Converter, annotation: Any) -> Hook:
    classes = [each for each in get_args(annotation) if attrs.has(each)]
    if set(classes) >= set(get_args(Condition)):
        return _of_object(converter, _condition_class, annotation)
    if len(classes) == 1:
        return _of_object(converter, lambda _: classes[0], annotation)
    tags = tags_of(annotation)

    def tagged(value: Mapping[Any, Any]) -> Any:
        cls = _tagged_class(value, tags)
        return converter.structure({key: each for key, each in value.items() if key != "type"}, cls)

    return lambda value: tagged(value) if isinstance(value, Mapping) else _other(value, annotation)


def _of_object(converter: cattrs.Converter, choose: Callable[[Mapping[Any, Any]], type], annotation: Any) -> Hook:
    lists = [_nested_hook(converter, each) for each in get_args(annotation) if get_origin(each) is tuple]

    def hook(value: Any) -> Any:
        if isinstance(value, Mapping):
            return converter.structure(value, choose(value))
        return lists[0](value) if lists else _other(value, annotation)

    return hook


def _other(value: Any, annotation: Any) -> Any:
    """Return a value that is not an object if the union has plain types, too: the field's reader checks it."""
    return value if {int, str, bool, Decimal} & set(get_args(annotation)) else _object(value)


def _tagged_class(value: Mapping[Any, Any], tags: Mapping[str, type]) -> type:
    tag = value.get("type")
    if isinstance(tag, str) and tag in tags:
        return tags[tag]
    known = ", ".join(tags)
    if tag is None:
        raise InvalidValueError("type", "required", f"is missing; expected one of {known}")
    near = nearest(tag, tags) if isinstance(tag, str) else None
    hint = f"; did you mean {near!r}?" if near else ""
    raise InvalidValueError("type", "not_a_choice", f"expected one of {known}; found {describe(tag)}{hint}")


def _condition_class(value: Mapping[Any, Any]) -> type:
    present = [key for key in _CONDITION_KEYS if value.get(key) is not None]
    known = ", ".join(_CONDITION_KEYS)
    if len(present) == 1:
        return _CONDITION_KEYS[present[0]]
    if present:
        raise InvalidValueError("", "ambiguous", f"a condition has one of the keys {known}; found {', '.join(present)}")
    near = next((near for key in value if isinstance(key, str) and (near := nearest(key, _CONDITION_KEYS))), None)
    hint = f"; did you mean {near!r}?" if near else ""
    raise InvalidValueError("", "not_a_condition", f"a condition has one of the keys {known}{hint}")


# -- problems --------------------------------------------------------------------------------------------------------


def problems_of(error: Exception, path: str = "$") -> Iterator[Problem]:
    """Yield the problems of an error that `structure` raised, each with its path."""
    if isinstance(error, DocumentError):
        yield from error.problems
    elif isinstance(error, BaseValidationError):
        for each in error.exceptions:
            yield from problems_of(each, path + _step(each))
    elif isinstance(error, InvalidValueError):
        yield Problem(path + _steps(error.name), error.code, error.message)
        for other in error.others:
            yield from problems_of(other, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        yield from _unknown_keys(error, path)
    elif isinstance(error, KeyError):
        yield Problem(path, "required", "is missing")
    elif isinstance(error, RecursionError):
        yield Problem(path, "too_deep", "the document is nested too deeply")
    else:
        yield Problem(path, "invalid", f"cannot be read: {str(error)[:200]}")


def _step(error: Exception) -> str:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            error.__notes__.remove(note)
            return path_step(key_of(note.name))
        if isinstance(note, IterableValidationNote):
            error.__notes__.remove(note)
            return f"[{note.index}]" if isinstance(note.index, int) else path_step(note.index)
    return ""


def _steps(name: str) -> str:
    if not name:
        return ""
    return name if name.startswith("[") else f".{name}"


def _unknown_keys(error: ForbiddenExtraKeysError, path: str) -> Iterator[Problem]:
    known = list(dict.fromkeys([*_tag(error.cl), *fields_of(error.cl)]))
    for key in sorted(error.extra_fields, key=str)[:MAX_PROBLEMS]:
        near = nearest(key, known) if isinstance(key, str) else None
        hint = f"; did you mean {near!r}?" if near else f"; known here: {', '.join(known)}"
        yield Problem(path + path_step(key), "unknown_key", f"there is no such key{hint}")


# -- writing ---------------------------------------------------------------------------------------------------------


def unstructure(value: Any) -> Any:
    """Convert a value to plain dicts, lists, texts, integers and booleans, with every default filled in."""
    cls: Any = type(value)
    return value if cls in _PLAIN else _writer_of(cls)(value)


@functools.cache
def _writer_of(cls: Any) -> Callable[[Any], Any]:
    if cls in _WRITERS:
        return _WRITERS[cls]
    if issubclass(cls, Mapping):
        return _write_mapping
    return _write if attrs.has(cls) else _same  # the rest are subclasses of plain types


def _same(value: Any) -> Any:
    return value


def _write_mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: unstructure(each) for key, each in value.items()}


def _write_list(value: Iterable[Any]) -> list[Any]:
    return [unstructure(each) for each in value]


def _write(value: Any) -> dict[str, Any]:
    cls: Any = type(value)
    tag, plain, keyed = _written_fields(cls)
    document = tag.copy()
    for key, name in plain:
        each = getattr(value, name)
        document[key] = each if type(each) in _PLAIN else unstructure(each)
    for key, name in keyed:
        items = [unstructure(each) for each in getattr(value, name)]
        document[key] = {item["id"]: {key: part for key, part in item.items() if key != "id"} for item in items}
    return document


@functools.cache
def _written_fields(cls: Any) -> tuple[dict[str, Any], list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the tag of a class, its plain fields, and the fields that are written by ids."""
    fields = [(key, field) for key, field in fields_of(cls).items() if field.eq]  # a field without `eq` is not written
    plain = [(key, field.name) for key, field in fields if not is_keyed(field)]
    return _tag(cls), plain, [(key, field.name) for key, field in fields if is_keyed(field)]


def _write_given(value: Any) -> dict[str, Any]:
    return {key: each for key, each in _write(value).items() if each is not None}


def _write_spend(value: SpendCurrency) -> dict[str, Any]:
    """Write a spend; that of an evaluation has nothing yet that a ledger decides."""
    document = _write(value)
    if value.action is None or value.draws:
        return document
    for key in ("value", "draws", "bill", "shares"):
        del document[key]
    first = ("type", "key", "promotion", "action")  # as in an issue
    return {key: document[key] for key in (*first, *document)}


def _write_comparison(value: Comparison) -> dict[str, Any]:
    return {"field": value.field, **_write_tests(value)}


def _write_base_test(value: BaseTest) -> dict[str, Any]:
    return {"base": unstructure(value.base), **_write_tests(value)}


def _write_release(value: Release) -> dict[str, Any]:
    """Write a release; the bases in its condition are as they were given, without the defaults."""
    document = _write_given(value)
    if value.when is not None:
        document["when"] = _without_defaults(document["when"])
    return document


def _without_defaults(condition: Any) -> Any:
    if isinstance(condition, list):
        return [_without_defaults(part) for part in condition]
    if not isinstance(condition, dict):
        return condition
    document = {key: _without_defaults(part) for key, part in condition.items()}
    if "base" in document:
        document["base"] = {key: part for key, part in document["base"].items() if part not in _DEFAULTS_OF_BASES}
    return document


def _write_tests(value: Operators) -> dict[str, Any]:
    return {operator: unstructure(operand) for operator, operand in value.tests()}


_DEFAULTS_OF_BASES: tuple[object, ...] = (None, [], "total")
_PLAIN = frozenset([str, int, bool, float, type(None)])
_WRITERS: Mapping[type, Callable[[Any], Any]] = {
    Decimal: text_of,
    datetime: instant_text,
    date: date.isoformat,
    list: _write_list,
    tuple: _write_list,
    Comparison: _write_comparison,
    Measure: _write_tests,
    LineTest: _write_given,
    TrackerTest: _write_given,
    BaseTest: _write_base_test,
    TierTest: _write_given,
    Claim: _write_given,
    Release: _write_release,
    SpendCurrency: _write_spend,
}


# -- restoring -------------------------------------------------------------------------------------------------------

# Documents that this library has written itself are not checked again.
_restoring = cattrs.Converter(detailed_validation=False)
_restoring.register_structure_hook(Decimal, lambda value, _: Decimal(value))
_restoring.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
_restoring.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
for _text in (Text, Text | None):
    _restoring.register_structure_hook(_text, lambda value, _: value)


def _restored_release(value: Mapping[str, Any]) -> Release:
    when = value.get("when")
    return Release(value["type"], _quick.structure(when, _condition_class(when)) if when is not None else None)


def _restoring_class_hook(cls: Any) -> Callable[[Any, Any], Any]:
    options: dict[str, Any] = {field.name: override(rename=key_of(field.name)) for field in attrs.fields(cls)}
    return make_dict_structure_fn(cls, _restoring, **options)


def _is_union_of_tagged(cls: Any) -> bool:
    members = get_args(cls) if get_origin(cls) in (Union, UnionType) else ()
    return len(members) > 1 and all(attrs.has(each) and _tag(each) for each in members)


def _restoring_union_hook(cls: Any) -> Callable[[Any, Any], Any]:
    members = {_tag(each)["type"]: each for each in get_args(cls)}
    return lambda value, _: _restoring.structure(value, members[value["type"]])


_restoring.register_structure_hook_factory(attrs.has, _restoring_class_hook)
_restoring.register_structure_hook_factory(_is_union_of_tagged, _restoring_union_hook)
_restoring.register_structure_hook(Release, lambda value, _: _restored_release(value))


def restore(document: Mapping[str, Any], cls: type[T]) -> T:
    """Convert the output of `unstructure` back to a value, without checks: an intent, a part of a receipt."""
    value: T = _restoring.structure(document, cls)
    return value
