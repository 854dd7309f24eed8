"""Payloads: parts of a document of another system, each with its path, read exactly or refused with a sentence.

A missing key, a null and an empty text are the same: nothing. Amounts become whole millionths.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any, TypeVar

import attrs

from loyalty_rules.errors import InvalidValueError, describe, path_step
from loyalty_rules.values.amounts import UnreadNumber, micros, read_decimal
from loyalty_rules.values.dates import in_zone, is_in_range, read_date, read_event_instant

__all__ = ["Payload", "local_instant"]

T = TypeVar("T")

_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.[0-9]{1,30})?")
_FRACTION = re.compile(r"(-?)([0-9]{1,15})\.([0-9]{1,30})")
_LAST_UNIX_SECOND = 253_339_228_800  # the beginning of the year 9998
_NOISE = 1_000
"""Binary noise changes a fraction by less than a thousandth of a millionth."""


@attrs.frozen
class Payload:
    """A part of a document of another system, with its JSON path."""

    value: Any
    path: str = "$"

    def __bool__(self) -> bool:
        return self.value is not None and self.value not in ("", [], {})

    def __getitem__(self, key: str) -> "Payload":
        value = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Payload(value, self.path + path_step(key))

    def first(self, *keys: str) -> "Payload":
        """Return the first of some parts that is there; the last one if none is."""
        parts = [self[key] for key in keys]
        return next((part for part in parts if part), parts[-1])

    def items(self) -> Iterator["Payload"]:
        """Yield the items of a list, or nothing. Raises `InvalidValueError` for another value."""
        if self.value is None:
            return
        if not isinstance(self.value, (list, tuple)):
            raise self.refusal("not_a_list", f"expected a list, found {describe(self.value)}")
        for index, item in enumerate(self.value):
            yield Payload(item, f"{self.path}[{index}]")

    def refusal(self, code: str, message: str) -> InvalidValueError:
        """Build the error that refuses this part."""
        return InvalidValueError(self.path, code, message)

    def shown(self) -> str:
        """Return the value for a message: a number or a text as it is, other values by their kind."""
        if isinstance(self.value, UnreadNumber):
            return self.value.text[:60]
        if isinstance(self.value, str) or (not isinstance(self.value, bool) and isinstance(self.value, int)):
            return str(self.value)[:60]
        return describe(self.value)

    # -- reading -----------------------------------------------------------------------------------------------------

    def text(self) -> str | None:
        """Return the text, or a whole number as a text; None if there is nothing."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        if self.value is None or isinstance(self.value, str):
            return (self.value or "").strip() or None
        raise self.refusal("not_a_text", f"expected a text, found {describe(self.value)}")

    def required_text(self) -> str:
        """Return the text. Raises `InvalidValueError` if there is nothing."""
        return self._required(self.text())

    def flag(self) -> bool:
        """Return whether the value is true; the texts `true` and `1` are."""
        return self.value is True or (isinstance(self.value, str) and self.value.strip().lower() in ("true", "1"))

    def amount(self) -> int | None:
        """Return an amount in millionths; None if there is nothing. A float is refused, since it is not exact."""
        if not self:
            return None
        value = self.value.strip() if isinstance(self.value, str) else self.value
        return self._read(lambda: micros(read_decimal(value)))

    def required_amount(self) -> int:
        """Return an amount in millionths. Raises `InvalidValueError` if there is nothing."""
        return self._required(self.amount())

    def nearest_amount(self) -> int | None:
        """Return an amount in millionths that was written by a system that calculates with floats.

        The text of a number may have binary noise (`17.990000000000002`), which is dropped. A float is refused.
        """
        written = self.value.text if isinstance(self.value, UnreadNumber) else None
        match = _FRACTION.fullmatch(written) if written is not None else None
        if match is None:
            return self.amount()
        sign, whole, fraction = match.groups()
        noise = int(f"{fraction[6:9]:0<3}")
        if noise not in (0, _NOISE - 1):
            raise self.refusal("not_a_decimal", f"expected at most 6 fractional digits, found {self.shown()}")
        amount = int(whole) * 10**6 + int(f"{fraction[:6]:0<6}") + (noise > 0)
        return -amount if sign else amount

    def whole(self) -> int | None:
        """Return a whole number; None if there is nothing."""
        if self.value is None or (isinstance(self.value, int) and not isinstance(self.value, bool)):
            return self.value
        raise self.refusal("not_a_whole_number", f"expected a whole number, found {describe(self.value)}")

    def day(self) -> date | None:
        """Return a date; None if there is nothing. A zone at its end (`2026-01-15Z`) has no meaning and is dropped."""
        text = self.text()
        return None if text is None else self._read(lambda: read_date(text[:10]))

    def instant(self, zone: tzinfo, *, local: tzinfo | None = None) -> datetime | None:
        """Return an instant with the offset that `zone` has then; None if there is nothing.

        A whole number is in Unix seconds. A text without an offset is a local time in `local`, or in `zone`.
        """
        if not self:
            return None
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            if not 0 <= self.value < _LAST_UNIX_SECOND:
                raise self.refusal("not_an_instant", f"expected Unix seconds, found {describe(self.value)}")
            return in_zone(datetime.fromtimestamp(self.value, UTC), zone)
        text = self.required_text()
        match = _LOCAL.fullmatch(text)
        if match is None:
            with_colon = re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", text)
            return self._read(lambda: in_zone(read_event_instant(with_colon), zone))
        try:
            wall = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3] or ':00'}")
        except ValueError:
            raise self.refusal("not_an_instant", f"expected a time that exists, found {describe(text)}") from None
        if not is_in_range(wall.date()):
            raise self.refusal("out_of_range", f"expected a year from 1970 to 9998, found {wall.year}")
        return in_zone(local_instant(wall, local or zone)[0], zone)

    def required_instant(self, zone: tzinfo, *, local: tzinfo | None = None) -> datetime:
        """Return an instant. Raises `InvalidValueError` if there is nothing."""
        return self._required(self.instant(zone, local=local))

    def _required(self, value: T | None) -> T:
        if value is None:
            raise self.refusal("required", "is missing")
        return value

    def _read(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except InvalidValueError as error:
            message = error.message
            if error.code == "float":
                message = (
                    f"a float is not exact, found {self.value!r}: pass the JSON text itself, or parse it "
                    "with parse_float=decimal.Decimal"
                )
            raise self.refusal(error.code, message) from None


def local_instant(wall: datetime, zone: tzinfo) -> tuple[datetime, bool]:
    """Return the instant of a local time, and whether it is the only one; of two it is the first.

    A time that the clocks skip moves forward by the gap.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return in_zone(first, zone), first >= second
