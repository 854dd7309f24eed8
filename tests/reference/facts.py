"""Facts about an event and its snapshot. Source: semantics 1, 3 (money) and 5 (dates)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from .amounts import given
from .dates import parsed_date, parsed_instant


class Skip(Exception):
    """An action issues nothing, for a reason of the spec's list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Facts:
    """The program, the event and the snapshot, with values derived from them directly."""

    program: dict
    event: dict
    snapshot: dict
    zone: ZoneInfo
    occurred_at: datetime
    event_date: date
    rate: Fraction | None
    # The contribution of the event to each tracker; None for money of another currency without a rate.
    contributions: dict[str, Fraction | None] = field(default_factory=dict)
    # What earlier actions have issued at once to the event's own member, less what earlier promotions have spent.
    moved: dict[str, Fraction] = field(default_factory=dict)

    @property
    def member(self) -> dict | None:
        return self.event.get("member")

    @property
    def is_transaction(self) -> bool:
        return self.event["type"] == "transaction"

    @property
    def lines(self) -> list[dict]:
        return self.event.get("lines") or []

    def tender(self, kind: str) -> Fraction:
        """Return the sum of the tenders of a type."""
        tenders = self.event.get("tenders") or []
        return sum((given(tender["amount"]) for tender in tenders if tender["type"] == kind), Fraction(0))

    @property
    def group(self) -> str | None:
        return (self.member or {}).get("group")

    def level(self, tier: str) -> str | None:
        """Return the member's level before the event: "an absent level is the first"."""
        if self.member is None:
            return None
        if self.is_ownerless(self.program["tiers"][tier]["by"]):
            return self.program["tiers"][tier]["levels"][0]  # "who has no group has the first level"
        held = (self.snapshot.get("tiers") or {}).get(tier)
        return self.program["tiers"][tier]["levels"][0] if held is None else held["level"]

    def balance(self, currency: str) -> Fraction | None:
        """Return the balance before the event: "Absent balances are zero"; None without a member."""
        if self.member is None:
            return None
        return given((self.snapshot.get("balances") or {}).get(currency))

    def is_ownerless(self, tracker: str) -> bool:
        """Return whether it is a group's tracker and the member has no group."""
        return self.program["trackers"][tracker].get("per") == "member_group" and self.group is None

    def tracked_before(self, tracker: str) -> Fraction:
        """Return the tracker's value before the event: "Absent means zero"."""
        return given((self.snapshot.get("trackers") or {}).get(tracker))


def gather(program: dict, event: dict, snapshot: dict | None) -> Facts:
    """Return the facts of one evaluation, without the trackers' contributions."""
    zone = ZoneInfo(program["time_zone"])
    occurred_at = parsed_instant(event["occurred_at"], zone)
    # "The event date is … its business_date where the till gives one, else the date of occurred_at in the
    # program's zone."
    event_date = parsed_date(event.get("business_date")) or occurred_at.date()
    return Facts(program, event, snapshot or {}, zone, occurred_at, event_date, exchange_rate(program, event))


def exchange_rate(program: dict, event: dict) -> Fraction | None:
    """Return program money for one unit of the event's, or None if a needed rate is missing.

    "Where the event's currency is absent or the program's, or the program names no money, nothing is converted and
    a rate is ignored."
    """
    if event.get("currency") is None or program.get("money") in (None, event["currency"]):
        return Fraction(1)
    return None if event.get("exchange_rate") is None else given(event["exchange_rate"])


def line_value(line: dict) -> Fraction:
    """Return the value: "A line's value is value where given, else quantity × unit_price − discount"."""
    if line.get("value") is not None:
        return given(line["value"])
    return given(line["quantity"]) * given(line["unit_price"]) - given(line.get("discount"))
