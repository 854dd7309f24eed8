"""Random valid programs over the whole format."""

from __future__ import annotations

from .bases import TRACKER_BASES
from .drawn_conditions import RECIPIENT_PATHS, condition, event_base, line_condition
from .pools import (
    ACTIVITIES,
    BRANDS,
    DATES,
    MESSAGE_CHANNELS,
    PROGRAM_MONEYS,
    STORES,
    TARGETS,
    TIERS,
    ZONES,
    Drawer,
)

ROUNDINGS = ("actual", "up", "down", "nearest", "half_even", "half_down")
WHOLE_ROUNDINGS = ROUNDINGS[1:]
CURRENCIES = {"points": 0, "miles": 2, "st.ars": 6}
PROMOTION_IDS = ("base", "bonus", "week-end", "p.4")
ACTION_IDS = ("earn", "gift", "x.1")
PERCENTAGES = ("10", "100", "50", "200", "12.5", "0.3", "33.333333", 20, "0")
RECURRING = ((1, 15), (2, 29), (2, 28), (12, 31), (3, 1), (6, 30))
UNITS = ("week", "month", "quarter", "half_year", "year")
TITLES = ("A {code} for {title}", {"en": "Coffee", "pt": "Café {code}"}, {"pt": "Café"})
TILL_MESSAGES = (
    "{title}: {code}, {{until}} {expires_on} {store}",
    {"en": "{title} {code}", "de": "{title} {{code}}"},
    "Thanks",
)
ACTIVE_WINDOWS = (
    {"starts_at": "2011-01-01T00:00:00Z"},
    {"ends_at": "2031-01-01T00:00:00+05:30"},
    {"starts_at": "2025-01-15T10:00:00+00:00", "ends_at": None},
    {"starts_at": "2011-01-01T00:00:00-05:00", "ends_at": "2025-01-15T10:00:00+00:00"},
)
PERIODS = (
    {"days": 0},
    {"days": 1},
    {"days": 30},
    {"weeks": 2},
    {"months": 1},
    {"months": 12},
    {"years": 1},
    {"years": 1, "months": 1, "days": None},
    {"months": 1, "weeks": 1, "days": 1},
    {"years": 70},
)


def program(d: Drawer) -> dict:
    """Draw a program: its parts first, then the promotions that refer to them."""
    currencies = {name: currency(d, name) for name in d.some(tuple(CURRENCIES), 1, 3)}
    currencies.setdefault("points", {})
    document = {
        "format": "loyalty-rules/1",
        "id": d.pick(("acme", "p.1")),
        "time_zone": d.pick(ZONES),
        "currencies": currencies,
    }
    d.optional(document, 70, money=lambda: d.pick(PROGRAM_MONEYS))
    d.optional(document, 20, shortfall=lambda: d.pick(("write_off", "carry")))
    if d.chance(65):
        document["trackers"] = {name: tracker(d) for name in d.some(("spend", "visits", "t.3"), 1, 3)}
    if d.chance(60) or not currencies:
        document["coupon_types"] = {name: coupon_type(d, name) for name in d.some(("fifteen", "tenner"), 1, 2)}
    if currencies:
        d.optional(document, 40, limits=lambda: limits(d, currencies))
    if not document.get("trackers"):
        document["trackers"] = {"spend": tracker(d)}
    document["tiers"] = tiers(d, tuple(document["trackers"]))
    d.optional(document, 40, groups=lambda: groups(d, tuple(currencies)))
    document["promotions"] = Promotions(d, document).drawn()
    return document


def tiers(d: Drawer, trackers: tuple[str, ...]) -> dict:
    """Draw the tiers. Every program has one named status, for the conditions on levels."""
    return {name: tier(d, trackers) for name in ("status", *(("club",) if d.chance(25) else ()))}


def tier(d: Drawer, trackers: tuple[str, ...]) -> dict:
    silver, gold = d.pick((("100", "1000"), ("0", "50"), ("2", "900.5"), ("0.5", 1)))
    lasts = d.pick(("fixed_period", "event_date", "fixed_recurring", "fixed_date", "never"))
    return {
        "levels": ["bronze", "silver", "gold"],
        "by": d.pick(trackers),
        "from": {"silver": silver, "gold": gold},
        "lasts": expiry_of(d, lasts),
    }


def groups(d: Drawer, currencies: tuple[str, ...]) -> dict:
    return {name: group(d, currencies) for name in d.some(("g1", "g 2"), 1, 2)}


def group(d: Drawer, currencies: tuple[str, ...]) -> dict:
    choose = d.pick(("most", "least", "first"))
    document = {"choose": choose, "of": d.pick(currencies)} if choose != "first" or d.chance(20) else {}
    return d.optional(document, 35, keep=lambda: d.pick((1, 2, 3)))


def currency(d: Drawer, name: str) -> dict:
    decimals = CURRENCIES[name]
    document = {"decimals": decimals} if decimals else d.optional({}, 20, decimals=lambda: 0)
    d.optional(document, 10, title=lambda: "A currency")
    return d.optional(document, 40, redeem=lambda: redeem(d))


def redeem(d: Drawer) -> dict:
    rate = d.pick((("100", "5.00"), ("3", "7"), ("1", "0.3")))
    document = {"points": rate[0], "value": rate[1]}
    d.optional(document, 10, least=lambda: "500", block=lambda: "100")
    return d.optional(document, 50, extends=lambda: extension(d))


def extension(d: Drawer) -> dict:
    document = {"after": d.pick(PERIODS)}
    return d.optional(document, 35, scope=lambda: d.pick(("balance", "rolling_lots")), through=lambda: d.pick(UNITS))


def limits(d: Drawer, currencies: dict) -> dict:
    return {name: limit(d, currencies) for name in d.some(("daily", "all.time", "third"), 1, 3)}


def limit(d: Drawer, currencies: dict) -> dict:
    name = d.pick(tuple(currencies))
    document = {"currency": name, "per": d.pick(("member", "store", "total", "member_group"))}
    if currencies[name].get("redeem") is not None and d.chance(60):
        document["money"] = d.pick(("10", "2.5", "100", 1))
    else:
        document["amount"] = d.pick(("500", "20", "10.5", "150", 1000))
    return d.optional(document, 70, window=lambda: window(d))


def window(d: Drawer) -> dict:
    kind = d.pick(("calendar", "rolling", "lifetime"))
    if kind == "calendar":
        return {"type": kind, "unit": d.pick(("day", "week", "month", "quarter", "year"))}
    return {"type": kind, "days": d.pick((1, 7, 30, 365))} if kind == "rolling" else {"type": kind}


def tracker(d: Drawer) -> dict:
    document = {"measure": measure(d), "target": d.pick(TARGETS)}
    d.optional(document, 30, repeats=lambda: d.chance(80), per=lambda: d.pick(("member_group", "member")))
    d.optional(document, 25, when=lambda: condition(d, depth=1))
    return d.optional(document, 75, window=lambda: window(d))


def measure(d: Drawer) -> dict:
    if d.chance(15):
        return {"type": "awarded", "currency": "points"}
    return {"type": "count"} if d.chance(20) else event_base(d)


def coupon_type(d: Drawer, name: str) -> dict:
    document = {}
    shared = d.chance(45)
    if shared:
        document.update(serial_managed=False, code=d.pick((f"NEXT15 {name}", f"XMAS 24 {name}")))
    else:
        d.optional(document, 40, serial_managed=lambda: True)
        d.optional(document, 0, code=lambda: None)
    document["benefit"] = benefit(d, shared)
    d.optional(document, 65, validity=lambda: validity(d))
    d.optional(document, 55, caps=lambda: coupon_caps(d))
    d.optional(
        document,
        25,
        title=lambda: d.pick(TITLES),
        terms=lambda: d.pick(TITLES),
        till_message=lambda: d.pick(TILL_MESSAGES),
    )
    return d.optional(document, 10, redemption=lambda: redemption(d))


def benefit(d: Drawer, shared: bool) -> dict:
    # A shared code has no record of its own from which a stored value could be drawn down.
    kind = d.pick(("percent_off", "amount_off") if shared else ("percent_off", "amount_off", "stored_value"))
    if kind == "percent_off":
        document = d.optional({"type": kind, "percent": "15"}, 30, most=lambda: "50")
        return d.optional(document, 20, lines=lambda: line_condition(d))
    if kind == "amount_off":
        return d.optional({"type": kind, "amount": "10"}, 20, lines=lambda: line_condition(d))
    return {"type": kind, "amount": event_base(d) if d.chance(50) else "100"}


def validity(d: Drawer) -> dict:
    document = d.optional({}, 50, starts_after=lambda: d.pick(PERIODS[:-1]))
    return d.optional(document, 80, expiry=lambda: expiry(d, rolling=False))


def coupon_caps(d: Drawer) -> dict:
    return d.optional(
        {},
        45,
        per_transaction=lambda: d.pick((1, 2, 3)),
        per_store=lambda: d.pick((1, 2, 1000)),
        per_member=lambda: d.pick((1, 2, 5)),
        total=lambda: d.pick((1, 3, 5000)),
    )


def redemption(d: Drawer) -> dict:
    return d.optional(
        {},
        50,
        when=lambda: condition(d, depth=1),
        stores=lambda: d.some(STORES, 1, 2),
        brands=lambda: d.some(BRANDS, 1, 2),
        holder_only=lambda: d.chance(50),
    )


# --- bases ----------------------------------------------------------------------------------------------------


def percent(d: Drawer, pool: tuple) -> object:
    """Draw a percentage, now and then one by a text of the event."""
    if d.chance(80):
        return d.pick(pool)
    path, texts = d.pick((("member.tier", TIERS), ("store", STORES), ("custom_fields.vip", ("gold", "7"))))
    document = {"by": path, "of": {text: d.pick(pool) for text in d.some(texts, 1, 2)}}
    return d.optional(document, 60, **{"else": lambda: d.pick(pool)})


# --- expiry and timing ----------------------------------------------------------------------------------------


def expiry(d: Drawer, rolling: bool = True) -> dict:
    kind = d.pick(
        (
            "never",
            "fixed_period",
            "event_date",
            "fixed_date",
            "fixed_recurring",
            "registration_anniversary",
            "customer_field",
            "transaction_field",
            *(("rolling", "rolling") if rolling else ()),
        )
    )
    return expiry_of(d, kind)


def expiry_of(d: Drawer, kind: str) -> dict:
    document = {"type": kind}
    if kind == "fixed_date":
        document["on"] = d.pick(DATES)
    elif kind == "fixed_recurring":
        if d.chance(60):
            document["month"], document["day"] = d.pick(RECURRING)
        else:
            days = d.some(RECURRING, 1, 3)
            document["dates"] = [{"month": month, "day": day} for month, day in days]
        d.optional(document, 40, least=lambda: d.pick(PERIODS[:-1]))
    elif kind in ("fixed_period", "event_date", "rolling"):
        document["after"] = d.pick(PERIODS)
    elif kind in ("customer_field", "transaction_field"):
        document["field"] = d.pick(("check_in", "renewal", "vip"))
        d.optional(document, 60, after=lambda: d.pick(PERIODS))
    if "after" in document and document["after"] is not None:
        d.optional(document, 30, through=lambda: d.pick(UNITS))
    if kind == "rolling":
        d.optional(document, 50, scope=lambda: d.pick(("balance", "rolling_lots")), most=lambda: d.pick(PERIODS))
    return document


def timing(d: Drawer, trackers: tuple[str, ...]) -> dict:
    kind = d.pick(("delayed", "external", "transaction_update", "immediate"))
    if kind == "delayed":
        return d.optional({"type": kind}, 75, days=lambda: d.pick((0, 1, 7, 15, 29, 366)))
    if kind == "transaction_update":
        return {"type": kind, "when": condition(d, trackers)}
    return {"type": kind}


# --- promotions -----------------------------------------------------------------------------------------------


class Promotions:
    """The promotions of a program, and the actions so far that an ``awarded`` base may refer to."""

    def __init__(self, d: Drawer, document: dict) -> None:
        self.d = d
        self.currencies = tuple(document["currencies"])
        self.trackers = tuple(document.get("trackers") or ())
        self.coupon_types = tuple(document.get("coupon_types") or ())
        self.earlier: list[str] = []

    def drawn(self) -> list[dict]:
        return [self.promotion(name) for name in PROMOTION_IDS[: self.d.number(1, 4)]]

    def promotion(self, name: str) -> dict:
        d = self.d
        document = {"id": name}
        d.optional(document, 10, title=lambda: "A promotion")
        d.optional(document, 30, trigger=lambda: d.pick(("transaction", *ACTIVITIES)))
        d.optional(document, 40, when=lambda: condition(d, self.trackers, depth=3))
        d.optional(document, 30, priority=lambda: d.pick((0, 1, 5, -1)), exclusive=lambda: d.pick(("g1", "g 2")))
        if d.chance(15):
            document.update(d.pick(ACTIVE_WINDOWS))
        actions = []
        names = ACTION_IDS[: d.number(1, 3)]
        for action in names:
            actions.append(self.action(name, action))
        for action in actions:
            others = [other for other in names if other != action["id"]]
            if action["type"] == "spend_currency" and others:
                d.optional(action, 35, **{"for": lambda others=others: d.some(others, 1, 2)})
        document["actions"] = actions
        return document

    def action(self, promotion: str, name: str) -> dict:
        if self.d.chance(12):
            return self.spend(name)
        if self.d.chance(5):
            document = {"type": "extend_expiry", "id": name, "currency": self.d.pick(self.currencies)}
            return {**document, **extension(self.d)}
        if self.coupon_types and (not self.currencies or self.d.chance(30)):
            return self.coupon_action(name)
        action = self.currency_action(name)
        self.earlier.append(f"{promotion}/{name}")
        return action

    def currency_action(self, name: str) -> dict:
        d = self.d
        document = {
            "type": "issue_currency",
            "id": name,
            "currency": d.pick(self.currencies),
            "proration": self.proration(),
            "expiry": expiry(d),
        }
        d.optional(document, 20, recipient=self.recipient)
        d.optional(document, 60, rounding=lambda: self.rounding(ROUNDINGS))
        d.optional(document, 35, timing=lambda: timing(d, self.trackers))
        d.optional(document, 35, caps=self.caps)
        d.optional(document, 10, on_return=lambda: d.pick(("recompute", "proportional", "reverse", "keep")))
        return d.optional(document, 35, communication=self.communication)

    def recipient(self) -> object:
        d = self.d
        return {"field": d.pick(RECIPIENT_PATHS)} if d.chance(60) else d.pick(("member_group", "member"))

    def spend(self, name: str) -> dict:
        d = self.d
        document = {"type": "spend_currency", "id": name, "currency": d.pick(self.currencies)}
        document["amount"] = self.proration() if d.chance(30) else d.pick(("50", "100", "10.5", 1, "0", "0.000001"))
        return d.optional(document, 30, rounding=lambda: self.rounding(ROUNDINGS))

    def coupon_action(self, name: str) -> dict:
        d = self.d
        document = {"type": "issue_coupon", "id": name, "coupon_type": d.pick(self.coupon_types)}
        d.optional(document, 60, quantity=lambda: d.number(1, 3) if d.chance(35) else self.coupon_proration())
        d.optional(document, 30, rounding=lambda: self.rounding(WHOLE_ROUNDINGS))
        d.optional(document, 10, on_return=lambda: d.pick(("void_if_unredeemed", "keep")))
        return d.optional(document, 35, communication=self.communication)

    def rounding(self, modes: tuple) -> dict:
        d = self.d
        return d.optional({}, 65, value=lambda: d.pick(ROUNDINGS), currency=lambda: d.pick(modes))

    def caps(self) -> dict:
        d = self.d
        return d.optional(
            {},
            55,
            per_event=lambda: d.pick(("500", "10", "12.5", "0.5", 100)),
            per_member=self.cap,
            total=self.cap,
        )

    def cap(self) -> dict:
        d = self.d
        if d.chance(35):
            document = {"times": d.pick((1, 2, 10))}
        else:
            document = {"amount": d.pick(("10", "100", "50.5", "2000", 20))}
        return d.optional(document, 70, window=lambda: window(d))

    def communication(self) -> dict:
        d = self.d
        return d.optional(
            {"template": d.pick(("earned", "t 2"))},
            60,
            promised_template=lambda: "promised",
            mandatory=lambda: d.some(MESSAGE_CHANNELS, 0, 2),
            priority=lambda: d.some(MESSAGE_CHANNELS, 0, 4),
        )

    def proration(self) -> dict:
        d = self.d
        kind = d.pick(("proportional", "multiplier", "stepped", "fixed", "banded"))
        if kind == "banded":
            return self.banded()
        if kind == "fixed":
            return {"type": kind, "amount": d.pick(("50", "10", "1.5", "1000", "0.000001", "12.345", "0", 7))}
        if kind == "stepped":
            steps = {"step_size": d.pick(("150", "100", "50", "0.5", "75", 1)), "points_per_step": "1"}
            steps["points_per_step"] = d.pick(("5", "1", "2.5", "0.1", 3, "0"))
            return d.optional({"type": kind, **steps}, 70, of=self.base)
        document = {"type": kind, "percent": percent(d, PERCENTAGES)}
        if kind == "multiplier":
            return d.optional(document, 60, of=self.base)
        document["of"] = self.base()
        return self.by_unit(document)

    def by_unit(self, document: dict) -> dict:
        """Change a base of values to units, now and then: such a base stands in a proration alone."""
        if document["of"]["type"] == "line_item_value" and self.d.chance(30):
            document["of"]["aggregate"] = "each_unit"
        return document

    def banded(self) -> dict:
        d = self.d
        ends = d.pick(((), ("50",), ("10", "100.5"), ("0.5", "100", "1000")))
        bands = [{"up_to": end, "percent": percent(d, PERCENTAGES)} for end in ends]
        document = {"type": "banded", "bands": [*bands, {"percent": percent(d, PERCENTAGES)}]}
        d.optional(document, 60, of=self.base)
        if (document.get("of") or {}).get("aggregate") is not None:
            document["of"]["aggregate"] = "total"
        if self.trackers:
            d.optional(document, 50, over=lambda: d.pick(self.trackers))
        return document

    def coupon_proration(self) -> dict:
        """Draw a small number of coupons, since each is an intent."""
        d = self.d
        kind = d.pick(("stepped", "proportional", "multiplier", "fixed"))
        if kind == "fixed":
            return {"type": kind, "amount": d.pick(("2", "4.7", "0.5", "0.4", "2.5"))}
        if kind == "stepped":
            return d.optional({"type": kind, "step_size": "150", "points_per_step": "1"}, 70, of=self.base)
        document = {"type": kind, "percent": d.pick(("1", "0.5", "2.5"))}
        if kind == "multiplier":
            return d.optional(document, 60, of=self.base)
        document["of"] = self.base()
        return document

    def base(self) -> dict:
        d = self.d
        if self.trackers and d.chance(30):
            return {"type": d.pick(TRACKER_BASES), "tracker": d.pick(self.trackers)}
        if d.chance(10):
            return {"type": "balance", "currency": "points"}
        if self.earlier and d.chance(25):
            return {"type": "awarded", "actions": d.some(self.earlier, 1, 2)}
        return event_base(d)
