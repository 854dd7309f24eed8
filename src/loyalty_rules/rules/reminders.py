"""Reminders: messages about units that expire soon. Source: semantics 15."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import attrs
from attrs.converters import optional

from loyalty_rules.rules.communication import Communication
from loyalty_rules.values.amounts import read_non_negative
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import Period

__all__ = ["Reminder"]

_MOST_CLAMPED = 4  # days at the end of a month that one day of a shorter month stands for


@attrs.frozen(field_transformer=checked)
class Reminder:
    """A message about units that expire on one day, `before` that day; at `least` so many of an account.

    It is due at the first instant of its local day. Source: semantics 15.
    """

    before: Period
    communication: Communication
    least: Decimal | None = attrs.field(default=None, converter=optional(read_non_negative))

    def last_days(self, reminded_on: date) -> Iterator[date]:
        """Yield the last days of units of which the account is reminded on a day.

        After the last day of a short month there are several: 28, 29, 30 and 31 March are a month after 28 February.
        """
        nearest = self.before.after(reminded_on)
        if nearest is None:
            return
        for days in range(-_MOST_CLAMPED, _MOST_CLAMPED):
            try:
                day = nearest + timedelta(days=days)
            except OverflowError:
                continue
            if self.before.before(day) == reminded_on:
                yield day
