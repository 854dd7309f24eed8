"""The message for the till. Source: semantics 9 and 18."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{(code|title|expires_on)\}")


def till_message(coupon_type: dict, code: str, expires_on: str | None) -> str | dict[str, str]:
    """Return the message of a coupon.

    "Without till_message: "Coupon issued: CODE"". "A message by language is filled for each language, with the title of
    that language or, without one, the title's first key in sort order." With a plain message, the first key too.
    """
    template, title = coupon_type.get("till_message"), coupon_type.get("title")
    if template is None:
        return f"Coupon issued: {code}"
    if isinstance(template, str):
        return filled(template, code, title_in(None, title), expires_on)
    return {language: filled(each, code, title_in(language, title), expires_on) for language, each in template.items()}


def title_in(language: str | None, title: str | dict | None) -> str | None:
    if isinstance(title, dict):
        return title.get(language, title[min(title)])
    return title


def filled(template: str, code: str, title: str | None, expires_on: str | None) -> str:
    """Fill a template.

    "A name without a value is empty, other braces stay, and what is filled in is not filled again."
    """
    values = {"code": code, "title": title, "expires_on": expires_on}
    return PLACEHOLDER.sub(lambda found: values[found[1]] or "", template)
