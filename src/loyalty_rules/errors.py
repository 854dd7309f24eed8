"""The errors of the library, and the wording of their messages.

Every error is a `LoyaltyError`. Its facts are attributes, and the message is derived from them: the place, the value
that was found, and the values that are expected.
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
    """The base class of every error that this library raises on purpose."""


@attrs.frozen
class Problem:
    """One problem of a document.

    `path` is a JSON path such as `$.promotions[0].actions[1].proration.percent`. `code` stays the same from release
    to release. `message` is for people: the problem, the value that was found, and the values that are expected.
    """

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.code}]"


class DocumentError(LoyaltyError, ValueError):
    """A document that is not valid; `problems` has every problem of it. Source: documents, Python names."""

    def __init__(self, problems: Iterable[Problem], kind: str = "document") -> None:
        self.problems = tuple(problems)
        self.kind = kind
        super().__init__(self.problems, kind)

    def __str__(self) -> str:
        count = len(self.problems)
        heading = f"this {self.kind} has {'a problem' if count == 1 else f'{count} problems'}:"
        return "\n".join([heading, *(f"  {problem}" for problem in self.problems)])


class InvalidValueError(LoyaltyError, ValueError):
    """An argument of a constructor that is not valid.

    `name` is the name of the argument; `code` and `message` are as in `Problem`. `others` are further errors of the
    same list or object.
    """

    def __init__(self, name: str, code: str, message: str, others: tuple[InvalidValueError, ...] = ()) -> None:
        self.name = name
        self.code = code
        self.message = message
        self.others = others
        super().__init__(name, code, message, others)

    def under(self, name: str) -> InvalidValueError:
        """Return this error with a name in front of its own: that of the argument or key with the value."""
        step = self.name if not self.name or self.name.startswith("[") else f".{self.name}"
        others = tuple(other.under(name) for other in self.others)
        return InvalidValueError(name + step, self.code, self.message, others)

    def __str__(self) -> str:
        return f"{self.name}: {self.message} [{self.code}]" if self.name else f"{self.message} [{self.code}]"


class WrongEventError(LoyaltyError, TypeError):
    """An event of a type that the called function does not process."""


class MissingSerialsError(LoyaltyError):
    """A coupon of a serial-managed type is due, but the call has no serial generator.

    `coupon_type` is the id of the type. There is no default key. Source: ledger 5.
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
    """Write one step of a JSON path: `.key`, or `['key']` if the key is not a plain name; long keys are shortened."""
    if not isinstance(key, str):
        return f"[{describe(key)}]"
    if len(key) <= 128 and key.isascii() and key.replace("_", "a").replace("-", "a").isalnum():
        return f".{key}"
    return f"[{key[:_SHOWN]!a}]"


def shorten(name: str) -> str:
    """Write a name for a message, in ASCII and with at most 60 characters."""
    return ascii(name[:_SHOWN]) + ("…" if len(name) > _SHOWN else "")


_SHOWN = 60


def describe(value: object) -> str:
    """Describe a value for a message: its kind, and its content in ASCII and shortened. Never raises."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Python converts a huge integer to text in quadratic time, and refuses to from 4,300 digits on.
        return f"the number {value}" if value.bit_length() < 100 else "a number of more than 30 digits"
    if isinstance(value, str):
        return f"the text {value[:_SHOWN]!a}" + ("…" if len(value) > _SHOWN else "")
    if isinstance(value, float):
        return f"the float {value!r}"
    kinds = {"dict": "an object", "list": "a list", "tuple": "a list", "bytes": "bytes"}
    name = type(value).__name__
    return kinds.get(name, f"a value of type {name[:_SHOWN]}")
