"""Events for a given program or for any: sales, activities, returns, updates, confirmations and snapshots."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import strategies as st

from loyalty_rules.keys import action_key
from loyalty_rules.paths import actions_of
from loyalty_rules.program import Program
from loyalty_rules.rules.promotions import FieldRecipient
from loyalty_rules.rules.tiers import Tier
from loyalty_rules.testing.strategies.scalars import (
    FIRST_DAY,
    TIMES,
    Document,
    amounts,
    counts,
    days,
    instant_at,
    near,
    objects,
)
from loyalty_rules.testing.strategies.words import Words, words_of
from loyalty_rules.values.amounts import (
    MICRO,
    NUMBER_LIMIT,
    Number,
    decimal_of,
    micros,
    micros_text,
    number_in,
    read_decimal,
)
from loyalty_rules.values.dates import anniversary_in

__all__ = [
    "Shop",
    "activities",
    "amendments",
    "confirmations",
    "events",
    "lines",
    "members",
    "read_words",
    "returns",
    "snapshots",
    "transactions",
    "updates",
]

_MOSTLY, _SELDOM = 80, 20
"""The percentage of events with a field that their program reads, and of events in another currency."""

PLAIN = Words(
    activities=("registration", "visit"),
    texts={
        "store": ["S1", "S2"],
        "channel": ["web"],
        "status": ["Shipped"],
        "member.tier": ["gold"],
        "member.tags": ["staff"],
        "line:sku": ["MUG"],
        "line:category": ["FOOD"],
        "line:tags": ["sale"],
    },
    fields={"custom_fields.tip", "extended_fields.fee", "line:extended_fields.nights"},
    dates={"member.registered_on"},
    tenders={"card"},
    channels=("email",),
    components={"tax"},
    has_lines=True,
    has_groups=True,
    has_stores=True,
)
"""The vocabulary of events without a program."""


Shop: TypeAlias = Program | Words | None
"""A program, its vocabulary (`words_of(program)`, computed once for many events), or None for any."""


def _mostly(
    required: Mapping[str, st.SearchStrategy[Any]], optional: Mapping[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Document]:
    return objects(required, optional, percent=_MOSTLY)


def read_words(program: Shop) -> Words:
    """Return the vocabulary that events are drawn from."""
    if isinstance(program, Words):
        return program
    return words_of(program) if program is not None else PLAIN


# -- the parts of a bill ---------------------------------------------------------------------------------------------


@st.composite
def members(
    draw: st.DrawFn,
    program: Shop = None,
    *,
    ids: tuple[str, ...] = ("M1", "M2"),
    on: date = FIRST_DAY,
    odd: bool = True,
) -> Document:
    """Draw members with the fields that the program reads; dates are near `on` or have their anniversary on it.

    With `odd`, a field sometimes has a value that no condition names.
    """
    words = read_words(program)
    extended = draw(_fields(words, "member.extended_fields.", on, odd))
    optional: dict[str, st.SearchStrategy[Any]] = {
        **_names({"tier": words.names("member.tier", "silver")}),
        **({"group": st.sampled_from(["G1", *words.names("member.group")])} if words.has_groups else {}),
        **({"registered_on": _dates(on)} if "member.registered_on" in words.dates else {}),
        **({"contacts": _contacts(words)} if words.channels else {}),
    }
    tags = words.names("member.tags")
    if tags:
        optional["tags"] = st.lists(st.sampled_from(tags), unique=True, max_size=2)
    chosen = draw(st.sampled_from([*ids, *words.names("member.id")]))
    document = draw(_mostly({"id": st.just(chosen)}, optional))
    return {**document, **({"extended_fields": extended} if extended else {})}


def _names(pools: Mapping[str, list[str]]) -> dict[str, st.SearchStrategy[Any]]:
    return {key: st.sampled_from(pool) for key, pool in pools.items() if pool}


def _contacts(words: Words) -> st.SearchStrategy[dict[str, Any]]:
    contact = st.sampled_from([True, "a@example.org", {"to": "a@example.org", "consent": False}, False])
    return _mostly({}, dict.fromkeys(words.channels, contact))


def _dates(on: date) -> st.SearchStrategy[str]:
    """Draw dates of a field: in the future, in the past, or with their anniversary on a day."""
    birthdays = st.integers(1, 40).map(lambda years: anniversary_in(on.year - years, on.month, on.day))
    return st.one_of(days(on, 400), birthdays, days(on - timedelta(days=730), 730)).map(date.isoformat)


@st.composite
def _fields(draw: st.DrawFn, words: Words, prefix: str, on: date = FIRST_DAY, odd: bool = True) -> dict[str, Any]:
    """Draw the free-form fields of one family that a base, an expiry or a condition reads."""
    names = words.below(prefix)
    return draw(_mostly({}, {name: _field(words, prefix + name, on, odd) for name in names}))


def _field(words: Words, path: str, on: date, odd: bool) -> st.SearchStrategy[Any]:
    said = words.said(path)
    kinds: list[st.SearchStrategy[Any]] = []
    if path in words.dates:
        kinds.append(_dates(on))
    numbers = [number_in(each) for each in said if not isinstance(each, bool)]
    if path in words.fields or any(number is not None for number in numbers):
        near_to = [decimal_of(number) for number in numbers if number is not None]
        kinds.append(amounts(most=20))
        kinds.append(_near([*near_to, *(words.numbers if path in words.fields else ())]) | amounts(most=1000))
    if said:
        kinds.append(st.sampled_from([each if not isinstance(each, Decimal) else str(each) for each in said]))
    if kinds and not odd:
        return st.one_of(kinds)
    return st.one_of(
        [*kinds, *kinds, st.sampled_from(["other", True])]
    )  # values that the program names come twice as often


def _near(numbers: Iterable[Decimal], least: Number = 0, most: Number = NUMBER_LIMIT - 1) -> st.SearchStrategy[str]:
    """Draw amounts from `least` to `most` next to numbers."""
    low, high = micros(read_decimal(least)), micros(read_decimal(most))
    close = (text for number in numbers for text in near(number))
    kept = [text for text in dict.fromkeys(close) if low <= micros(Decimal(text)) <= high]
    return st.sampled_from(kept) if kept else st.nothing()


@st.composite
def lines(
    draw: st.DrawFn,
    program: Shop = None,
    *,
    id: str = "1",
    least: Number = 0,
    most: Number = 100,
    odd: bool = True,
) -> Document:
    """Draw lines with a value from `least` to `most` and the fields that the program reads; `odd` as in members."""
    words = read_words(program)
    tags = words.names("line:tags")
    optional = {
        **_names(
            {
                "sku": words.names("line:sku", "OTHER"),
                "category": words.names("line:category", "OTHER"),
                "brand": words.names("line:brand", "other"),
            },
        ),
        **({"tags": st.lists(st.sampled_from(tags), unique=True, max_size=2)} if tags else {}),
    }
    extended = draw(_fields(words, "line:extended_fields.", odd=odd))
    quantities = counts() | _near(words.quantities, 1).filter(str.isdecimal)
    document = draw(
        _mostly({"id": st.just(id), "quantity": quantities, "value": _values(words, least, most)}, optional)
    )
    if "line:unit_price" in words.texts and draw(st.booleans()):
        document["unit_price"] = document.pop("value")
    return {**document, **({"extended_fields": extended} if extended else {})}


def _pieces(words: Words) -> st.SearchStrategy[str]:
    """Draw a few pieces, and whole numbers of them next to the thresholds of the program."""
    whole = {int(number) + step for number in words.quantities for step in (0, -1, 1) if number < NUMBER_LIMIT - 1}
    close = [str(number) for number in sorted(whole) if number > 0]
    return counts() | st.sampled_from(close) if close else counts()


def _values(words: Words, least: Number, most: Number) -> st.SearchStrategy[str]:
    """Draw any amounts, and those next to the thresholds of the program."""
    return amounts(least, most) | _near(words.numbers, least, most)


# -- sales and activities --------------------------------------------------------------------------------------------


@st.composite
def transactions(
    draw: st.DrawFn,
    program: Shop = None,
    *,
    id: str = "T1",
    least: Number = 0,
    most: Number = 1000,
    most_lines: int = 3,
    most_days: int = 365,
    anonymous: bool = True,
    odd: bool = True,
) -> Document:
    """Draw sales with goods from `least` to `most`, at most `most_lines` lines, within `most_days` days.

    If the program reads lines, `least` and `most` limit each line, and the bill is their sum plus tax, shipping and
    tip. If it reads the tax, the lines of some sales carry their own, which sums to the bill's. Tenders sum to at most
    the bill. With `anonymous`, some sales have no member. With `odd`, a field sometimes has a value that no condition
    names.
    """
    words = read_words(program)
    document = draw(_happenings(words, "transaction", id, most_days, anonymous, odd))
    components = draw(_mostly({}, _amounts_of(words)))
    goods: Document = {}
    if words.has_lines:
        ids = [str(number) for number in range(1, draw(st.integers(1, most_lines)) + 1)]
        goods["lines"] = [draw(lines(words, id=each, least=least, most=most, odd=odd)) for each in ids]
        if "tax" in components and draw(st.booleans()):
            components["tax"] = draw(_own_taxes(goods["lines"]))
        value = sum(_line_value(line) for line in goods["lines"])
    else:
        value = micros(Decimal(draw(_values(words, least, most))))
    bill = micros_text(value + sum(micros(Decimal(each)) for each in components.values()))
    tenders = draw(_mostly({}, {"tenders": _tenders(words, bill)})) if words.tenders else {}
    return {**document, "amount": bill, **components, **tenders, **goods}


def _tenders(words: Words, bill: str) -> st.SearchStrategy[Any]:
    """Draw one tender up to the bill, or two up to half of it each."""
    paid, kinds = max(micros(Decimal(bill)), 0), st.sampled_from(sorted(words.tenders))
    numbers = [number for kind in sorted(words.tenders) for number in _said_numbers(words, f"tenders.{kind}")]

    def of(ways: int) -> st.SearchStrategy[Any]:
        most = Decimal(micros_text(paid // ways))
        part = amounts(0, most) | _near(numbers, 0, most)
        return st.lists(objects({"type": kinds, "amount": part}, {}), min_size=ways, max_size=ways)

    return of(1) | of(2)


@st.composite
def _own_taxes(draw: st.DrawFn, goods: list[Document]) -> str:
    """Draw the own tax of each line, and return their sum."""
    for line in goods:
        line["tax"] = draw(amounts(most=5))
    return micros_text(sum(micros(Decimal(line["tax"])) for line in goods))


def _amounts_of(words: Words) -> dict[str, st.SearchStrategy[str]]:
    return {name: amounts(most=20) | _near(_said_numbers(words, name)) for name in sorted(words.components)}


def _said_numbers(words: Words, path: str) -> list[Decimal]:
    """Return the numbers that conditions compare with the value at a path."""
    found = (number_in(each) for each in words.said(path) if not isinstance(each, bool))
    return [decimal_of(number) for number in found if number is not None]


def _line_value(line: Document) -> int:
    if "value" in line:
        return micros(Decimal(line["value"]))
    return micros(Decimal(line["unit_price"])) * micros(Decimal(line["quantity"])) // MICRO


@st.composite
def activities(
    draw: st.DrawFn,
    program: Shop = None,
    *,
    id: str = "A1",
    most_days: int = 365,
    anonymous: bool = True,
    odd: bool = True,
) -> Document:
    """Draw activities of the types that trigger a promotion, or `visit` if there are none."""
    words = read_words(program)
    kind = draw(st.sampled_from(words.activities or ("visit",)))
    return draw(_happenings(words, kind, id, most_days, anonymous, odd))


def events(
    program: Shop = None, *, id: str = "T1", most: Number = 1000, most_days: int = 365
) -> st.SearchStrategy[Document]:
    """Draw sales, and activities if a promotion is triggered by one."""
    sales = transactions(program, id=id, most=most, most_days=most_days)
    return sales | activities(program, id=id, most_days=most_days) if read_words(program).activities else sales


@st.composite
def _happenings(
    draw: st.DrawFn, words: Words, kind: str, id: str, most_days: int, anonymous: bool, odd: bool
) -> Document:
    at = draw(_times(words, most_days))
    on = date.fromisoformat(at[:10])
    who = members(words, on=on, odd=odd)
    required: dict[str, st.SearchStrategy[Any]] = {
        "type": st.just(kind),
        "id": st.just(id),
        "occurred_at": st.just(at),
        **({} if anonymous else {"member": who}),
    }
    others = {
        "store": [*words.names("store"), "S1", "S2"] if words.has_stores else [],
        **{name: words.names(name, "other") for name in ("brand", "channel", "status")},
    }
    optional = {**({"member": who} if anonymous else {}), **_names(others)}
    document = draw(_mostly(required, optional))
    for family in ("custom_fields", "extended_fields"):
        fields = draw(_fields(words, f"{family}.", on, odd))
        document |= {family: fields} if fields else {}
    return document | draw(_moneys(words))


@st.composite
def _moneys(draw: st.DrawFn, words: Words) -> Document:
    """Draw a currency, sometimes a foreign one, with or without an exchange rate."""
    known = words.names("currency")
    if words.money is None and not known:
        return {}
    foreign = st.sampled_from([*known, *(["XXX"] if words.money is not None else [])])
    chosen = draw(objects({}, {"currency": foreign}, percent=_SELDOM))
    rates = {"exchange_rate": st.sampled_from(["2", "0.5"])} if chosen and words.money is not None else {}
    return chosen | draw(objects({}, rates))


@st.composite
def _times(draw: st.DrawFn, words: Words, most_days: int) -> str:
    """Draw instants in, right before and right after the active windows of promotions, and on named days."""
    first, last = draw(st.sampled_from(words.windows))
    most = most_days if last is None else min(most_days, max((last - first).days + 1, 1))
    marked = [*words.days, *(end for _, end in words.windows if end is not None)]
    edges = [day + timedelta(days=step) for day in marked for step in (0, -1, 1)]
    day = draw(days(first, most) | st.sampled_from(edges) if edges else days(first, most))
    times = [f"{text}:00" for text in words.names("local_time") if len(text) == 5]
    return instant_at(day, draw(st.sampled_from([TIMES[0], *times, *TIMES[1:]])), words.zone)


# -- later events ----------------------------------------------------------------------------------------------------


@st.composite
def returns(
    draw: st.DrawFn, sale: Mapping[str, Any], *, id: str = "R1", later_days: int = 30, whole: bool = False
) -> Document:
    """Draw returns of a sale: a part of its amount and of its lines, or with `whole` all of both.

    Some name the refund on a line, the numbers of its fields that came back, and parts of the bill: never more
    than the sale has. The return of an activity has no amount.
    """
    at = draw(_later(sale, later_days))
    document = {"type": "return", "id": id, "occurred_at": at, "of": sale["id"]}
    if sale["type"] != "transaction":
        return document
    amount = max(micros(Decimal(str(sale["amount"]))), 0)
    if whole:
        goods = [{"id": line["id"], "quantity": line["quantity"]} for line in sale.get("lines", ())]
        return {**document, "amount": micros_text(amount), **({"lines": goods} if goods else {})}
    goods = [draw(_returned_lines(line)) for line in sale.get("lines", ())]
    goods = [line for line in goods if line["quantity"] != "0" or "amount" in line]
    named = {name: _part_of(sale[name]) for name in ("tax", "shipping", "tip") if name in sale}
    parts = draw(objects({"amount": _part_of(sale["amount"])}, named, percent=_SELDOM))
    return {**document, **parts, **({"lines": goods} if goods else {}), **draw(_returned_tenders(sale))}


@st.composite
def _returned_lines(draw: st.DrawFn, line: Document) -> Document:
    """Draw the part of a line that comes back; some name the refund, or the numbers of fields."""
    document = {"id": line["id"], "quantity": draw(counts(0, max(int(Decimal(line["quantity"])), 0)))}
    refund = draw(objects({}, {"amount": _part_of(micros_text(_line_value(line)))}, percent=_SELDOM))
    numbers = {
        name: _part_of(micros_text(number))
        for name, value in line.get("extended_fields", {}).items()
        if (number := number_in(value)) is not None
    }
    fields = draw(objects({}, numbers, percent=_SELDOM))
    return {**document, **refund, **({"extended_fields": fields} if fields else {})}


@st.composite
def _returned_tenders(draw: st.DrawFn, sale: Mapping[str, Any]) -> Document:
    """Draw parts of the tenders of a sale; a list that is given names them all."""
    tenders = [{"type": st.just(each["type"]), "amount": _part_of(each["amount"])} for each in sale.get("tenders", ())]
    if not tenders:
        return {}
    return draw(
        objects({}, {"tenders": st.tuples(*(objects(each, {}) for each in tenders)).map(list)}, percent=_SELDOM)
    )


def _part_of(whole: object) -> st.SearchStrategy[str]:
    """Draw amounts from zero to a whole."""
    return amounts(0, Decimal(micros_text(max(number_in(whole) or 0, 0))))


@st.composite
def amendments(
    draw: st.DrawFn, sale: Mapping[str, Any], program: Shop = None, *, id: str = "A1", later_days: int = 30
) -> Document:
    """Draw amendments of a sale: another amount, another status, or another member."""
    changes: list[Document] = [
        {"amount": draw(amounts())},
        {"status": draw(st.sampled_from([*read_words(program).names("status"), "Shipped"]))},
        {"member": draw(members(program))},
    ]
    at = draw(_later(sale, later_days))
    return {"type": "amendment", "id": id, "occurred_at": at, "of": sale["id"], **draw(st.sampled_from(changes))}


@st.composite
def updates(
    draw: st.DrawFn, sale: Mapping[str, Any], program: Shop = None, *, id: str = "U1", later_days: int = 30
) -> Document:
    """Draw updates of a sale: a new status, and new fields that the program reads."""
    words = read_words(program)
    status = st.sampled_from([*words.names("status"), "Shipped"])
    document: Document = {"status": draw(status)}
    for family in ("custom_fields", "extended_fields"):
        fields = draw(_fields(words, f"{family}."))
        document |= {family: fields} if fields else {}
    at = draw(_later(sale, later_days))
    return {"type": "update", "id": id, "occurred_at": at, "of": sale["id"], **document}


@st.composite
def confirmations(draw: st.DrawFn, promise: str, at: str, *, id: str = "C1") -> Document:
    """Draw confirmations of a promise (the key of its issue) at an instant."""
    outcome = draw(st.sampled_from(["issue", "cancel"]))
    return {"type": "confirmation", "id": id, "occurred_at": at, "promise": promise, "outcome": outcome}


def _later(sale: Mapping[str, Any], most: int) -> st.SearchStrategy[str]:
    day, time = str(sale["occurred_at"])[:10], str(sale["occurred_at"])[10:]
    first = date.fromisoformat(day) + timedelta(days=1)
    return days(first, most).map(lambda later: f"{later}{time}")


# -- snapshots -------------------------------------------------------------------------------------------------------


@st.composite
def snapshots(draw: st.DrawFn, program: Program, *, most: Number = 1000, most_times: int = 10) -> Document:
    """Draw snapshots: values of trackers, and counts of the issues so far."""
    words = words_of(program)
    sums, times = amounts(0, most), st.integers(0, most_times)
    counted = _mostly({}, {"amount": sums, "times": times})
    issued = _mostly({}, {"member": counted, "total": counted})
    coupons = _mostly({}, {"store": times, "member": times, "total": times})
    actions = [
        action_key(promotion.id, action.id)
        for promotion in program.promotions
        for action in promotion.actions
        if action.type == "issue_currency"
    ]
    of_recipient = _mostly({}, _counts_of_recipient(program, issued, sums))
    parts: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "trackers": {each.id: sums | _near([each.target, *words.numbers]) for each in program.trackers},
        "issued": dict.fromkeys(actions, issued),
        "limits": {each.id: sums for each in program.limits},
        "coupons": {each.id: coupons for each in program.coupon_types},
        "balances": dict.fromkeys(program.plan.balances, sums | _near(words.numbers)),
        "tiers": {each.id: _standings(each) for each in program.tiers},
        "recipients": dict.fromkeys(_recipients(words, program), of_recipient),
    }
    known = {name: _mostly({}, each) for name, each in parts.items() if each}
    return draw(_mostly({}, known))


def _standings(tier: Tier) -> st.SearchStrategy[Document]:
    """Draw levels of a tier, most of them with an end."""
    return _mostly({"level": st.sampled_from(tier.levels)}, {"until": days(most=730).map(date.isoformat)})


def _paid_to_others(program: Program) -> dict[str, str]:
    """Return the fields that name the recipients of actions, by action."""
    recipients = ((place.key, getattr(place.action, "recipient", None)) for place in actions_of(program))
    return {key: recipient.field for key, recipient in recipients if isinstance(recipient, FieldRecipient)}


def _recipients(words: Words, program: Program) -> list[str]:
    """Return the members whom a field of an event may name as a recipient."""
    said = (name for field in _paid_to_others(program).values() for name in words.said(field))
    return [*dict.fromkeys(name for name in said if isinstance(name, str))]


def _counts_of_recipient(
    program: Program, issued: st.SearchStrategy[Any], sums: st.SearchStrategy[str]
) -> dict[str, st.SearchStrategy[Any]]:
    actions = [*_paid_to_others(program)]
    return {
        "issued": _mostly({}, dict.fromkeys(actions, issued)),
        "limits": _mostly({}, {limit.id: sums for limit in program.limits if limit.per == "member"}),
    }
