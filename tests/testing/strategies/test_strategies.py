"""The strategies together reach every member of every union, and every reason, policy and intent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import loyalty_rules as lr
from loyalty_rules.intents import Intent, IssueCurrency
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.rules.base_values import BaseValue
from loyalty_rules.rules.conditions import OPERATORS
from loyalty_rules.rules.coupons import Benefit
from loyalty_rules.rules.expiry import Expiry
from loyalty_rules.rules.proration import Proration
from loyalty_rules.rules.rounding import MODES
from loyalty_rules.rules.skips import Reason
from loyalty_rules.rules.timing import Timing
from loyalty_rules.rules.windows import Window
from loyalty_rules.testing import strategies as kit
from properties.examples import SEED
from shop import Serials

SEEN: Counter[str] = Counter()
CONDITIONS = ("all", "any", "not", "lines", "anniversary", "sample", "base", "tier")
PARTS = (
    *("less", "over", "by", "through", "most", "dates", "repeats", "groups", "tiers", "keep", "choose", "money"),
    *("extends", "title", "terms", "till_message", "public", "uses", "units", "else"),
)
"""Keys of the newer forms."""


def types_of(union: Any) -> set[str]:
    """Return the names of the members of a union of classes and of the unions within it."""
    return {name for each in get_args(union) for name in (types_of(each) if get_args(each) else [each.type])}


def reached(shop: lr.Program) -> Iterator[str]:
    """Yield the members of unions, operators and policies that a program uses."""
    document = lr.dump(shop)
    for place in parts(document):
        for key in ("type", "on_return", "recipient", "scope", "aggregate", "per", "currency", "value", "unit"):
            if isinstance(place.get(key), str):
                yield f"{key}={place[key]}"
        yield from (f"operator={name}" for name in OPERATORS if place.get(name) is not None)
        yield from (f"condition={name}" for name in CONDITIONS if place.get(name))
        yield from (f"part={name}" for name in PARTS if place.get(name))


def parts(document: Any) -> Iterator[dict]:
    """Yield every object in a document."""
    if isinstance(document, dict):
        yield document
    for each in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from parts(each)


def count_reached_members(number: int) -> None:
    """Count over one batch of programs, with events and histories for each."""

    @seed(SEED + number)
    @settings(max_examples=20, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def count(data: st.DataObject) -> None:
        shop = lr.load_program(data.draw(kit.programs()))
        words = kit.words_of(shop)
        SEEN.update(set(reached(shop)))
        for _ in range(4):
            event = lr.load_event(data.draw(kit.events(words)))
            snapshot = lr.load_snapshot(data.draw(kit.snapshots(shop)))
            evaluation = shop.evaluate(event, snapshot, serials=Serials())
            SEEN.update({f"reason={skip.reason}" for skip in evaluation.skipped})
        for _ in range(3):
            record(shop, data.draw(kit.histories(words, most_events=4)), data)

    count()


def record(shop: lr.Program, history: list[dict], data: st.DataObject) -> None:
    """Record a history; settle due promises before each event, then confirm promises, then expire everything."""
    ledger = MemoryLedger()
    for document in history:
        event = lr.load_event(document)
        receipts = [*ledger.settle(shop, event.occurred_at), ledger.process(shop, event, serials=Serials())]
        count_intents(intent for receipt in receipts for intent in receipt.intents)
    for number, promise in enumerate(ledger.promises(shop.id, event.occurred_at), 1):
        if promise.issue.release is not None and promise.issue.release.type == "external":
            confirmation = kit.confirmations(promise.key, event.occurred_at.isoformat(), id=f"C{number}")
            receipt = ledger.process(shop, lr.load_event(data.draw(confirmation)))
            count_intents(receipt.intents)
    in_three_years = event.occurred_at.replace(year=event.occurred_at.year + 3)
    count_intents(intent for receipt in ledger.expire(shop, in_three_years) for intent in receipt.intents)


def count_intents(intents: Iterable[Intent]) -> None:
    for intent in intents:
        SEEN.update([f"intent={intent.type}"])
        if isinstance(intent, IssueCurrency):
            SEEN.update([f"state={intent.state}", *([f"release={intent.release.type}"] if intent.release else [])])


UNIONS = (Proration, BaseValue, Expiry, Timing, Window, Benefit)
POLICIES = ("recompute", "proportional", "reverse", "keep", "void_if_unredeemed")
INTENTS = (
    *("issue_currency", "issue_coupon", "send_message", "extend_expiry", "advance_tracker", "cancel_promise"),
    *("release_promise", "reverse_currency", "void_coupon", "expire_currency", "expire_coupon"),
    *("spend_currency", "change_tier"),
)
EVERYTHING = {
    "kind of part": {f"type={name}" for union in UNIONS for name in types_of(union)}
    | {"type=issue_coupon", "type=extend_expiry", "type=spend_currency"},
    "rounding": {f"{key}={mode}" for key in ("currency", "value") for mode in (*MODES, "actual")},
    "operator": {f"operator={name}" for name in OPERATORS},
    "condition": {f"condition={name}" for name in CONDITIONS},
    "part": {f"part={name}" for name in PARTS},
    "window": {f"unit={name}" for name in ("day", "week", "month", "quarter", "year")},
    "policy": {f"on_return={name}" for name in POLICIES}
    | {"recipient=member_group", "scope=balance", "scope=rolling_lots", "aggregate=each_line", "aggregate=each_unit"}
    | {"per=member", "per=store", "per=total", "per=member_group"},
    "reason to skip": {f"reason={name}" for name in get_args(Reason)},
    "state": {"state=issued", "state=promised"}
    | {f"release={name}" for name in ("delayed", "external", "transaction_update")},
    "intent": {f"intent={name}" for name in INTENTS},
}


def missing() -> set[str]:
    """Return the members that no program has reached yet."""
    return set().union(*EVERYTHING.values()) - {*SEEN}


@pytest.mark.slow
def test_every_member_of_every_kind_is_reached() -> None:
    for number in range(100):  # batches of programs
        count_reached_members(number)
        if not missing():
            break
    assert missing() == set()


def test_every_public_name_is_a_strategy_a_type_or_a_tuple_of_kinds() -> None:
    assert len(kit.__all__) == len(set(kit.__all__))
    assert [name for name in kit.__all__ if name.isupper() and not isinstance(getattr(kit, name), tuple)] == []
    assert [name for name in kit.__all__ if name.islower() and not callable(getattr(kit, name))] == []
