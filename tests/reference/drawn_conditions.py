"""Random valid conditions on events and on lines."""

from __future__ import annotations

from .bases import LINE_BASES
from .conditions import MEASURES, OPERATORS, WEEKDAYS
from .pools import (
    AMOUNTS,
    BRANDS,
    CATEGORIES,
    CHANNELS,
    DATES,
    FIELD_NAMES,
    FREE_OPERANDS,
    GROUPS,
    LINE_TAGS,
    MEMBERS,
    MONEYS,
    PARTS_OF_THE_BILL,
    SKUS,
    STATUSES,
    STORES,
    TAGS,
    TENDERS,
    TIERS,
    Drawer,
)

LESS = ("tax", "shipping", "tip", *(f"tenders.{kind}" for kind in TENDERS))
LINE_NUMBERS = ("50", "0", "1", 2, "9", "75", "-15")
COUNTS = (0, 1, 2, "3")

TEXT_PATHS = {
    "type": ("transaction", "registration"),
    "currency": MONEYS,
    "store": STORES,
    "brand": BRANDS,
    "channel": CHANNELS,
    "status": STATUSES,
    "member.id": MEMBERS,
    "member.tier": TIERS,
    "member.group": GROUPS,
}
# Text with a form of its own: never compared with a number here.
CLOCK_PATHS = {
    "weekday": WEEKDAYS,
    "local_date": DATES,
    "local_time": ("00:00", "00:30", "10:00", "12:15", "23:59"),
}
NUMERIC_PATHS = {
    "amount": AMOUNTS,
    "tax": PARTS_OF_THE_BILL,
    "shipping": PARTS_OF_THE_BILL,
    "tip": PARTS_OF_THE_BILL,
    "day_of_month": (15, 1, "28", 31),
    "month": (1, "2", 12),
    **{f"tenders.{kind}": PARTS_OF_THE_BILL for kind in TENDERS},
}
FREE_PATHS = {
    f"{holder}.{name}": operands
    for holder in ("custom_fields", "extended_fields", "member.extended_fields")
    for name, operands in FREE_OPERANDS.items()
}
LINE_TEXT_PATHS = {"sku": SKUS, "category": CATEGORIES, "brand": BRANDS}
LINE_NUMERIC_PATHS = {
    "unit_price": LINE_NUMBERS,
    "discount": LINE_NUMBERS,
    "quantity": LINE_NUMBERS,
    "value": LINE_NUMBERS,
}
LINE_FREE_PATHS = {f"extended_fields.{name}": operands for name, operands in FREE_OPERANDS.items()}

# The paths of texts that may hold the id of a member, or something else.
RECIPIENT_PATHS = (
    "custom_fields.friend",
    "custom_fields.friend",
    "custom_fields.vip",
    "member.extended_fields.renewal",
    "store",
    "member.id",
    "tiers.status",
)
TIER = "status"
OTHER_KIND = {"text": 7, "number": "abc"}


def condition(d: Drawer, trackers: tuple[str, ...] = (), depth: int = 2) -> dict:
    """Draw a condition on an event; tracker tests only on the given trackers."""
    kind = d.number(0, 12)
    if kind == 12:
        return d.pick((sample_test, level_test, balance_test, base_test))(d)
    if kind >= 8 and depth > 0:
        return composed(d, lambda: condition(d, trackers, depth - 1))
    if kind == 7:
        return line_test(d)
    if kind == 6:
        return anniversary_test(d)
    if kind >= 4 and trackers:
        return {"tracker": d.pick(trackers), d.pick(("crossed", "reached")): d.chance(70)}
    return event_comparison(d)


def line_condition(d: Drawer, depth: int = 1) -> dict:
    """Draw a condition on a line, with line paths alone."""
    if depth > 0 and d.chance(25):
        return composed(d, lambda: line_condition(d, depth - 1))
    kind = d.number(0, 9)
    if kind <= 3:
        return comparison(d, "text", LINE_TEXT_PATHS)
    if kind <= 6:
        return comparison(d, "number", LINE_NUMERIC_PATHS)
    if kind == 7:
        return tags_test(d, "tags", LINE_TAGS)
    return comparison(d, "free", LINE_FREE_PATHS)


def composed(d: Drawer, part: object) -> dict:
    word = d.pick(("any", "not", "all", "any"))
    if word == "not":
        return {"not": part()}
    return {word: [part() for _ in range(d.number(1, 3))]}


def event_comparison(d: Drawer) -> dict:
    kind = d.number(0, 9)
    if kind <= 2:
        return comparison(d, "text", TEXT_PATHS)
    if kind == 3:
        return comparison(d, "clock", CLOCK_PATHS)
    if kind <= 6:
        return comparison(d, "number", NUMERIC_PATHS)
    if kind == 7:
        return tags_test(d, "member.tags", TAGS)
    return comparison(d, "free", FREE_PATHS)


def comparison(d: Drawer, kind: str, paths: dict) -> dict:
    """Draw one operator or two at a path; a null operator counts as absent."""
    path = d.pick(tuple(paths))
    document = {"field": path}
    for operator in d.some(OPERATORS, 1, 2 if d.chance(25) else 1):
        document[operator] = operand(d, operator, kind, paths[path])
    spare = [operator for operator in OPERATORS if operator not in document]
    if d.chance(6):
        document[d.pick(spare)] = None
    return document


def operand(d: Drawer, operator: str, kind: str, pool: tuple) -> object:
    if operator == "exists":
        return not d.chance(30)
    if operator == "between":
        return [scalar(d, kind, pool), scalar(d, kind, pool)]
    if operator == "starts_with":
        return d.pick(("S", "2025-01", "go", "1", ""))
    if operator in ("in", "not_in"):
        return [scalar(d, kind, pool) for _ in range(d.number(1, 3))]
    if operator == "has":
        return d.pick(("gold", "7", 20, "20.0")) if kind == "free" else d.pick(pool)
    return scalar(d, kind, pool)


def scalar(d: Drawer, kind: str, pool: tuple) -> object:
    if kind in OTHER_KIND and d.chance(6):
        return OTHER_KIND[kind]
    return d.pick(pool)


def tags_test(d: Drawer, path: str, pool: tuple) -> dict:
    return {"field": path, "has": d.pick(pool)} if d.chance(80) else {"field": path, "exists": d.chance(50)}


def line_test(d: Drawer) -> dict:
    document = {"lines": line_condition(d)}
    if d.chance(75):
        measure = d.pick(MEASURES)
        pool = COUNTS if measure == "count" else ("0", "1", 2, "50", "65", "100", "-15")
        names = d.some(("at_least", "more_than", "at_most", "less_than", "is", "is_not"), 1, 2)
        document[measure] = {name: d.pick(pool) for name in names}
    return document


def sample_test(d: Drawer) -> dict:
    path = d.pick(("member.id", "store", "member.tags", "amount", "custom_fields.vip", f"tiers.{TIER}"))
    return {"sample": path, "salt": d.pick(("spring", "")), "from": d.pick((0, 30)), "below": d.pick((50, 100, 30))}


def level_test(d: Drawer) -> dict:
    """Draw a test of a level, by its order or as a text. Every drawn program has this tier."""
    if d.chance(40):
        return {"field": f"tiers.{TIER}", **d.pick(({"is": "gold"}, {"in": ["bronze"]}, {"exists": True}))}
    return {"tier": TIER, **d.pick(({"at_least": "silver"}, {"at_most": "silver"}, {"is": "bronze"}))}


def base_test(d: Drawer) -> dict:
    """Draw a comparison of a base value that needs the event alone."""
    number = d.pick(("at_least", "less_than", "is", "is_not", "at_most", "more_than"))
    document = {"base": event_base(d), number: d.pick(("0", "50", 100, "9.5", "2"))}
    return d.optional(document, 10, between=lambda: ["10", "100"], not_in=lambda: ["50", "100"])


def balance_test(d: Drawer) -> dict:
    """Draw a test of the balance of points, which every drawn program has."""
    if d.chance(15):
        return {"field": "balances.points", "exists": True}
    return {"field": "balances.points", d.pick(("at_least", "less_than", "is")): d.pick(("0", 100, "50", "-20"))}


def anniversary_test(d: Drawer) -> dict:
    path = d.pick(("member.registered_on", "member.extended_fields.renewal", "member.extended_fields.vip"))
    return {"anniversary": path, "unit": d.pick(("day", "month"))}


# --- bases that need the event alone ---


def event_base(d: Drawer) -> dict:
    """Draw a base that depends on the event alone: all but ``awarded`` and the tracker bases."""
    kind = d.pick(("transaction_value", *LINE_BASES, "transaction_extended_field", "transaction_custom_field"))
    if kind == "transaction_value":
        return d.optional({"type": kind}, 40, less=lambda: d.some(LESS, 1, 3))
    if kind in LINE_BASES:
        return line_base(d, kind)
    return {"type": kind, "field": d.pick(FIELD_NAMES[:3])}


def line_base(d: Drawer, kind: str) -> dict:
    document = {"type": kind}
    if kind == "line_item_extended_field":
        document["field"] = d.pick(FIELD_NAMES[:3])
    d.optional(document, 45, lines=lambda: line_condition(d))
    if kind == "line_item_value":
        d.optional(document, 35, less=lambda: d.some(LESS, 1, 3))
    return d.optional(document, 50, aggregate=lambda: d.pick(("each_line", "total")))
