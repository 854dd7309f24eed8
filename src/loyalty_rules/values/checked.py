"""How every value of the library is made: frozen, slotted, and checked at its constructor.

A class writes `@attrs.frozen(field_transformer=checked)`. A field with a reader (its attrs converter) is read by
it; a field whose annotation is itself a check (another value, a union of values, a `Literal`, a `bool`, a tuple of
these) is checked against the annotation. The documents' door reads field by field through the same readers, so
that a value is checked in the same way wherever it comes in. Source: documents, Python names.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin

import attrs

from loyalty_rules.errors import InvalidValueError, describe

__all__ = ["TupleOf", "checked", "named_reader_of", "nearest", "read_each", "read_field", "reader_of"]

Item = TypeVar("Item")

_MAX_ERRORS = 100


class TupleOf(tuple[Item, ...]):
    """The converter of a field that keeps a tuple and accepts a list: `attrs.field(converter=TupleOf[Line])`.

    Type checkers take the constructor's parameter from it, so that they accept `lines=[Line(…)]`. When the program
    runs, `checked` reads such a field by its annotation, `tuple[Line, ...]`, and checks every item.
    """

    def __new__(cls, items: Sequence[Item]) -> Self:
        return super().__new__(cls, items)


def checked(_cls: type, fields: list["attrs.Attribute[Any]"]) -> list["attrs.Attribute[Any]"]:
    """Give every field of an attrs class a converter that reads it and, where it can't, names the field."""
    return [
        field if getattr(field, "inherited", False) else field.evolve(converter=_reading(field)) for field in fields
    ]


def read_field(field: "attrs.Attribute[Any]", value: object) -> Any:
    """Read one field's value as the constructor of its class would; an error does not name the field."""
    return reader_of(field)(value)


def reader_of(field: "attrs.Attribute[Any]") -> Callable[[Any], Any]:
    """Give the function by which a field of a checked class reads what it is given."""
    converter: Any = field.converter
    read: Callable[[Any], Any] = converter.converter.__wrapped__
    return read


def named_reader_of(field: "attrs.Attribute[Any]") -> Callable[[Any], Any] | None:
    """Return the reader that a class names for a field, without `optional`; None if the annotation is the reader."""
    converter: Any = field.converter
    if converter is None or converter.converter.by_annotation:
        return None
    read = reader_of(field)
    if read.__qualname__.startswith("optional."):
        read = inspect.getclosurevars(read).nonlocals["converter"]
    return read


def _reading(field: "attrs.Attribute[Any]") -> "attrs.Converter[Any, Any]":
    converter: Any = field.converter
    by_annotation = converter is None or get_origin(converter) is TupleOf
    read: Callable[[Any], Any] = _annotated_reader(field.type) if by_annotation else converter

    nullable = field.default is None

    def convert(value: Any, field: "attrs.Attribute[Any]") -> Any:
        if value is None and nullable:
            return None
        try:
            return read(value)
        except InvalidValueError as error:
            raise error.under(field.name) from None

    convert.__wrapped__ = read  # type: ignore[attr-defined]
    convert.by_annotation = by_annotation  # type: ignore[attr-defined]
    return attrs.Converter(convert, takes_field=True)


def _annotated_reader(annotation: Any) -> Callable[[Any], Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return lambda value: _one_of(arguments, value)
    if origin is tuple:
        read_item = _annotated_reader(arguments[0])
        return lambda value: tuple(read_each(((f"[{i}]", item) for i, item in enumerate(_items(value))), read_item))
    if annotation is bool:
        return _flag
    classes = arguments if origin in (Union, UnionType) else (annotation,)
    inner = [_annotated_reader(each) for each in classes if get_origin(each) is tuple or each is bool]
    if inner:  # an optional tuple or flag: nothing else of a union is mixed with those
        return lambda value: None if value is None else inner[0](value)
    literals = [each for each in classes if get_origin(each) is Literal]
    if literals:
        return lambda value: None if value is None else _one_of(get_args(literals[0]), value)
    return lambda value: _instance(classes, value)


def read_each(items: Iterable[tuple[str, Any]], read_item: Callable[[Any], Item]) -> list[Item]:
    """Read every item; where some can't be, the error names the first and holds the others."""
    read: list[Item] = []
    errors: list[InvalidValueError] = []
    for step, item in items:
        try:
            read.append(read_item(item))
        except InvalidValueError as error:
            errors.append(error.under(step))
            if len(errors) == _MAX_ERRORS:
                break
    if errors:
        first = errors[0]
        raise InvalidValueError(first.name, first.code, first.message, (*first.others, *errors[1:]))
    return read


def _one_of(allowed: tuple[str, ...], value: object) -> object:
    if isinstance(value, str) and value in allowed:
        return value
    wanted = ", ".join(allowed)
    raise InvalidValueError(
        "", "not_a_choice", f"expected one of {wanted}; found {describe(value)}{_hint(value, allowed)}"
    )


def _items(value: object) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        return value
    raise InvalidValueError("", "not_a_list", f"expected a list, found {describe(value)}")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidValueError("", "not_a_boolean", f"expected true or false, found {describe(value)}")


def _instance(classes: tuple[type, ...], value: object) -> object:
    if isinstance(value, classes):
        return value
    names = " or ".join("nothing" if each is NoneType else each.__name__ for each in classes)
    raise InvalidValueError("", "wrong_type", f"expected {names}, found {describe(value)}")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that a mistyped one is most like, or None. Source: documents (nearest known key)."""
    # difflib is quadratic in the length: a word longer than any that is known is no slip of the finger.
    if len(word) > 128:
        return None
    from difflib import get_close_matches

    lowered = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def _hint(value: object, known: Iterable[str]) -> str:
    near = nearest(value, known) if isinstance(value, str) else None
    return f"; did you mean {near!r}?" if near else ""
