"""Whose fault it is, where, and what would be right.

Every error of the library is a `LoyaltyError`. Facts are attributes; the message is derived from them.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

__all__ = [
    "DocumentError",
    "InvalidValueError",
    "LoyaltyError",
    "MissingSerialsError",
    "Problem",
    "WrongEventError",
    "describe",
    "path_step",
    "shorten",
]


class LoyaltyError(Exception):
    """The base of every error that this library raises on purpose."""


@attrs.frozen
class Problem:
    """One thing that is wrong with a document.

    `path` is a JSON path (`$.promotions[0].actions[1].proration.percent`), `code` is stable from release
    to release, `message` says what is wrong, what was found and what would be right.
    """

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.code}]"


class DocumentError(LoyaltyError, ValueError):
    """A document is not valid; `problems` holds everything that is wrong with it. Source: documents, Python names."""

    def __init__(self, problems: Iterable[Problem], kind: str = "document") -> None:
        self.problems = tuple(problems)
        self.kind = kind
        super().__init__(self.problems, kind)

    def __str__(self) -> str:
        count = len(self.problems)
        heading = f"this {self.kind} has {'a problem' if count == 1 else f'{count} problems'}:"
        return "\n".join([heading, *(f"  {problem}" for problem in self.problems)])


class InvalidValueError(LoyaltyError, ValueError):
    """A value given to a constructor is not valid: `name` is the argument, `code` and `message` as in `Problem`.

    `others` are further ones of the same list or object.
    """

    def __init__(self, name: str, code: str, message: str, others: tuple[InvalidValueError, ...] = ()) -> None:
        self.name = name
        self.code = code
        self.message = message
        self.others = others
        super().__init__(name, code, message, others)

    def under(self, name: str) -> InvalidValueError:
        """Give this error, and its others, as one of a value that stands under a name."""
        step = self.name if not self.name or self.name.startswith("[") else f".{self.name}"
        others = tuple(other.under(name) for other in self.others)
        return InvalidValueError(name + step, self.code, self.message, others)

    def __str__(self) -> str:
        return f"{self.name}: {self.message} [{self.code}]" if self.name else f"{self.message} [{self.code}]"


class WrongEventError(LoyaltyError, TypeError):
    """An event of a kind that the called function does not decide."""


class MissingSerialsError(LoyaltyError):
    """A coupon of a serial-managed type is due and no serial generator was given: `coupon_type` names the type.

    Source: ledger 5 (there is no default key).
    """

    def __init__(self, coupon_type: str) -> None:
        self.coupon_type = coupon_type
        super().__init__(coupon_type)

    def __str__(self) -> str:
        return (
            f"coupon type {self.coupon_type!r} is serial-managed and no serial generator was given: "
            "pass serials=DerivedSerials.from_master(master) with a secret master key of 32 bytes or more"
        )


def path_step(key: object) -> str:
    """Write one step of a JSON path: `.key`, or `['key']` where a plain name does not do. Never long."""
    if not isinstance(key, str):
        return f"[{describe(key)}]"
    if len(key) <= 128 and key.isascii() and key.replace("_", "a").replace("-", "a").isalnum():
        return f".{key}"
    return f"[{key[:_SHOWN]!a}]"


def shorten(name: str) -> str:
    """Write a name that does not exist in a message, shortened and in ASCII."""
    return ascii(name[:_SHOWN]) + ("…" if len(name) > _SHOWN else "")


_SHOWN = 60


def describe(value: object) -> str:
    """Name a value in a message: its kind and, shortened and in ASCII, what it says. Never fails, never long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # The text of a huge integer takes quadratic time and is refused from 4,300 digits on.
        return f"the number {value}" if value.bit_length() < 100 else "a number of more than 30 digits"
    if isinstance(value, str):
        return f"the text {value[:_SHOWN]!a}" + ("…" if len(value) > _SHOWN else "")
    if isinstance(value, float):
        return f"the float {value!r}"
    kinds = {"dict": "an object", "list": "a list", "tuple": "a list", "bytes": "bytes"}
    name = type(value).__name__
    return kinds.get(name, f"a value of type {name[:_SHOWN]}")
