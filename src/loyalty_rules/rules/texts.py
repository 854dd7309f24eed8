"""Texts for people, one for all or by language, and the line that a till prints for a coupon. Source: semantics 9."""

import re
from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.values.identifiers import mapping_schema, read_mapping, read_name, read_text
from loyalty_rules.values.json_schema import declare

__all__ = ["Text", "read_text_by_language", "till_message", "with_code"]

Text: TypeAlias = str | Mapping[str, str]
"""A text for people: one for all, or a table of texts by language."""

MAX_LANGUAGES = 100
_NAMES = re.compile(r"\{(code|title|expires_on)\}")


def read_text_by_language(value: Text) -> Text:
    """Read a text, or an object of texts by language with at least one."""
    if isinstance(value, str):
        return read_text(value)
    if not isinstance(value, Mapping):
        raise InvalidValueError(
            "", "not_a_text", f"expected a text or an object of texts by language, found {describe(value)}"
        )
    if not value:
        raise InvalidValueError("", "required", "expected a text in at least one language, found none")
    return read_mapping(value, read_text, "texts", read_name, most=MAX_LANGUAGES)


declare(
    read_text_by_language,
    {
        "description": "A text, or texts by language.",
        "type": ["string", "object"],
        "maxLength": 10_000,
        "if": {"type": "object"},
        "then": {**mapping_schema({"$ref": read_text}, read_name), "minProperties": 1, "maxProperties": MAX_LANGUAGES},
    },
    name="text_by_language",
)


def till_message(
    template: Text | None, code: str | None, title: Text | None = None, expires_on: date | None = None
) -> Text:
    """Return the line that the till prints for a coupon; without a template it is `Coupon issued: CODE`.

    The template may contain `{code}`, `{title}` and `{expires_on}`. A name without a value becomes empty, other
    braces stay, and inserted values are not filled again. A template by language is filled for each language.
    Source: semantics 9.
    """
    if template is None:
        return f"Coupon issued: {code}"
    if isinstance(template, str):
        return _filled(template, code, _in_language(title, None), expires_on)
    return {
        language: _filled(each, code, _in_language(title, language), expires_on) for language, each in template.items()
    }


def _in_language(text: Text | None, language: str | None) -> str:
    """Return a text in a language, or in the first of its languages in sort order."""
    if text is None or isinstance(text, str):
        return text or ""
    return text[language] if language is not None and language in text else text[min(text)]


def _filled(template: str, code: str | None, title: str, expires_on: date | None) -> str:
    values = {"code": code or "", "title": title, "expires_on": expires_on.isoformat() if expires_on else ""}
    return _NAMES.sub(lambda match: values[match[1]], template)


def with_code(message: Text, code: str, other: str) -> Text:
    """Return a message with another code in the place of a code."""
    if isinstance(message, str):
        return message.replace(code, other)
    return {language: each.replace(code, other) for language, each in message.items()}
