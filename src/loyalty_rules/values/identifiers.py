"""Ids and names, and free-form fields. Source: documents (scalars)."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from loyalty_rules.errors import InvalidValueError, describe, path_step
from loyalty_rules.values.amounts import UnreadNumber, read_decimal
from loyalty_rules.values.checked import read_each
from loyalty_rules.values.json_schema import Json, declare, text_schema
from loyalty_rules.values.plain import plain_int, plain_text

__all__ = [
    "ID_PATTERN",
    "MAX_EVENT_ID",
    "MAX_NAME",
    "MAX_TEXT",
    "NAME_PATTERN",
    "FreeForm",
    "list_schema",
    "mapping_schema",
    "read_event_id",
    "read_free_form",
    "read_id",
    "read_list",
    "read_mapping",
    "read_name",
    "read_names",
    "read_text",
]

FreeForm: TypeAlias = Mapping[str, Any]
"""Fields of the host's own: any JSON values by their names, validated only when an action reads them."""

Item = TypeVar("Item")

ID_PATTERN = r"[A-Za-z0-9._-]{1,64}"
MAX_NAME = 128
MAX_EVENT_ID = 256
MAX_TEXT = 10_000

_VISIBLE = r"[^\s\u0000-\u001f\u007f-\u009f]+"
NAME_PATTERN = f"{_VISIBLE}(?: +{_VISIBLE})*"
"""The pattern of a name in JSON Schema, whose regular expressions have no class of printable characters."""

_ID = re.compile(ID_PATTERN)
_MAX_LIST = 10_000
_MAX_DEPTH = 32
_MAX_VALUES = 10_000


def read_id(value: str) -> str:
    """Read the id of a part of a program: 1 to 64 ASCII letters, digits, `.`, `_` and `-`."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return plain_text(value)
    raise InvalidValueError(
        "", "not_an_id", f"expected an id of 1 to 64 letters, digits, '.', '_' or '-'; found {describe(value)}"
    )


declare(read_id, text_schema("An id: 1 to 64 letters, digits, '.', '_' and '-'.", ID_PATTERN), name="id")


def read_name(value: str) -> str:
    """Read an id or a name of the host's: 1 to 128 printable characters, no white space at the ends."""
    if not isinstance(value, str):
        raise InvalidValueError("", "not_a_text", f"expected a text, found {describe(value)}")
    value = plain_text(value)
    if not 1 <= len(value) <= MAX_NAME:
        raise InvalidValueError(
            "", "out_of_range", f"expected a text of 1 to {MAX_NAME} characters, found {describe(value)}"
        )
    if not value.isprintable() or value != value.strip():
        raise InvalidValueError(
            "",
            "not_a_name",
            f"expected printable characters and no white space at the ends; found {describe(value)}",
        )
    return value


declare(
    read_name,
    text_schema("A name: 1 to 128 printable characters, no white space at the ends.", NAME_PATTERN, maxLength=MAX_NAME),
    name="name",
)


_SCHEDULED_PATTERN = rf"{ID_PATTERN}/[^/]+/[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}"
_SCHEDULED = re.compile(_SCHEDULED_PATTERN)


def read_event_id(value: str) -> str:
    """Read the id of a sale or an activity: a name, or the longer id of a scheduled activity.

    A schedule makes the id `SCHEDULE/MEMBER/DATE`, of at most 256 characters. Source: semantics 15.
    """
    is_long = isinstance(value, str) and MAX_NAME < len(value) <= MAX_EVENT_ID
    if is_long and _SCHEDULED.fullmatch(value) and value.isprintable():
        return value
    return read_name(value)


declare(
    read_event_id,
    {
        "description": "The id of an event: a name; that of a scheduled activity may have 256 characters.",
        "type": "string",
        "anyOf": [
            {"$ref": read_name},
            {
                "allOf": [{"pattern": f"^{NAME_PATTERN}$"}, {"pattern": f"^{_SCHEDULED_PATTERN}$"}],
                "maxLength": MAX_EVENT_ID,
            },
        ],
    },
    name="event_id",
)


def read_text(value: str) -> str:
    """Read a text of at most 10,000 characters. Lone surrogates are refused, since UTF-8 cannot encode them."""
    if not isinstance(value, str):
        raise InvalidValueError("", "not_a_text", f"expected a text, found {describe(value)}")
    value = plain_text(value)
    if len(value) > MAX_TEXT:
        raise InvalidValueError("", "out_of_range", f"expected at most {MAX_TEXT:,} characters")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidValueError("", "not_a_text", "expected no lone surrogates")  # the text may be a serial
    return value


declare(
    read_text,
    {"description": "A text of at most 10,000 characters.", "type": "string", "maxLength": MAX_TEXT},
    name="text",
)


def read_list(value: Any, read_item: Callable[[Any], Item], what: str) -> tuple[Item, ...]:
    """Read a list of at most 10,000 items, each with `read_item`; `what` names the items in a message."""
    if not isinstance(value, (list, tuple)):
        raise InvalidValueError("", "not_a_list", f"expected a list of {what}, found {describe(value)}")
    if len(value) > _MAX_LIST:
        raise InvalidValueError("", "out_of_range", f"expected at most {_MAX_LIST:,} {what}, found {len(value):,}")
    return tuple(read_each(((f"[{index}]", item) for index, item in enumerate(value)), read_item))


def list_schema(items: Json, **more: Any) -> Json:
    """Return the schema of a list that `read_list` reads."""
    return {"type": "array", "items": items, "maxItems": _MAX_LIST, **more}


def read_mapping(
    value: Any,
    read_item: Callable[[Any], Item],
    what: str,
    read_key: Callable[[Any], str] = read_text,
    most: int = _MAX_LIST,
) -> dict[str, Item]:
    """Read an object of at most `most` values, each with `read_item`; `what` names the values in a message."""
    if not isinstance(value, Mapping):
        raise InvalidValueError("", "not_an_object", f"expected an object of {what}, found {describe(value)}")
    if not value:
        return {}
    if len(value) > most:
        raise InvalidValueError("", "out_of_range", f"expected at most {most:,} {what}, found {len(value):,}")

    def read(pair: tuple[Any, Any]) -> tuple[str, Item]:
        return read_key(pair[0]), read_item(pair[1])

    return dict(read_each(((path_step(pair[0]).removeprefix("."), pair) for pair in value.items()), read))


def mapping_schema(values: Json, read_key: Callable[[Any], str] = read_text) -> Json:
    """Return the schema of an object that `read_mapping` reads."""
    return {
        "type": "object",
        "propertyNames": {"$ref": read_key},
        "additionalProperties": values,
        "maxProperties": _MAX_LIST,
    }


def read_names(value: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Read a list of names."""
    return read_list(value, read_name, "names")


declare(read_names, list_schema({"$ref": read_name}))


def read_free_form(value: FreeForm) -> FreeForm:
    """Copy free-form fields: any JSON values, at most 32 levels deep and 10,000 in all.

    A number outside the limits of a decimal becomes a float, so that it cannot make the sale fail. No action accepts a
    float as a number. NaN and infinities are not JSON and are refused. Source: semantics 2.
    """
    if not isinstance(value, Mapping):
        raise InvalidValueError("", "not_an_object", f"expected an object, found {describe(value)}")
    copy: dict[str, Any] = _copied(value, 0, [_MAX_VALUES])
    return copy


declare(
    read_free_form,
    {
        "description": "Free-form fields: any JSON value under a name, validated only when an action reads it.",
        "type": "object",
    },
    name="free_form",
)


def _copied(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > _MAX_DEPTH or left[0] < 0:
        raise _too_large()
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, Mapping):
        if len(value) > left[0]:  # before any of them is copied
            raise _too_large()
        for key in value:
            if not isinstance(key, str):
                raise InvalidValueError(
                    "", "not_a_text", f"expected a text as the name of a field, found {describe(key)}"
                )
        return {plain_text(key): _copied(item, depth + 1, left) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > left[0]:
            raise _too_large()
        return [_copied(item, depth + 1, left) for item in value]
    return _copied_scalar(value)


def _too_large() -> InvalidValueError:
    message = f"expected free-form fields of at most {_MAX_DEPTH} levels and {_MAX_VALUES:,} values"
    return InvalidValueError("", "too_large", message)


def _copied_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return plain_int(value) if value.bit_length() < 4096 else _as_float(value)
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, (Decimal, UnreadNumber)):
        try:
            return read_decimal(value)  # type: ignore[arg-type]
        except InvalidValueError:
            return _as_float(value.text if isinstance(value, UnreadNumber) else value)
    if isinstance(value, (date, time)):  # of a TOML document: converted to the text that JSON would have
        return _iso_text(value)
    raise InvalidValueError("", "not_json", f"expected a JSON value, found {describe(value)}")


def _iso_text(value: date | time) -> str:
    try:
        return value.isoformat()
    except Exception:  # noqa: BLE001  (a zone object of the host's may raise anything)
        raise InvalidValueError("", "not_json", "the time zone of this value has no valid offset for it") from None


def _as_float(value: Any) -> float:
    if isinstance(value, str) and len(value) > 1_000:
        value = "inf"
    try:
        return _finite(float(value))
    except (OverflowError, ValueError):
        raise InvalidValueError("", "out_of_range", "expected a number that a float can represent") from None


def _finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise InvalidValueError("", "not_finite", "expected a JSON number, found NaN or an infinity")
