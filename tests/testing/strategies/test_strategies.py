"""The strategies draw valid documents, reach every part, and shrink to documents that a person would write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
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
from properties.examples import SAME_EVERY_TIME, SEED, drawn, examples
from shop import Serials, earn, fixed, program, proportional, stepped

# -- they draw what is valid -----------------------------------------------------------------------------------------


@examples(100)
@given(kit.programs().map(lr.load_program).flatmap(lambda shop: st.tuples(st.just(shop), kit.snapshots(shop))))
def test_programs_and_snapshots_are_valid(drawn: tuple[lr.Program, dict]) -> None:
    lr.load_snapshot(drawn[1])


@examples(100)
@given(kit.programs().map(lr.load_program).flatmap(lambda shop: st.tuples(st.just(shop), kit.histories(shop))))
def test_a_history_is_in_order_with_unique_ids_and_later_events_of_its_sales(
    drawn: tuple[lr.Program, list[dict]],
) -> None:
    events = [lr.load_event(document) for document in drawn[1]]
    sold = {event.id for event in events if isinstance(event, lr.Transaction)}

    assert [event.occurred_at for event in events] == sorted(event.occurred_at for event in events)
    assert len({event.id for event in events}) == len(events)
    assert {event.of for event in events if isinstance(event, (lr.Return, lr.Update))} <= sold


@examples(100)
@given(kit.transactions(least=5, most=7, most_lines=2, most_days=3, anonymous=False))
def test_sizes_and_ranges_are_kept(sale: dict) -> None:
    event: Any = lr.load_event(sale)

    assert 1 <= len(event.lines) <= 2
    assert all(5 <= line.value <= 7 for line in event.lines)
    assert event.amount == sum(line.value for line in event.lines) + (event.tax or 0)
    assert "2025-01-01" <= sale["occurred_at"][:10] <= "2025-01-03"
    assert event.member is not None


@examples(50)
@given(kit.amounts("0.5", "2.5", 2), kit.amounts(3, 4, 0), kit.amounts("0.1", "0.2", 1))
def test_amounts_lie_in_their_range(fine: str, whole: str, small: str) -> None:
    assert Decimal("0.5") <= Decimal(fine) <= Decimal("2.5")
    assert whole in ("3", "4")
    assert small in ("0.1", "0.2")


@examples(60)
@given(kit.transactions().flatmap(lambda sale: st.tuples(st.just(sale), kit.returns(sale, whole=True))))
def test_a_whole_return_has_the_whole_amount_and_all_lines(drawn: tuple[dict, dict]) -> None:
    sale, back = drawn

    assert back["amount"] == sale["amount"]
    assert {line["id"]: line["quantity"] for line in back.get("lines", [])} == {
        line["id"]: line["quantity"] for line in sale["lines"]
    }


# -- they reach everything -------------------------------------------------------------------------------------------

SEEN: Counter[str] = Counter()


def types_of(union: Any) -> set[str]:
    """The names of the members of a union of classes, unions within it included."""
    return {name for each in get_args(union) for name in (types_of(each) if get_args(each) else [each.type])}


def reached(shop: lr.Program) -> Iterator[str]:
    """What a program uses of all that there is."""
    document = lr.dump(shop)
    for place in parts(document):
        for key in ("type", "on_return", "recipient", "scope", "aggregate", "per", "currency", "value", "unit"):
            if isinstance(place.get(key), str):
                yield f"{key}={place[key]}"
        yield from (f"operator={name}" for name in OPERATORS if place.get(name) is not None)
        yield from (f"condition={name}" for name in ("all", "any", "not", "lines", "anniversary") if place.get(name))


def parts(document: Any) -> Iterator[dict]:
    """Every object in a document."""
    if isinstance(document, dict):
        yield document
    for each in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from parts(each)


def count_what_is_reached(number: int) -> None:
    """Count over one batch of programs, with events and histories for each."""

    @seed(SEED + number)
    @settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
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
    """Record a history, settle what is due before each event, confirm what waits for it, and let everything expire."""
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
)
EVERYTHING = {
    "kind of part": {f"type={name}" for union in UNIONS for name in types_of(union)} | {"type=issue_coupon"},
    "rounding": {f"{key}={mode}" for key in ("currency", "value") for mode in (*MODES, "actual")},
    "operator": {f"operator={name}" for name in OPERATORS},
    "condition": {f"condition={name}" for name in ("all", "any", "not", "lines", "anniversary")},
    "window": {f"unit={name}" for name in ("day", "week", "month", "quarter", "year")},
    "policy": {f"on_return={name}" for name in POLICIES}
    | {"recipient=member_group", "scope=balance", "scope=rolling_lots", "aggregate=each_line"}
    | {"per=member", "per=store", "per=total"},
    "reason to skip": {f"reason={name}" for name in get_args(Reason)},
    "state": {"state=issued", "state=promised"}
    | {f"release={name}" for name in ("delayed", "external", "transaction_update")},
    "intent": {f"intent={name}" for name in INTENTS},
}


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """How often each thing was reached: in as many batches as it takes, of 20 at most."""
    for number in range(20):
        count_what_is_reached(number)
        if set().union(*EVERYTHING.values()) <= set(SEEN):
            break
    return SEEN


@pytest.mark.slow
@pytest.mark.parametrize("what", EVERYTHING)
def test_every_member_of_a_kind_is_reached(seen: Counter[str], what: str) -> None:
    assert EVERYTHING[what] - set(seen) == set()


# -- events are drawn from the words of their program ------------------------------------------------------------------


def test_a_receipt_has_no_field_that_its_program_does_not_read() -> None:
    shop = lr.load_program(program(earn(proportional("10"))))

    keys = {key for sale in drawn(kit.transactions(shop)) for key in sale}
    assert keys <= {"type", "id", "occurred_at", "amount", "member"}


def test_some_receipt_satisfies_several_conditions_at_once() -> None:
    nights = {"type": "line_item_extended_field", "field": "nights", "lines": {"field": "category", "is": "ROOM"}}
    when = {"all": [{"field": "store", "is": "S9"}, {"field": "local_time", "at_least": "17:45"}]}
    promotion = {"id": "p", "when": when, "actions": [earn(proportional("10", nights))]}
    shop = lr.load_program(program(promotions=[promotion]))

    sales = drawn(kit.transactions(shop, anonymous=False), 1_000)
    # A store, a time, a category and a field at once: about one of a hundred has them.
    assert any(shop.evaluate(lr.load_event(sale)).intents for sale in sales)


def test_bills_lie_next_to_the_thresholds_of_their_program() -> None:
    shop = lr.load_program(program(earn(stepped("33.33", "1"))))

    amounts = {sale["amount"] for sale in drawn(kit.transactions(shop), 300)}
    assert {"33.32", "33.33", "33.34"} <= amounts


def test_events_lie_at_the_edges_of_the_windows_of_their_program() -> None:
    window = {"starts_at": "2031-05-01T00:00:00Z", "ends_at": "2031-06-01T00:00:00Z"}
    shop = lr.load_program(program(promotions=[{"id": "p", **window, "actions": [earn(fixed("1"))]}]))

    days = {sale["occurred_at"][:10] for sale in drawn(kit.transactions(shop), 200)}
    assert {"2031-05-01", "2031-05-31", "2031-06-01"} <= days


# -- what shrinks reads like something a person wrote ------------------------------------------------------------------

SIMPLEST: list[tuple[Callable[[], st.SearchStrategy[Any]], Any]] = [
    (kit.amounts, "0"),
    (lambda: kit.amounts(1), "1"),
    (kit.instants, "2025-01-01T12:00:00Z"),
    (kit.members, {"id": "M1"}),
    (lambda: kit.lines(least=1), {"id": "1", "quantity": "1", "value": "1"}),
    (
        lambda: kit.transactions(lr.load_program(program(earn(proportional("10")))), least=1),
        {"type": "transaction", "id": "T1", "occurred_at": "2025-01-01T12:00:00Z", "amount": "1"},
    ),
    (kit.activities, {"type": "registration", "id": "A1", "occurred_at": "2025-01-01T12:00:00Z"}),
    (
        kit.currency_actions,
        {
            "type": "issue_currency",
            "id": "earn",
            "currency": "points",
            "proration": {"type": "fixed", "amount": "0"},
            "expiry": {"type": "never"},
        },
    ),
    (
        kit.programs,
        {
            "format": "loyalty-rules/1",
            "id": "shop",
            "time_zone": "UTC",
            "currencies": {"points": {}},
            "promotions": [
                {
                    "id": "p1",
                    "actions": [
                        {
                            "type": "issue_currency",
                            "id": "a1",
                            "currency": "points",
                            "proration": {"type": "fixed", "amount": "0"},
                            "expiry": {"type": "never"},
                        }
                    ],
                }
            ],
        },
    ),
]


def shrunk(strategy: st.SearchStrategy[Any]) -> Any:
    """What a failure that happens always is shrunk to."""
    last: list[Any] = []

    @settings(max_examples=200, derandomize=SAME_EVERY_TIME, database=None, deadline=None, report_multiple_bugs=False)
    @given(strategy)
    def fail(example: Any) -> None:
        last.append(example)
        raise AssertionError

    with pytest.raises(AssertionError):
        fail()
    return last[-1]


@pytest.mark.parametrize(("strategy", "simplest"), SIMPLEST)
def test_the_simplest_example_is_short_and_early(strategy: Callable[[], st.SearchStrategy[Any]], simplest: Any) -> None:
    assert shrunk(strategy()) == simplest
