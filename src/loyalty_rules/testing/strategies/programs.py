"""Whole programs, and their parts: promotions, actions, trackers, tiers, groups, limits, coupon types."""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from loyalty_rules.keys import action_key
from loyalty_rules.testing.strategies.awards import (
    BASES,
    EXPIRIES,
    TRACKER_BASES,
    action_caps,
    bases,
    expiries,
    prorations,
    roundings,
    timings,
    windows,
)
from loyalty_rules.testing.strategies.conditions import conditions, line_conditions
from loyalty_rules.testing.strategies.scalars import Document, amounts, instants, objects, periods
from loyalty_rules.values.amounts import Number

__all__ = [
    "communications",
    "coupon_actions",
    "coupon_types",
    "currency_actions",
    "extension_actions",
    "groups",
    "limits",
    "programs",
    "promotions",
    "public_types",
    "spend_actions",
    "tiers",
    "trackers",
]

CHANNELS = ("email", "sms", "mobile_push")
COUPON_EXPIRIES = tuple(kind for kind in EXPIRIES if kind != "rolling")
OF_EVENTS = tuple(kind for kind in BASES if kind not in (*TRACKER_BASES, "balance", "awarded"))


_SELDOM, _RARELY = 30, 15
"""The percentages of promotions and actions, and of programs, with one of the rarer keys."""
NO_LEVELS: Mapping[str, Sequence[str]] = MappingProxyType({})


# -- actions ---------------------------------------------------------------------------------------------------------


@cache
def communications() -> st.SearchStrategy[Document]:
    """Draw communications: templates and channels."""
    channels = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=2, unique=True)
    optional = {"promised_template": st.just("promised"), "mandatory": channels, "priority": channels}
    return objects({"template": st.just("earned")}, optional)


@st.composite
def currency_actions(
    draw: st.DrawFn,
    *,
    id: str = "earn",
    currencies: Sequence[str] = ("points",),
    trackers: Sequence[str] = (),
    earlier: Sequence[str] = (),
    levels: Mapping[str, Sequence[str]] = NO_LEVELS,
    proration: st.SearchStrategy[Document] | None = None,
    expiry: st.SearchStrategy[Document] | None = None,
    most: Number = 200,
) -> Document:
    """Draw actions that issue currency, with any proration and expiry or those of the given strategies."""
    base = bases(trackers, earlier, currencies=currencies)
    by = {"member.tier": ("gold", "silver"), **{f"tiers.{tier}": each for tier, each in levels.items()}}
    amount = proration if proration is not None else prorations(base, most=most, by=by, over=trackers)
    required = {
        "type": st.just("issue_currency"),
        "id": st.just(id),
        "currency": st.sampled_from(currencies),
        "proration": amount,
        "expiry": expiry if expiry is not None else expiries(),
    }
    optional = {
        "recipient": st.sampled_from(["member_group", {"field": "custom_fields.referred_by"}]),
        "rounding": roundings(),
        "timing": timings(trackers),
        "caps": action_caps(most=most),
        "on_return": st.sampled_from(["recompute", "proportional", "reverse", "keep"]),
        "communication": communications(),
    }
    return draw(objects(required, optional, percent=_SELDOM))


@st.composite
def coupon_actions(
    draw: st.DrawFn, *, id: str = "coupon", types: Sequence[str] = ("gift",), trackers: Sequence[str] = ()
) -> Document:
    """Draw actions that issue coupons: 1 to 3, or by a proration, at most some dozens for a usual bill."""
    plain = st.integers(1, 3)
    by_bill = prorations(bases(trackers), kinds=["proportional"], most=2)
    stepped = amounts(50, 200, places=0).map(
        lambda size: {"type": "stepped", "step_size": size, "points_per_step": "1"}
    )
    required = {"type": st.just("issue_coupon"), "id": st.just(id), "coupon_type": st.sampled_from(types)}
    optional = {
        "quantity": plain | stepped | by_bill,
        "rounding": roundings(actual=False),
        "on_return": st.sampled_from(["void_if_unredeemed", "reverse", "keep"]),
        "communication": communications(),
    }
    return draw(objects(required, optional, percent=_SELDOM))


@st.composite
def spend_actions(
    draw: st.DrawFn, *, id: str = "price", currencies: Sequence[str] = ("points",), most: Number = 50
) -> Document:
    """Draw actions that spend up to `most` of the member's units as the price of the others of their promotion.

    Some spend whole steps of the balance instead.
    """
    currency = draw(st.sampled_from(currencies))
    balance = {"type": "balance", "currency": currency}
    steps = amounts(1, most, places=0).map(
        lambda size: {"type": "stepped", "step_size": size, "points_per_step": size, "of": balance}
    )
    required = {
        "type": st.just("spend_currency"),
        "id": st.just(id),
        "currency": st.just(currency),
        "amount": amounts(1, most, places=0) | steps,
    }
    return draw(objects(required, {}))


def extension_actions(*, id: str = "longer", currencies: Sequence[str] = ("points",)) -> st.SearchStrategy[Document]:
    """Draw actions that extend the member's units."""
    required = {
        "type": st.just("extend_expiry"),
        "id": st.just(id),
        "currency": st.sampled_from(currencies),
        "after": periods(),
    }
    return objects(required, _EXTENSION)


_EXTENSION: dict[str, st.SearchStrategy[Any]] = {
    "scope": st.sampled_from(["balance", "rolling_lots"]),
    "through": st.sampled_from(["week", "month", "quarter", "half_year", "year"]),
}


# -- promotions ------------------------------------------------------------------------------------------------------


@st.composite
def promotions(
    draw: st.DrawFn,
    *,
    id: str = "p1",
    currencies: Sequence[str] = ("points",),
    trackers: Sequence[str] = (),
    coupon_types: Sequence[str] = (),
    earlier: Sequence[str] = (),
    levels: Mapping[str, Sequence[str]] = NO_LEVELS,
    most_actions: int = 2,
) -> Document:
    """Draw promotions of at most `most_actions` actions, which refer to the given currencies and other parts."""
    ids = [f"a{number}" for number in range(1, draw(st.integers(1, most_actions)) + 1)]
    optional = {
        "trigger": st.sampled_from(["registration", "visit"]),
        "when": conditions(trackers, levels=levels, currencies=currencies),
        "priority": st.integers(0, 3),
        "exclusive": st.just("g"),
        "starts_at": instants(),
        "ends_at": instants(most=730),
    }
    document = draw(objects({"id": st.just(id)}, optional, percent=_SELDOM))
    actions, known = [], [*earlier]
    for each in ids:
        gives_coupons: bool = draw(st.booleans()) if currencies and coupon_types else not currencies
        if not gives_coupons:
            action = currency_actions(id=each, currencies=currencies, trackers=trackers, earlier=known, levels=levels)
            actions.append(draw(action))
            known.append(action_key(id, each))
        else:
            actions.append(draw(coupon_actions(id=each, types=coupon_types, trackers=trackers)))
    if len(actions) > 1 and currencies and coupon_types and draw(st.integers(0, 4)) == 4:
        actions[-1] = draw(spend_actions(id=actions[-1]["id"], currencies=currencies))
    elif len(actions) > 1 and currencies and draw(st.integers(0, 9)) == 9:
        actions[-1] = draw(extension_actions(id=actions[-1]["id"], currencies=currencies))
    return {**document, "actions": actions}


# -- parts that promotions refer to ----------------------------------------------------------------------------------


@st.composite
def trackers(draw: st.DrawFn, *, currencies: Sequence[str] = (), most: Number = 500) -> Document:
    """Draw trackers, with targets up to `most`; some count the awards of `currencies`."""
    measure = bases(kinds=OF_EVENTS) | st.just({"type": "count"})
    measure |= st.sampled_from(currencies).map(_awards) if currencies else st.nothing()
    optional = {
        "when": conditions(depth=1),
        "window": windows(),
        "repeats": st.booleans(),
        "per": st.sampled_from(["member", "member_group"]),
    }
    return draw(objects({"measure": measure, "target": amounts(1, most)}, optional))


def _awards(currency: str) -> Document:
    return {"type": "awarded", "currency": currency}


@st.composite
def tiers(draw: st.DrawFn, tracker: str = "spend", *, most: int = 400) -> Document:
    """Draw tiers of the levels bronze, silver and gold by a tracker, from values up to about `most`."""
    silver = draw(st.integers(1, most))
    lasts = expiries(kinds=("fixed_period", "event_date", "fixed_recurring", "never"))
    levels = ["bronze", "silver", "gold"]
    document = {"levels": levels, "by": tracker, "from": {"silver": str(silver), "gold": str(2 * silver)}}
    optional = {
        "keep_from": st.just({"gold": str(silver)}),
        "falls": st.sampled_from(["one", "earned", "never"]),
        "grace": periods(60),
    }
    return {**document, **draw(objects({"lasts": lasts}, optional))}


@st.composite
def groups(draw: st.DrawFn, currencies: Sequence[str] = ("points",)) -> Document:
    """Draw the choice of an exclusive group: by priority or by an amount, of one promotion or two."""
    kinds = ["first", *(["most", "least"] if currencies else [])]
    kind = draw(st.sampled_from(kinds))
    choice = {"choose": kind, "of": draw(st.sampled_from(currencies))} if kind != "first" else {}
    return choice | draw(objects({}, {"keep": st.integers(1, 2)}))


@st.composite
def limits(draw: st.DrawFn, currencies: Sequence[str] = ("points",), *, most: Number = 500) -> Document:
    """Draw limits on a currency, of up to `most`."""
    required = {
        "currency": st.sampled_from(currencies),
        "per": st.sampled_from(["member", "store", "total", "member_group"]),
        "amount": amounts(1, most),
    }
    return draw(objects(required, {"window": windows()}))


@st.composite
def coupon_types(draw: st.DrawFn, *, most: int = 5) -> Document:
    """Draw coupon types, with caps of up to `most`."""
    shared = draw(st.booleans())
    lines = {"lines": line_conditions(depth=0)}
    units = {"units": st.integers(1, 3), "pick": st.sampled_from(("cheapest", "dearest"))}
    most_of_percent = {"most": amounts(1, 50), "most_in_all": amounts(1, 80)}
    percent = objects(
        {"type": st.just("percent_off"), "percent": amounts(1, 100)}, {**most_of_percent, **lines, **units}
    )
    amount = objects({"type": st.just("amount_off"), "amount": amounts(1, 50)}, {**lines, **units})
    price = objects({"type": st.just("price"), "price": amounts(0, 20), "lines": line_conditions(depth=0)}, units)
    shipping = objects({"type": st.just("shipping")}, {"most": amounts(1, 10)})
    worth = amounts(1, 100) | bases(kinds=("line_item_value", "transaction_value"))
    stored = objects({"type": st.just("stored_value"), "amount": worth}, lines)
    counts = st.integers(1, most)
    caps = dict.fromkeys(("per_transaction", "per_store", "per_member", "total"), counts)
    validity = {"starts_after": periods(30), "expiry": expiries(kinds=COUPON_EXPIRIES)}
    redemption = {
        "when": conditions(depth=1),
        "stores": st.just(["S1"]),
        "holder_only": st.booleans(),
        "order": st.integers(-2, 2),
        "together": st.sampled_from(("any", "none")),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "title": _texts(),
        "terms": _texts(),
        "till_message": _texts(),
        "validity": objects({}, validity),
        "caps": objects({}, caps),
        "redemption": objects({}, redemption),
        "uses": st.integers(1, 3),
    }
    benefit = percent | amount | price | shipping if shared else percent | amount | price | shipping | stored
    document = draw(objects({"benefit": benefit}, optional))
    return {"serial_managed": False, "code": "GIFT", **document} if shared else document


def _texts() -> st.SearchStrategy[Any]:
    """Draw texts, some of them by language, with the names that a till fills in."""
    text = st.sampled_from(["Coffee", "{title}: {code}", "until {expires_on}"])
    return text | st.dictionaries(st.sampled_from(["en", "pt", "de"]), text, min_size=1, max_size=2)


@st.composite
def public_types(draw: st.DrawFn, *, code: str = "OPEN") -> Document:
    """Draw types of public codes, which no action issues."""
    benefit = st.one_of(
        objects({"type": st.just("percent_off"), "percent": amounts(1, 100)}, {"most": amounts(1, 50)}),
        objects({"type": st.just("amount_off"), "amount": amounts(1, 50)}, {}),
    )
    caps = dict.fromkeys(("per_transaction", "per_store", "per_member", "total"), st.integers(1, 3))
    return draw(
        objects({"public": st.just(True), "code": st.just(code), "benefit": benefit}, {"caps": objects({}, caps)})
    )


# -- programs --------------------------------------------------------------------------------------------------------


@st.composite
def programs(
    draw: st.DrawFn,
    *,
    most_promotions: int = 3,
    most_actions: int = 2,
    zones: Sequence[str] = ("UTC", "America/New_York"),
    coupons: bool = True,
) -> Document:
    """Draw whole programs of at most `most_promotions` promotions with `most_actions` actions each."""
    extends = objects({"after": periods()}, _EXTENSION)
    rate = objects({"points": amounts(1, 100, places=0), "value": amounts(1, 10, places=0)}, {"extends": extends})
    decimals = {"decimals": st.integers(0, 2)}
    points = objects({}, {**decimals, "redeem": rate})
    currencies = draw(objects({"points": points}, {"stars": objects({}, decimals)}))
    known = draw(objects({}, {"spend": trackers(currencies=[*currencies])}))
    statuses = draw(objects({}, {"status": tiers()}, percent=_SELDOM)) if known else {}
    levels = {tier: each["levels"] for tier, each in statuses.items()}
    types = draw(objects({}, {"gift": coupon_types()})) if coupons else {}
    public = draw(objects({}, {"open": public_types()}, percent=_RARELY)) if coupons else {}
    optional = {
        "money": st.just("USD"),
        "limits": objects({"daily": limits([*currencies]) | _in_money(currencies)}, {}),
        "shortfall": st.just("carry"),
        "groups": objects({"g": groups([*currencies])}, {}),
    }
    document: Document = {
        "format": "loyalty-rules/1",
        "id": "shop",
        "time_zone": draw(st.sampled_from(zones)),
        "currencies": currencies,
        **draw(objects({}, optional)),
        **({"trackers": known} if known else {}),
        **({"tiers": statuses} if statuses else {}),
        **({"coupon_types": types | public} if types | public else {}),
    }
    given: list[Document] = []
    for number in range(1, draw(st.integers(1, most_promotions)) + 1):
        given.append(
            draw(
                promotions(
                    id=f"p{number}",
                    currencies=[*currencies],
                    trackers=[*known],
                    coupon_types=[*types],
                    earlier=_earlier(given),
                    levels=levels,
                    most_actions=most_actions,
                )
            )
        )
    return {**document, "promotions": given}


def _in_money(currencies: Mapping[str, Document]) -> st.SearchStrategy[Document]:
    """Draw limits on points by their worth, if they have one."""
    if "redeem" not in currencies["points"]:
        return st.nothing()
    required = {"currency": st.just("points"), "per": st.sampled_from(["member", "total"]), "money": amounts(1, 20)}
    return objects(required, {"window": windows()})


def _earlier(given: list[Document]) -> list[str]:
    return [
        action_key(promotion["id"], action["id"])
        for promotion in given
        for action in promotion["actions"]
        if action["type"] == "issue_currency"
    ]
