"""Strategies for the parts of an award: prorations, bases, expiries, timings, caps.

Most strategies take `kinds`, to draw only these types: `prorations(kinds=("stepped",))`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from loyalty_rules.rules.rounding import MODES
from loyalty_rules.testing.strategies.conditions import conditions, line_conditions
from loyalty_rules.testing.strategies.scalars import Document, amounts, days, objects, periods
from loyalty_rules.values.amounts import Number

__all__ = [
    "BASES",
    "EXPIRIES",
    "PRORATIONS",
    "TIMINGS",
    "action_caps",
    "bases",
    "expiries",
    "prorations",
    "roundings",
    "timings",
    "windows",
]

PRORATIONS = ("fixed", "proportional", "multiplier", "stepped", "banded")
LINE_BASES = ("line_item_value", "line_item_quantity", "line_item_extended_field")
FIELD_BASES = ("transaction_custom_field", "transaction_extended_field")
TRACKER_BASES = ("gap_before", "event_value", "gap_after", "surplus", "crossings")
BASES = ("transaction_value", *LINE_BASES, *FIELD_BASES, *TRACKER_BASES, "balance", "awarded")
EXPIRIES = (
    *("never", "fixed_period", "event_date", "rolling", "fixed_date", "fixed_recurring"),
    *("registration_anniversary", "customer_field", "transaction_field"),
)
TIMINGS = ("immediate", "delayed", "external", "transaction_update")
FIELDS = {
    "transaction_custom_field": "tip",
    "transaction_extended_field": "fee",
    "line_item_extended_field": "nights",
    "customer_field": "renewal",
    "transaction_field": "check_in",
}


@st.composite
def bases(
    draw: st.DrawFn,
    trackers: Sequence[str] = (),
    earlier: Sequence[str] = (),
    *,
    currencies: Sequence[str] = (),
    kinds: Sequence[str] = BASES,
) -> Document:
    """Draw base values.

    Tracker bases are of `trackers`, `awarded` of the `earlier` actions (PROMOTION/ACTION), balances of `currencies`.
    """
    needs = {**dict.fromkeys(TRACKER_BASES, trackers), "awarded": earlier, "balance": currencies}
    kind = draw(st.sampled_from([kind for kind in kinds if needs.get(kind, True)]))
    document: Document = {"type": kind}
    if kind in FIELDS:
        document["field"] = FIELDS[kind]
    if kind in TRACKER_BASES:
        document["tracker"] = draw(st.sampled_from(trackers))
    elif kind == "balance":
        document["currency"] = draw(st.sampled_from(currencies))
    elif kind == "awarded":
        document["actions"] = draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=2, unique=True))
    elif kind == "transaction_value":
        document |= draw(objects({}, {"less": _parts()}))
    elif kind in LINE_BASES:
        each = {"lines": line_conditions(depth=0), "aggregate": st.sampled_from(["total", "each_line"])}
        document |= draw(objects({}, {**each, **({"less": _parts()} if kind == "line_item_value" else {})}))
    return document


@cache
def _parts() -> st.SearchStrategy[list[str]]:
    """Draw parts of the bill that earn nothing."""
    return st.lists(st.sampled_from(["tax", "shipping", "tip", "tenders.card"]), min_size=1, unique=True)


@st.composite
def prorations(
    draw: st.DrawFn,
    of: st.SearchStrategy[Document] | None = None,
    *,
    kinds: Sequence[str] = PRORATIONS,
    most: Number = 200,
    by: Mapping[str, Sequence[str]] = MappingProxyType({}),
    over: Sequence[str] = (),
) -> Document:
    """Draw prorations with numbers up to `most`, of a base from `of`; the default is any base without a tracker.

    `by` has paths with the texts by which a percentage is sometimes chosen. Bands may be laid over trackers of `over`.
    """
    base = of if of is not None else bases()
    kind = draw(st.sampled_from(kinds))
    if kind == "fixed":
        return {"type": kind, "amount": draw(amounts(most=most))}
    if kind == "stepped":
        steps = {"step_size": draw(amounts("0.5", most)), "points_per_step": draw(amounts(most=9))}
        return {"type": kind, **steps} | draw(objects({}, {"of": base}))
    percent = _percentages(most, by)
    if kind == "banded":
        return draw(_banded(base, percent, over))
    document: Document = {"type": kind, "percent": draw(percent)}
    if kind == "proportional":
        return draw(_by_unit({**document, "of": draw(base)}))
    return document | draw(objects({}, {"of": base}))


def _percentages(most: Number, by: Mapping[str, Sequence[str]]) -> st.SearchStrategy[Any]:
    """Draw percentages, some of them by a text."""
    percent = amounts(most=most)
    if not by:
        return percent

    def of_path(path: str) -> st.SearchStrategy[Any]:
        known = st.dictionaries(st.sampled_from(by[path]), percent, min_size=1, max_size=2)
        return objects({"by": st.just(path), "of": known}, {"else": percent})

    return percent | percent | st.sampled_from(sorted(by)).flatmap(of_path)


@st.composite
def _by_unit(draw: st.DrawFn, proration: Document) -> Document:
    """Change some bases over the values of lines to units: they stand in a proration alone."""
    of = proration["of"]
    if of["type"] == "line_item_value" and draw(st.booleans()):
        return {**proration, "of": {**of, "aggregate": "each_unit"}}
    return proration


@st.composite
def _banded(
    draw: st.DrawFn, base: st.SearchStrategy[Document], percent: st.SearchStrategy[Any], over: Sequence[str]
) -> Document:
    """Draw rates by bands of a base as a whole."""
    ends = draw(st.lists(st.integers(1, 200), min_size=1, max_size=2, unique=True).map(sorted))
    bands = [{"up_to": str(end), "percent": draw(percent)} for end in ends]
    optional = {"of": base, **({"over": st.sampled_from(over)} if over else {})}
    document = draw(objects({"type": st.just("banded")}, optional))
    document.get("of", {}).pop("aggregate", None)
    return {**document, "bands": [*bands, {"percent": draw(percent)}]}


@cache
def roundings(*, actual: bool = True) -> st.SearchStrategy[dict[str, str]]:
    """Draw roundings of the base and of the amount; without `actual`, the amount is always whole."""
    modes = sorted(MODES)
    whole = ["actual", *modes] if actual else modes
    optional = {"value": st.sampled_from(["actual", *modes]), "currency": st.sampled_from(whole)}
    return objects({}, optional)


@st.composite
def expiries(draw: st.DrawFn, *, kinds: Sequence[str] = EXPIRIES) -> Document:
    """Draw expiries."""
    kind = draw(st.sampled_from(kinds))
    document: Document = {"type": kind}
    match kind:
        case "fixed_period" | "event_date" | "rolling":
            document["after"] = draw(periods())
        case "fixed_date":
            document["on"] = draw(days(most=730)).isoformat()
        case "fixed_recurring":
            days_of_year = st.sampled_from([(1, 31), (12, 31), (6, 30), (2, 29)])
            dates = days_of_year.map(lambda each: {"month": each[0], "day": each[1]})
            several = st.lists(dates, min_size=1, max_size=3).map(lambda dates: {"dates": dates})
            document |= draw(dates | several) | draw(objects({}, {"least": periods(90)}))
        case "customer_field" | "transaction_field":
            document |= {"field": FIELDS[kind]}
            document |= draw(objects({}, {"after": periods()}))
        case _:
            pass
    if kind == "rolling":
        scope = st.sampled_from(["balance", "rolling_lots"])
        document |= draw(objects({}, {"scope": scope, "most": periods()}))
    if "after" in document:
        document |= draw(objects({}, {"through": st.sampled_from(["week", "month", "quarter", "half_year", "year"])}))
    return document


@st.composite
def timings(draw: st.DrawFn, trackers: Sequence[str] = (), *, kinds: Sequence[str] = TIMINGS) -> Document:
    """Draw timings: immediate, delayed, after a confirmation, after an update that satisfies a condition."""
    kind = draw(st.sampled_from(kinds))
    if kind == "delayed":
        return {"type": kind, "days": draw(st.integers(0, 30))}
    if kind == "transaction_update":
        shipped = st.just({"field": "status", "is": "Shipped"})
        return {"type": kind, "when": draw(shipped | conditions(trackers, depth=1))}
    return {"type": kind}


@cache
def windows() -> st.SearchStrategy[Document]:
    """Draw windows of counters: lifetime, calendar, rolling."""
    units = st.sampled_from(["day", "week", "month", "quarter", "year"])
    return st.one_of(
        st.just({"type": "lifetime"}),
        units.map(lambda unit: {"type": "calendar", "unit": unit}),
        st.integers(1, 365).map(lambda count: {"type": "rolling", "days": count}),
    )


@cache
def action_caps(*, most: Number = 200, most_times: int = 5) -> st.SearchStrategy[Document]:
    """Draw caps of an action: for an event, for a member and in total, by amount or by times."""
    optional = {"window": windows()}
    cap: st.SearchStrategy[Any] = objects({"amount": amounts(1, most)}, optional)
    cap |= objects({"times": st.integers(1, most_times)}, optional)
    return objects({}, {"per_event": amounts(1, most), "per_member": cap, "total": cap})
