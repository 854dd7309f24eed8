"""The programs of the reference model: as documents for the library, and as plain rules for the model.

They are two versions of one program. Its time zone is five and a half hours east of Greenwich and has no daylight
saving time. Amounts are whole numbers of hundredths.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from math import floor
from typing import Any

import attrs

__all__ = [
    "DELAY",
    "GROUP_OF",
    "REASONS",
    "VERSIONS",
    "WORTH",
    "Bill",
    "CounterName",
    "CounterUse",
    "CouponRule",
    "CurrencyRule",
    "ReferenceProgram",
    "contributions_of",
    "counter_uses_of",
    "coupon_counter_uses_of",
    "document",
    "end_of",
    "local_day",
    "midnight_after",
    "tracker_counter",
]

ZONE = timezone(timedelta(hours=5, minutes=30))
ZONE_NAME = "Asia/Kolkata"
GROUP_OF = {"anna": "home", "ben": "home", "carl": None}
REASONS = ("goodwill", "mistake")


def local_day(at: datetime) -> date:
    """Return the local date of an instant."""
    return at.astimezone(ZONE).date()


def midnight_after(day: date) -> datetime:
    """Return the instant at which a local day has ended."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(days=1)


# -- the rules -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Bill:
    """A sale of pieces of one article; an amount of 0 means an activity.

    `goods` is the value of its line: the amount, until a part of the sale has come back.
    """

    id: str
    at: datetime
    member: str | None
    store: str | None
    amount: int
    pieces: int | Fraction
    goods: int | Fraction = attrs.Factory(lambda self: self.amount, takes_self=True)
    group: str | None = attrs.Factory(lambda self: GROUP_OF.get(self.member), takes_self=True)

    @property
    def day(self) -> date:
        """The local date of the bill."""
        return local_day(self.at)


@attrs.frozen
class CurrencyRule:
    """One action that issues a currency: its amount, as a function and as a document, and its policies."""

    id: str
    currency: str
    award: Callable[[Bill], int]
    proration: dict[str, Any]
    expiry: tuple[str, int] = ("never", 0)
    timing: str = "immediate"
    on_return: str = "recompute"
    to_group: bool = False
    least: int = 0
    below: int | None = None
    store: str | None = None
    tracker: str | None = None
    trigger: str = "transaction"
    member_cap: int | None = None  # an amount in one month
    member_times: int | None = None  # in six days
    total_cap: int | None = None


@attrs.frozen
class CouponRule:
    """One action that issues coupons, and their type; `kind` is the id of the type if it is not the rule's own."""

    id: str
    number: Callable[[Bill], int]
    quantity: Any
    benefit: dict[str, str]
    days: int | None = None
    starts_after: int = 0
    code: str | None = None
    on_return: str = "void_if_unredeemed"
    least: int = 0
    below: int | None = None
    caps: dict[str, int] = attrs.field(factory=dict)
    holder_only: bool = False
    stores: tuple[str, ...] | None = None
    kind: str = ""

    @property
    def type(self) -> str:
        """The id of the coupon type."""
        return self.kind or self.id


@attrs.frozen
class ReferenceProgram:
    """One version of the program, as rules."""

    currency_rules: tuple[CurrencyRule, ...]
    coupon_rules: tuple[CouponRule, ...]
    wallet: dict[str, int]
    shortfall: str
    member_limit: int = 6000  # points for a member on one day
    store_limit: int = 9000  # stars for a store in five days
    give_back: str = "whole"
    transfer: dict[str, int] | None = None  # of stars: the least, the fee, and the most on one day
    adjustments: dict[str, int] = attrs.field(factory=dict)  # the most of one, and the most without a second person
    targets: tuple[tuple[str, int], ...] = (("spent", 15000), ("visits", 3))


def per(size: int, points: int) -> Callable[[Bill], int]:
    return lambda bill: bill.amount // size * points


def percent(share: int, unit: int) -> Callable[[Bill], int]:
    return lambda bill: bill.amount * share // 100 // unit * unit


def always(amount: int) -> Callable[[Bill], int]:
    return lambda _: amount


def stepped(size: str, points: str) -> dict[str, Any]:
    return {"type": "stepped", "step_size": size, "points_per_step": points}


def proportional(share: str) -> dict[str, Any]:
    return {"type": "proportional", "percent": share, "of": {"type": "transaction_value"}}


def fixed(amount: str) -> dict[str, Any]:
    return {"type": "fixed", "amount": amount}


PIECES = {"type": "multiplier", "percent": "100", "of": {"type": "line_item_quantity"}}
GOODS = {"type": "proportional", "percent": "10", "of": {"type": "line_item_value"}}

NEXT = CouponRule(
    "next",
    lambda bill: bill.amount // 3000,
    stepped("30", "1"),
    {"type": "percent_off", "percent": "15"},
    days=4,
    caps={"per_transaction": 3, "per_store": 5, "per_member": 4, "total": 8},
)

FIRST = ReferenceProgram(
    currency_rules=(
        CurrencyRule("base", "points", per(1000, 100), stepped("10", "1"), ("period", 9)),
        CurrencyRule(
            "late", "points", percent(10, 100), proportional("10"), timing="delayed", on_return="proportional"
        ),
        CurrencyRule(
            "claim",
            "stars",
            always(700),
            fixed("7"),
            ("period", 3),
            timing="external",
            on_return="reverse",
            least=3000,
            member_times=2,
        ),
        CurrencyRule(
            "ship", "stars", percent(5, 1), proportional("5"), ("event", 4), timing="update", on_return="keep"
        ),
        CurrencyRule(
            "roll", "stars", per(2000, 200), stepped("20", "2"), ("rolling", 5), member_cap=1400, total_cap=4000
        ),
        CurrencyRule("visit", "points", always(300), fixed("3"), ("rolling lots", 6), store="S2", on_return="reverse"),
        CurrencyRule(
            "family", "stars", percent(10, 1), proportional("10"), ("event", 5), on_return="proportional", to_group=True
        ),
        CurrencyRule("milestone", "points", always(2000), fixed("20"), ("period", 7), tracker="spent"),
        CurrencyRule("regular", "stars", always(150), fixed("1.5"), tracker="visits"),
        CurrencyRule("piece", "points", lambda bill: floor(bill.pieces) * 100, PIECES, timing="external"),
        CurrencyRule("goods", "stars", lambda bill: floor(bill.goods / 10), GOODS, ("event", 6)),
        CurrencyRule("small", "points", always(300), fixed("3"), ("period", 8), below=3000, on_return="keep"),
        CurrencyRule("welcome", "points", always(2500), fixed("25"), trigger="registration"),
    ),
    coupon_rules=(
        NEXT,
        attrs.evolve(NEXT, id="again", kind="next", number=always(1), quantity=1, below=6000),
        CouponRule(
            "card",
            always(1),
            1,
            {"type": "stored_value", "amount": "50"},
            days=9,
            starts_after=1,
            holder_only=True,
            on_return="reverse",
            least=6000,
            caps={"per_member": 6},
        ),
        CouponRule(
            "five",
            always(2),
            2,
            {"type": "amount_off", "amount": "5"},
            code="FIVE",
            stores=("S1",),
            least=5000,
            on_return="keep",
        ),
    ),
    wallet={"least": 400, "block": 200, "most": 4000},
    shortfall="carry",
    transfer={"least": 100, "fee": 50, "most": 900},
    adjustments={"most": 5000, "approve_over": 1500},
)

SECOND = attrs.evolve(
    FIRST,
    currency_rules=(
        CurrencyRule("base", "points", per(500, 100), stepped("5", "1"), ("period", 4), on_return="proportional"),
        CurrencyRule(
            "claim",
            "stars",
            always(500),
            fixed("5"),
            ("event", 2),
            timing="external",
            member_times=1,
            on_return="proportional",
        ),
        CurrencyRule(
            "roll", "stars", per(1500, 250), stepped("15", "2.5"), ("rolling", 8), member_cap=1200, total_cap=5000
        ),
        CurrencyRule("family", "stars", percent(7, 1), proportional("7"), timing="delayed", to_group=True),
        CurrencyRule("milestone", "points", always(1000), fixed("10"), tracker="spent"),
    ),
    coupon_rules=(
        CouponRule(
            "next",
            lambda bill: bill.amount // 4000,
            stepped("40", "1"),
            {"type": "percent_off", "percent": "20"},
            days=6,
            caps={"per_transaction": 2, "per_store": 6, "per_member": 5, "total": 9},
        ),
        FIRST.coupon_rules[2],
    ),
    wallet={"least": 200, "block": 100, "most": 5000},
    shortfall="write_off",
    member_limit=7500,
    give_back="proportional",
    transfer=None,
    adjustments={"most": 4000, "approve_over": 2500},
)

VERSIONS = (FIRST, SECOND)


def document(program: ReferenceProgram) -> dict[str, Any]:
    """Return a version of the program as a document."""
    wallet = {name: _text(amount) for name, amount in program.wallet.items()}
    month = {"type": "calendar", "unit": "month"}
    return {
        "format": "loyalty-rules/1",
        "id": "acme",
        "time_zone": ZONE_NAME,
        "shortfall": program.shortfall,
        "give_back": program.give_back,
        "adjustments": {
            "reasons": [*REASONS], **{name: _text(amount) for name, amount in program.adjustments.items()},
        },
        "currencies": {
            "points": {"redeem": {"points": "100", "value": "5", **wallet}},
            "stars": {
                "decimals": 2, "redeem": {"points": "10", "value": "1"}, "transfer": _transfer(program.transfer),
            },
        },
        "limits": {
            "member": {"currency": "points", "per": "member", "amount": _text(program.member_limit),
                       "window": {"type": "calendar", "unit": "day"}},
            "store": {"currency": "stars", "per": "store", "amount": _text(program.store_limit),
                      "window": {"type": "rolling", "days": 5}},
        },
        "trackers": {
            "spent": {"measure": {"type": "transaction_value"}, "target": "150", "window": month},
            "visits": {"measure": {"type": "count"}, "target": "3", "window": {"type": "rolling", "days": 3}},
        },
        "coupon_types": {coupon.type: _coupon_type(coupon) for coupon in program.coupon_rules},
        "promotions": [
            *(_promotion(rule.id, rule, _currency_action(rule)) for rule in program.currency_rules),
            *(_promotion(coupon.id, coupon, _coupon_action(coupon)) for coupon in program.coupon_rules),
        ],
    }  # fmt: skip


def _transfer(terms: dict[str, int] | None) -> dict[str, Any] | None:
    if terms is None:
        return None
    most = {"amount": _text(terms["most"]), "window": {"type": "calendar", "unit": "day"}}
    return {"least": _text(terms["least"]), "fee": _text(terms["fee"]), "most": most}


def _text(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _promotion(name: str, rule: CurrencyRule | CouponRule, action: dict[str, Any]) -> dict[str, Any]:
    when: list[dict[str, Any]] = []
    if rule.least:
        when.append({"field": "amount", "at_least": _text(rule.least)})
    if rule.below is not None:
        when.append({"field": "amount", "less_than": _text(rule.below)})
    if isinstance(rule, CurrencyRule) and rule.store is not None:
        when.append({"field": "store", "is": rule.store})
    if isinstance(rule, CurrencyRule) and rule.tracker is not None:
        when.append({"tracker": rule.tracker, "crossed" if rule.tracker == "spent" else "reached": True})
    trigger = rule.trigger if isinstance(rule, CurrencyRule) else "transaction"
    return {"id": name, "trigger": trigger, "when": {"all": when} if when else None, "actions": [action]}


def _currency_action(rule: CurrencyRule) -> dict[str, Any]:
    kind, days = rule.expiry
    expiry: dict[str, Any] = {"type": {"never": "never", "period": "fixed_period", "event": "event_date"}.get(kind, "")}
    if kind != "never":
        expiry["after"] = {"days": days}
    if kind.startswith("rolling"):
        expiry |= {"type": "rolling", "scope": "rolling_lots" if kind == "rolling lots" else "balance"}
    timing: dict[str, Any] = {"type": rule.timing}
    if rule.timing == "delayed":
        timing["days"] = DELAY
    if rule.timing == "update":
        timing = {"type": "transaction_update", "when": {"field": "status", "is": "Shipped"}}
    caps: dict[str, Any] = {}
    if rule.member_cap is not None:
        caps["per_member"] = {"amount": _text(rule.member_cap), "window": {"type": "calendar", "unit": "month"}}
    if rule.member_times is not None:
        caps["per_member"] = {"times": rule.member_times, "window": {"type": "rolling", "days": 6}}
    if rule.total_cap is not None:
        caps["total"] = {"amount": _text(rule.total_cap)}
    return {
        "type": "issue_currency",
        "id": "do",
        "currency": rule.currency,
        "recipient": "member_group" if rule.to_group else "member",
        "proration": rule.proration,
        "rounding": {"currency": "down"},
        "expiry": expiry,
        "timing": timing,
        "caps": caps,
        "on_return": rule.on_return,
    }


def _coupon_type(coupon: CouponRule) -> dict[str, Any]:
    never = {"type": "never"}
    return {
        "serial_managed": coupon.code is None,
        "code": coupon.code,
        "benefit": coupon.benefit,
        "validity": {
            "starts_after": {"days": coupon.starts_after},
            "expiry": never if coupon.days is None else {"type": "fixed_period", "after": {"days": coupon.days}},
        },
        "caps": coupon.caps,
        "redemption": {"holder_only": coupon.holder_only, "stores": coupon.stores and [*coupon.stores]},
    }


def _coupon_action(coupon: CouponRule) -> dict[str, Any]:
    return {
        "type": "issue_coupon",
        "id": "do",
        "coupon_type": coupon.type,
        "quantity": coupon.quantity,
        "rounding": {"currency": "down"},
        "on_return": coupon.on_return,
    }


DELAY = 3


# -- the counters ----------------------------------------------------------------------------------------------------

CounterName = tuple[str, ...]


WORTH = {"points": (100, 5), "stars": (10, 1)}
"""So many units of a currency are worth so much money."""


@attrs.frozen
class CounterUse:
    """An amount that an issue takes from a counter, and the limit of the counter.

    `first` is the first day that counts; None means that the name of the counter already names its window.
    """

    counter: CounterName
    day: date
    first: date | None
    limit: int
    amount: int
    times: bool = False


def end_of(rule: CurrencyRule, bill: Bill, issue_day: date) -> datetime | None:
    """Return the instant at which an issue of a day expires; None if it never expires."""
    kind, days = rule.expiry
    if kind == "never":
        return None
    return midnight_after((issue_day if kind == "period" else bill.day) + timedelta(days=days))


def contributions_of(bill: Bill) -> dict[str, int]:
    """Return the contribution of a bill to each tracker."""
    counts = bill.member is not None and bill.amount > 0
    return {"spent": bill.amount, "visits": 1} if counts else {}


def tracker_counter(name: str, bill: Bill) -> tuple[CounterName, date | None]:
    """Return the counter of a tracker, and the first day that counts."""
    assert bill.member is not None
    if name == "spent":
        return ("tracker", name, bill.member, f"{bill.day:%Y-%m}"), None
    return ("tracker", name, bill.member), bill.day - timedelta(days=2)


def counter_uses_of(rule: CurrencyRule, program: ReferenceProgram, bill: Bill) -> Iterator[CounterUse]:
    """Yield the counters that an issue uses: its caps, then the limits."""
    assert bill.member is not None
    month = f"{bill.day:%Y-%m}"
    if rule.member_cap is not None:
        yield CounterUse(("cap", rule.id, bill.member, month), bill.day, None, rule.member_cap, 0)
    if rule.member_times is not None:
        first = bill.day - timedelta(days=5)
        yield CounterUse(("times", rule.id, bill.member), bill.day, first, rule.member_times, 0, times=True)
    if rule.total_cap is not None:
        yield CounterUse(("cap", rule.id), bill.day, None, rule.total_cap, 0)
    if rule.currency == "points":
        yield CounterUse(("limit", "member", bill.member, f"{bill.day}"), bill.day, None, program.member_limit, 0)
    elif bill.store is not None:
        yield CounterUse(("limit", "store", bill.store), bill.day, bill.day - timedelta(days=4), program.store_limit, 0)


def coupon_counter_uses_of(coupon: CouponRule, bill: Bill) -> Iterator[CounterUse]:
    """Yield the counters that a coupon uses: per store, per member, total."""
    scopes = {"per_store": bill.store, "per_member": bill.member, "total": ""}
    for cap, scope in scopes.items():
        if cap in coupon.caps and scope is not None:
            yield CounterUse(("coupon", coupon.type, cap, scope), bill.day, None, coupon.caps[cap], 1)
