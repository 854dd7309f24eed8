"""The small pools that documents are drawn from, and a drawer of choices.

Pools are small and shared between programs, events and snapshots, so that conditions often hold, thresholds are
often hit exactly and caps often bind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/Santiago",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",
)

# Days that calendars and clocks trip over: leap days, month ends, and for each zone the days its clocks change.
PLAIN_DAYS = (
    "2025-01-15",
    "2025-03-01",
    "2024-02-28",
    "2024-02-29",
    "2025-02-28",
    "2025-01-31",
    "2024-12-31",
    "2025-06-10",
)
CLOCK_DAYS = {
    "UTC": ("2025-01-01",),
    "America/New_York": ("2025-03-08", "2025-03-09", "2025-11-01", "2025-11-02"),
    "Europe/Berlin": ("2025-03-29", "2025-03-30", "2025-10-26"),
    "Asia/Kolkata": ("2025-01-01",),
    "America/Santiago": ("2024-09-07", "2024-09-08", "2025-04-05", "2025-04-06"),
    "Africa/Cairo": ("2024-04-25", "2024-04-26", "2024-10-31", "2024-11-01"),
    "America/Havana": ("2025-03-08", "2025-03-09", "2025-11-01", "2025-11-02"),
    "Pacific/Apia": ("2011-12-28", "2011-12-29", "2011-12-31"),
}
# So near the end of the years that are allowed that most expiries lie beyond it.
LAST_DAY = "9998-12-30"
TIMES = (
    "10:00:00",
    "00:00:00",
    "00:30:00",
    "01:30:00",
    "02:30:00",
    "12:15:30",
    "23:00:00",
    "23:30:00",
    "23:59:59",
)
DATES = (
    *PLAIN_DAYS,
    "2011-12-29",
    "2011-12-30",
    "2024-09-07",
    "2025-12-25",
    "2026-02-28",
    "1970-01-01",
    "9998-12-31",
)
BIRTHDAYS = (
    "2023-06-10",
    "2024-02-29",
    "1964-02-29",
    "2025-01-15",
    "1999-12-31",
    "2030-03-01",
    "2021-02-28",
)

MONEYS = ("USD", "EUR")
PROGRAM_MONEYS = ("USD", "EUR", "USD", "EUR", "JPY", "KWD")
RATES = ("1", "2", "0.5", "1.1", "0.333333333333", "0.1234567", 3)
AMOUNTS = (
    "100",
    100,
    "100.0",
    "150",
    "200",
    "300",
    "50",
    "50.5",
    "50.50",
    "49.99",
    "101.5",
    "102.5",
    "149.99",
    "299.99",
    "450",
    "1000",
    "2000.75",
    "12.345678",
    "0.01",
    "0",
    "-0",
    "-20",
)
LARGEST_AMOUNT = "999999999999999.999999"
# What ends in these numbers often meets a target exactly with an amount of AMOUNTS.
TARGETS = ("100", "150", "1000", "300.5", 200, "0.5")
TRACKED = ("0", "50", "99.99", "100", "150", "800", "850", "900", "950", "1000", "250", 2000, "0.25")
PARTS_OF_THE_BILL = ("0", "5", "9.5", "10", "20.25", 30)

FIELD_NAMES = ("tip", "delivery_fee", "nights", "check_in", "renewal", "vip", "a.b")
FREE_FORM = (
    "20",
    20,
    "10.5",
    "4",
    "007",
    7,
    "0",
    "-5",
    "2025-09-01",
    "2025-01-15",
    "2024-02-29",
    "gold",
    "abc",
    True,
    False,
    None,
    "2025-02-29",
    "1960-05-05",
    "9998-12-31",
    "1e5",
    " 5",
    "",
    ["gold", "7", 20, None],
    [],
    {"x": 1},
    10**15,
    2.5,
)
# Operands of conditions by field, mostly of the kind that events have there.
FREE_OPERANDS = {
    "tip": ("20", 20, "10.5", "4.0", "0", "abc"),
    "delivery_fee": ("20.00", 10, "10.5", "-5.0", True),
    "nights": (4, "7", "007", "20", "1e5"),
    "check_in": DATES,
    "renewal": DATES,
    "vip": (True, "gold", False, "7", 7),
    "a.b": ("gold", True, 7, "007", False, "2025-01-15"),
}

STORES = ("S1", "S2", "007", "A/B", "7%")
BRANDS = ("acme", "zen")
CHANNELS = ("pos", "web")
STATUSES = ("placed", "Shipped")
TIERS = ("gold", "silver")
GROUPS = ("household-7", "g/8")
MEMBERS = ("M1", "M2", "M/3%")
TAGS = ("staff", "vip", "7")
TENDERS = ("card", "gift_card", "a.b")
SKUS = ("MUG", "TEA", "SHIRT")
CATEGORIES = ("Apparel", "Food")
LINE_TAGS = ("linen", "sale")
ACTIVITIES = ("registration", "profile_update")
MESSAGE_CHANNELS = ("sms", "email", "mobile_push", "whatsapp")


class Drawer:
    """A drawer of single choices, which shrink towards absence and the first of a pool."""

    def __init__(self, draw: Callable) -> None:
        self.draw = draw

    def pick(self, pool: Sequence) -> object:
        return self.draw(st.sampled_from(pool))

    def chance(self, percent: int) -> bool:
        return self.pick(range(100)) >= 100 - percent

    def number(self, least: int, most: int) -> int:
        return self.pick(range(least, most + 1))

    def some(self, pool: Sequence, least: int, most: int) -> list:
        """Draw distinct items of a pool, in any order."""
        left, chosen = list(pool), []
        for _ in range(self.number(least, min(most, len(left)))):
            chosen.append(left.pop(self.number(0, len(left) - 1)))
        return chosen

    def optional(self, document: dict, percent: int, **makers: Callable[[], object]) -> dict:
        """Add each key with that chance; the rest are absent, or now and then an explicit null."""
        for key, make in makers.items():
            roll = self.pick(range(100))
            if roll >= 100 - percent:
                document[key] = make()
            elif roll >= 93 - percent:
                document[key] = None
        return document
