"""Random valid transactions, activities and snapshots for a program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from .pools import (
    ACTIVITIES,
    AMOUNTS,
    BIRTHDAYS,
    BRANDS,
    CATEGORIES,
    CHANNELS,
    CLOCK_DAYS,
    DATES,
    FIELD_NAMES,
    FREE_FORM,
    GROUPS,
    LARGEST_AMOUNT,
    LAST_DAY,
    LINE_TAGS,
    MEMBERS,
    MESSAGE_CHANNELS,
    MONEYS,
    PARTS_OF_THE_BILL,
    PLAIN_DAYS,
    RATES,
    SKUS,
    STATUSES,
    STORES,
    TAGS,
    TENDERS,
    TIERS,
    TIMES,
    TRACKED,
    Drawer,
)

# Numbers first: bases ask for these three.
NUMERIC_FIELDS = FIELD_NAMES[:3]
NUMBERS = ("20", 20, "10.5", "4", "0", "-5", "007")
DATE_FIELDS = ("check_in", "renewal")
FIELD_DATES = ("2025-09-01", "2025-01-15", "2024-02-29", "2026-01-31", "1960-05-05", "9998-12-31", "2025-02-29")
CONTACTS = (
    "+15550100",
    "a@example.org",
    True,
    {"to": "a@example.org"},
    {"to": "a@example.org", "consent": True, "suppressed": False},
    {"to": "a@example.org", "consent": False},
    {"to": "a@example.org", "suppressed": True},
    {"consent": True},
    "",
    False,
    None,
)
BALANCES = ("800.5", "100", "100000", "-20", "1000", "50", "100000", "10.5", "99999", "0")
UNTIL = ("2024-12-31", "2025-01-15", "2025-12-31", "2026-12-31", "2030-01-01")
OFFSETS = (timedelta(0), timedelta(hours=5, minutes=30), -timedelta(hours=10))


def event(d: Drawer, program: dict) -> dict:
    """Draw a transaction or an activity, at an instant that is awkward in the program's zone."""
    at = occurred_at(d, program)
    zone = ZoneInfo(program["time_zone"])
    is_activity = d.chance(15)
    document = {
        "type": d.pick(ACTIVITIES) if is_activity else "transaction",
        "id": d.pick(("T-1001", "T/2", "50%/x", "Ä 7")),
        "occurred_at": at,
    }
    if not is_activity:
        bill(d, document, program)
    d.optional(document, 25, business_date=lambda: business_date(d, datetime.fromisoformat(at).astimezone(zone)))
    d.optional(document, 70, store=lambda: d.pick(STORES))
    d.optional(document, 40, brand=lambda: d.pick(BRANDS), channel=lambda: d.pick(CHANNELS))
    d.optional(document, 50, status=lambda: d.pick(STATUSES))
    d.optional(document, 75, currency=lambda: d.pick(MONEYS))
    d.optional(document, 55, exchange_rate=lambda: d.pick(RATES))
    d.optional(document, 96, member=lambda: member(d))
    return d.optional(document, 90, custom_fields=lambda: free_fields(d), extended_fields=lambda: free_fields(d))


def bill(d: Drawer, document: dict, program: dict) -> None:
    document["amount"] = LARGEST_AMOUNT if not prorates_coupons(program) and d.chance(2) else d.pick(AMOUNTS)
    d.optional(
        document,
        45,
        tax=lambda: d.pick(PARTS_OF_THE_BILL),
        shipping=lambda: d.pick(PARTS_OF_THE_BILL),
        tip=lambda: d.pick(PARTS_OF_THE_BILL),
        tenders=lambda: [tender(d) for _ in range(d.number(0, 3))],
    )
    count = d.pick((1, 2, 3, 0, 4))
    d.optional(document, 95, lines=lambda: [line(d, number) for number in range(1, count + 1)])


def prorates_coupons(program: dict) -> bool:
    """Return whether the number of coupons may depend on the bill: a large bill then has a great many intents."""
    return any(
        isinstance(action.get("quantity"), dict)
        for promotion in program["promotions"]
        for action in promotion["actions"]
    )


def tender(d: Drawer) -> dict:
    return {"type": d.pick(TENDERS), "amount": d.pick((*PARTS_OF_THE_BILL, "-2.62"))}


def occurred_at(d: Drawer, program: dict) -> str:
    """Draw a wall time of the program's zone, written with any offset; now and then the edge of a window."""
    edges = [
        promotion[key] for promotion in program["promotions"] for key in ("starts_at", "ends_at") if promotion.get(key)
    ]
    if edges and d.chance(35):
        return d.pick(edges)
    zone = ZoneInfo(program["time_zone"])
    day = LAST_DAY if d.chance(2) else d.pick((*PLAIN_DAYS, *CLOCK_DAYS[program["time_zone"]]))
    wall = datetime.fromisoformat(f"{day}T{d.pick(TIMES)}").replace(tzinfo=zone, fold=d.number(0, 1))
    if d.chance(3):
        wall += timedelta(microseconds=500_000)
    instant = wall.astimezone(UTC)
    if d.chance(40):
        return instant.isoformat().replace("+00:00", "Z")
    if d.chance(60):
        return instant.astimezone(zone).isoformat()
    return instant.astimezone(timezone(d.pick(OFFSETS))).isoformat()


def business_date(d: Drawer, local: datetime) -> str:
    if d.chance(15):
        return d.pick(DATES[:-2])
    return (local.date() + timedelta(days=d.number(-1, 1))).isoformat()


def member(d: Drawer) -> dict:
    return d.optional(
        {"id": d.pick(MEMBERS)},
        70,
        group=lambda: d.pick(GROUPS),
        tier=lambda: d.pick(TIERS),
        registered_on=lambda: d.pick(BIRTHDAYS),
        tags=lambda: d.some(TAGS, 0, 2),
        contacts=lambda: contacts(d),
        extended_fields=lambda: free_fields(d),
    )


def contacts(d: Drawer) -> dict:
    return {channel: d.pick(CONTACTS) for channel in d.some(MESSAGE_CHANNELS, 0, 4)}


def free_fields(d: Drawer) -> dict:
    """Draw free-form fields: mostly of the kind that a program reads, sometimes any value."""
    fields = {}
    for name in d.some(FIELD_NAMES, 2, 7):
        if d.chance(25):
            fields[name] = d.pick(FREE_FORM)
        elif name in NUMERIC_FIELDS:
            fields[name] = d.pick(NUMBERS)
        elif name in DATE_FIELDS:
            fields[name] = d.pick(FIELD_DATES)
        else:
            fields[name] = d.pick((True, "gold", ["gold", "7"], "2025-01-15", 7))
    if d.chance(60):
        fields["friend"] = d.pick((*MEMBERS, *MEMBERS, "", " M1", "x" * 129, 7, None))
    return fields


def line(d: Drawer, number: int) -> dict:
    quantity = d.pick(("1", "2", 5, "0", "0.5", "0.333333", "-1"))
    document = {"id": d.pick((f"{number}", f"L/{number}")), "quantity": quantity}
    priced = d.chance(40)
    if priced:
        document["unit_price"] = d.pick(("50", "9", "0.333333", "19.99", "0"))
        d.optional(document, 40, discount=lambda: d.pick(("5", "60", "0", "0.01")))
        d.optional(document, 15, value=lambda: line_value(d))
    else:
        document["value"] = line_value(d)
        d.optional(document, 10, unit_price=lambda: d.pick(("50", "9")))
    d.optional(document, 70, sku=lambda: d.pick(SKUS), category=lambda: d.pick(CATEGORIES))
    d.optional(document, 35, brand=lambda: d.pick(BRANDS), tags=lambda: d.some(LINE_TAGS, 0, 2))
    d.optional(document, 30, tax=lambda: d.pick(("0", "1.5", "20")))
    return d.optional(document, 65, extended_fields=lambda: free_fields(d))


def line_value(d: Drawer) -> object:
    return d.pick(("50", "120.50", "45.75", "83.75", "75", "55", 170, "0", "-15", "1400", "0.000001"))


# --- snapshots ------------------------------------------------------------------------------------------------


def snapshot(d: Drawer, program: dict) -> dict:
    """Draw a snapshot of the program's trackers, caps, limits and coupons."""
    issuing = [
        f"{promotion['id']}/{action['id']}"
        for promotion in program["promotions"]
        for action in promotion["actions"]
        if action["type"] == "issue_currency"
    ]
    pools = {
        "trackers": (program.get("trackers") or {}, lambda: d.pick(TRACKED)),
        "issued": (issuing, lambda: issued(d)),
        "limits": (program.get("limits") or {}, lambda: d.pick(("0", "10", "15.5", "120", "500", 999))),
        "coupons": (program.get("coupon_types") or {}, lambda: coupons_issued(d)),
    }
    document = {}
    d.optional(
        document,
        80,
        balances=lambda: {name: d.pick(BALANCES) for name in program["currencies"]},
        tiers=lambda: {name: standing(d) for name in program["tiers"]},
        recipients=lambda: {name: recipient(d, program, issuing) for name in d.some((*MEMBERS, "gold", "S1"), 1, 5)},
    )
    for key, (names, make) in pools.items():
        d.optional(
            document, 75, **{key: lambda names=names, make=make: {name: make() for name in names if d.chance(75)}}
        )
    return document


def standing(d: Drawer) -> dict:
    document = {"level": d.pick(("silver", "gold", "bronze"))}
    return d.optional(document, 70, until=lambda: d.pick(UNTIL))


def recipient(d: Drawer, program: dict, issuing: list[str]) -> dict:
    return d.optional(
        {},
        80,
        issued=lambda: {name: issued(d) for name in issuing},
        limits=lambda: {name: d.pick(("0", "10", "15.5", "120")) for name in program.get("limits") or {}},
    )


def issued(d: Drawer) -> dict:
    return d.optional({}, 75, member=lambda: counted(d), total=lambda: counted(d))


def counted(d: Drawer) -> dict:
    return d.optional(
        {}, 75, amount=lambda: d.pick(("0", "5", "45.5", "95", "100", "1990")), times=lambda: d.pick((0, 1, 2, 9))
    )


def coupons_issued(d: Drawer) -> dict:
    return d.optional(
        {},
        65,
        store=lambda: d.pick((0, 1, 999, 1000)),
        member=lambda: d.pick((0, 1, 4)),
        total=lambda: d.pick((0, 2, 4999)),
    )
