"""Titles and descriptions of a schema, from the names and docstrings of classes."""

import inspect
import re
from collections.abc import Mapping

from loyalty_rules.schema.errors import UndeclaredSchemaError

__all__ = ["bullet_points", "description_of", "snake_case", "title_of"]


def snake_case(name: str) -> str:
    """Return the name of a class as the name of a definition: `CouponType` becomes `coupon_type`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def title_of(name: str) -> str:
    """Return a name as words: `CouponType` becomes `Coupon type`."""
    text = snake_case(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def description_of(cls: type) -> str:
    """Return the first sentence of a class's docstring, which an editor shows."""
    text = " ".join((inspect.getdoc(cls) or "").split())
    if not text:
        raise UndeclaredSchemaError(f"{cls.__name__} has no docstring whose first sentence an editor could show")
    first: str = re.split(r"(?<=[.…]) (?=[^a-z])", text, maxsplit=1)[0]
    return first


def bullet_points(classes: Mapping[str, type]) -> str:
    """Return one line for each key or tag, with the description of its class."""
    return "\n".join(f"- `{name}`: {description_of(cls)}" for name, cls in classes.items())
