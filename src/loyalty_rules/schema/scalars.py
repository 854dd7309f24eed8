"""The JSON Schema of each scalar of a document: numbers, ids, names, instants, dates. Source: documents (scalars).

Patterns and limits are those of the readers, taken from them.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from loyalty_rules.values import amounts, identifiers

__all__ = ["SCALARS"]

Json: TypeAlias = dict[str, Any]

_ID = identifiers._ID.pattern
_NUMBER = amounts._DECIMAL.pattern.removeprefix("-?")
_SUM = amounts._SUM.pattern.removeprefix("-?")
_RATE = amounts._RATE.pattern.removeprefix("-?")
_VISIBLE = r"[^\s\u0000-\u001f\u007f-\u009f]+"
_NAME = f"{_VISIBLE}(?: +{_VISIBLE})*"
_MONTH_AND_DAY = r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_ANY_YEAR = r"(?!0000)[0-9]{4}"
_EVENT_YEAR = r"(?:19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
_TIME = r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,30})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"


def _number(what: str, pattern: str, **bounds: int) -> Json:
    return {
        "description": f'{what}: a text such as "10.5", an integer, or a plain fraction in the text of a document.',
        "type": ["string", "number"],
        "pattern": f"^(?:{pattern})$",
        **bounds,
    }


def _text(what: str, pattern: str, **more: Any) -> Json:
    return {"description": what, "type": "string", "pattern": f"^(?:{pattern})$", **more}


_INSTANT = 'An instant, RFC 3339 with its offset: "2025-01-15T10:00:00-05:00".'
_DATE = 'A date: "2025-01-15".'
_LIMIT, _SUM_LIMIT, _RATE_LIMIT = amounts._LIMIT, amounts._SUM_LIMIT, amounts._RATE_LIMIT

SCALARS: Mapping[str, Json] = {
    "decimal": _number("A number", f"-?{_NUMBER}", exclusiveMinimum=-_LIMIT, exclusiveMaximum=_LIMIT),
    "non_negative": _number(
        "A number of zero or more", rf"-0{{1,15}}(?:\.0{{1,6}})?|{_NUMBER}", minimum=0, exclusiveMaximum=_LIMIT
    ),
    "positive": _number(
        "A number of more than zero", f"(?=.*[1-9]){_NUMBER}", exclusiveMinimum=0, exclusiveMaximum=_LIMIT
    ),
    "sum": _number("A sum", f"-?{_SUM}", exclusiveMinimum=-_SUM_LIMIT, exclusiveMaximum=_SUM_LIMIT),
    "drawn": _number(
        "A sum of zero or more", rf"-0{{1,24}}(?:\.0{{1,6}})?|{_SUM}", minimum=0, exclusiveMaximum=_SUM_LIMIT
    ),
    "rate": _number(
        "An exchange rate of more than zero",
        f"(?=.*[1-9]){_RATE}",
        exclusiveMinimum=0,
        exclusiveMaximum=_RATE_LIMIT,
    ),
    "id": _text("An id: 1 to 64 letters, digits, '.', '_' and '-'.", _ID),
    "name": _text(
        "A name: 1 to 128 printable characters, no white space at the ends.",
        _NAME,
        maxLength=identifiers._MAX_NAME,
    ),
    "text": {
        "description": "A text of at most 10,000 characters.",
        "type": "string",
        "maxLength": identifiers._MAX_TEXT,
    },
    "instant": _text(_INSTANT, f"{_ANY_YEAR}-{_MONTH_AND_DAY}{_TIME}", format="date-time"),
    "instant_of_event": _text(_INSTANT, f"{_EVENT_YEAR}-{_MONTH_AND_DAY}{_TIME}", format="date-time"),
    "date": _text(_DATE, f"{_ANY_YEAR}-{_MONTH_AND_DAY}", format="date"),
    "date_of_event": _text(_DATE, f"{_EVENT_YEAR}-{_MONTH_AND_DAY}", format="date"),
    "time_zone": _text(
        'An IANA time zone, such as "America/New_York".', "[!-~]+", maxLength=64, examples=["UTC", "America/New_York"]
    ),
    "money": _text("An ISO 4217 code.", "[A-Z]{3}", examples=["USD", "EUR"]),
    "component": {
        "description": "A component of the bill: `tax`, `shipping`, `tip` or `tenders.TYPE`.",
        "type": "string",
        "anyOf": [
            {"enum": ["tax", "shipping", "tip"]},
            {"pattern": rf"^tenders\.{_NAME}$", "maxLength": len("tenders.") + identifiers._MAX_NAME},
        ],
    },
    "action_key": _text("An action that stands earlier in the program, as `PROMOTION/ACTION`.", f"{_ID}/{_ID}"),
    "free_form": {
        "description": "Free-form fields: any JSON value under a name, judged only when an action reads it.",
        "type": "object",
    },
    "operand": {
        "description": "What is compared with: a text, a number, true or false.",
        "type": ["string", "number", "boolean"],
        "maxLength": identifiers._MAX_TEXT,
        "exclusiveMinimum": -_LIMIT,
        "exclusiveMaximum": _LIMIT,
    },
    "amount": _text("A number as it comes out: without exponent and trailing zeros.", r"-?[0-9]+(?:\.[0-9]*[1-9])?"),
}
"""The scalars, by the names of their definitions."""
