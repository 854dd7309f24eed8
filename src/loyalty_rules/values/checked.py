"""Checked values: frozen, slotted classes whose constructors validate every argument.

A class is decorated with `@attrs.frozen(field_transformer=checked)`. If a field has a reader, which is its attrs
converter, the reader validates the argument. Otherwise the annotation does: another value, a union of values, a
`Literal`, a `bool`, or a tuple of these. Documents are read field by field with the same readers, so a value is
checked alike in Python and in a document. Source: documents, Python names.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.values.plain import plain_text

__all__ = ["TupleOf", "checked", "named_reader_of", "nearest", "read_each", "read_field", "reader_of"]

Item = TypeVar("Item")

_MAX_ERRORS = 100


class TupleOf(tuple[Item, ...]):
    """The converter of a field that keeps a tuple and accepts a list: `attrs.field(converter=TupleOf[Line])`.

    Type checkers take the constructor's parameter from it, so that they accept `lines=[Line(…)]`. When the program
    runs, `checked` reads such a field by its annotation, `tuple[Line, ...]`, and checks every item.
    """

    def __new__(cls, items: Sequence[Item]) -> Self:
        """Return the items as a tuple."""
        return super().__new__(cls, items)


def checked(_cls: type, fields: list["attrs.Attribute[Any]"]) -> list["attrs.Attribute[Any]"]:
    """Add to every field of an attrs class a converter that reads it; an error names the field."""
    return [
        field if getattr(field, "inherited", False) else field.evolve(converter=_reading(field)) for field in fields
    ]


def read_field(field: "attrs.Attribute[Any]", value: object) -> Any:
    """Read the value of one field as the constructor of its class would; an error does not name the field."""
    return reader_of(field)(value)


def reader_of(field: "attrs.Attribute[Any]") -> Callable[[Any], Any]:
    """Return the function that reads the argument of a field of a checked class."""
    converter: Any = field.converter
    read: Callable[[Any], Any] = converter.converter.__wrapped__
    return read


def named_reader_of(field: "attrs.Attribute[Any]") -> Callable[[Any], Any] | None:
    """Return the reader that a class names for a field, without `optional`; None if the annotation is the reader."""
    converter: Any = field.converter
    if not isinstance(converter, attrs.Converter):  # of a class that is not checked
        plain: Callable[[Any], Any] | None = converter
        return plain
    if converter.converter.by_annotation:  # type: ignore[attr-defined]
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
    if inner:  # an optional tuple or flag: the union has no other members
        return lambda value: None if value is None else inner[0](value)
    literals = [each for each in classes if get_origin(each) is Literal]
    if literals:
        return lambda value: None if value is None else _one_of(get_args(literals[0]), value)
    return lambda value: _instance(classes, value)


def read_each(items: Iterable[tuple[str, Any]], read_item: Callable[[Any], Item]) -> list[Item]:
    """Read every item. If some are invalid, the error is that of the first, and `others` has those of the rest."""
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
    if isinstance(value, str) and plain_text(value) in allowed:
        return plain_text(value)
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
        return plain_text(value) if isinstance(value, str) else value
    names = " or ".join("nothing" if each is NoneType else each.__name__ for each in classes)
    raise InvalidValueError("", "wrong_type", f"expected {names}, found {describe(value)}")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most similar to a mistyped one, or None. Source: documents (nearest known key)."""
    # difflib is quadratic in the length, and a word longer than every known one is not a typing error.
    if len(word) > 128:
        return None
    from difflib import get_close_matches

    lowered = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def _hint(value: object, known: Iterable[str]) -> str:
    near = nearest(value, known) if isinstance(value, str) else None
    return f"; did you mean {near!r}?" if near else ""
