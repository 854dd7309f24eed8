"""The named methods of a ledger: each builds an operation or runs a query, for threads and for asyncio alike."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Transaction
from loyalty_rules.ledger import AsyncLedger, AsyncLedgerMethods, Ledger, LedgerMethods, Queries
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.operations import (
    Expire,
    Record,
    Redeem,
    Sell,
    Settle,
    Spend,
    TakeBack,
    UndoRedemptionOf,
    UndoSpendOf,
    Void,
)
from loyalty_rules.ledger.service import LedgerService
from loyalty_rules.lifecycle.records import Account
from shop import Serials, earn, fixed, program, sale

AT = datetime(2025, 1, 20, 12, tzinfo=UTC)
SOLD_AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
NAIVE = datetime(2025, 1, 20, 12)
ANNA = Account("member", "M1")
SERIALS = Serials()
ONE_DAY = {"type": "fixed_period", "after": {"days": 1}}
SHOP = lr.load_program(
    program(
        earn(fixed(10), expiry=ONE_DAY),
        earn(fixed(4), "second", expiry=ONE_DAY),
        earn(fixed(3), "latest", timing={"type": "delayed", "days": 2}),
        earn(fixed(7), "later", timing={"type": "delayed", "days": 1}),
    )
)


def bill(**parts: Any) -> Transaction:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return event


BACK: Any = lr.load_event({"type": "return", "id": "R-1", "of": "T-1", "amount": "1", "occurred_at": AT.isoformat()})


class NotingLedger(LedgerMethods):
    """A ledger that notes its operations and counts its queries; another process may be faster."""

    def __init__(self) -> None:
        self.service = LedgerService(MemoryStorage(), SERIALS)
        self.executed: list[Any] = []
        self.queries = 0
        self.before: Callable[[], Any] = lambda: None  # run by another process before each operation

    def execute(self, operation: Any) -> Any:
        self.before()
        self.executed.append(operation)
        return self.service.execute(operation)

    def read(self, query: Callable[[Queries], Any]) -> Any:
        self.queries += 1
        return query(self.service.queries)


class AsyncNotingLedger(AsyncLedgerMethods):
    """The same ledger, awaited."""

    def __init__(self, ledger: NotingLedger) -> None:
        self._ledger = ledger

    async def execute(self, operation: Any) -> Any:
        return self._ledger.execute(operation)

    async def read(self, query: Callable[[Queries], Any]) -> Any:
        return self._ledger.read(query)


@attrs.frozen
class Caller:
    """A ledger, and the function that calls one of its methods, directly or by an event loop."""

    ledger: NotingLedger
    call: Callable[..., Any]


@pytest.fixture(params=["threads", "asyncio"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Return the caller of the methods for threads, and of those for asyncio."""
    ledger = NotingLedger()
    if request.param == "threads":
        return Caller(ledger, lambda name, *given, **named: getattr(ledger, name)(*given, **named))
    awaited = AsyncNotingLedger(ledger)
    return Caller(ledger, lambda name, *given, **named: asyncio.run(getattr(awaited, name)(*given, **named)))


# -- signatures ------------------------------------------------------------------------------------------------------


def methods(cls: type) -> Mapping[str, Callable[..., Any]]:
    """Return the public methods that a class itself defines, by name."""
    return {name: each for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")}


def shape(function: Callable[..., Any]) -> list[tuple[str, Any, Any, Any]]:
    """Return the name, kind, default and type of every parameter, and the type of the result."""
    signature = inspect.signature(function, eval_str=True)
    parameters = [(each.name, each.kind, each.default, each.annotation) for each in signature.parameters.values()]
    return [*parameters, ("return", None, None, signature.return_annotation)]


NAMES = [*methods(LedgerMethods)]
OF_A_HOST = {"read", "execute_many"}  # which a ledger has for its own methods
OF_THE_PROTOCOL = [name for name in NAMES if name not in OF_A_HOST]


def test_the_protocols_have_these_methods_and_those_that_a_ledger_provides() -> None:
    assert {*methods(Ledger)} - {*NAMES} == {"transaction", "check_invariants"}
    assert {*methods(AsyncLedger)} - {*NAMES} == {"check_invariants"}
    assert {*NAMES} - {*methods(Ledger)} == OF_A_HOST


@pytest.mark.parametrize("name", OF_THE_PROTOCOL)
def test_each_method_has_the_signature_of_the_protocol(name: str) -> None:
    assert shape(methods(LedgerMethods)[name]) == shape(methods(Ledger)[name])


def test_a_ledger_must_provide_execute_and_read() -> None:
    assert LedgerMethods.__abstractmethods__ == AsyncLedgerMethods.__abstractmethods__ == {"execute", "read"}


# -- operations ------------------------------------------------------------------------------------------------------

EVALUATION = SHOP.evaluate(bill())
SPEND, REDEMPTION, COUPON = "acme/S-1/spend/points", "acme/T-2/redeem/T-1/p/gift/1", "acme/T-1/p/gift/1"


@pytest.mark.parametrize(
    ("name", "given", "named", "expected"),
    [
        ("record", (EVALUATION,), {}, Record(EVALUATION, SOLD_AT)),
        ("record", (EVALUATION,), {"recorded_at": AT}, Record(EVALUATION, AT)),
        ("process", (SHOP, bill()), {}, Sell(SHOP, bill(), SOLD_AT)),
        ("process", (SHOP, bill()), {"serials": SERIALS, "recorded_at": AT}, Sell(SHOP, bill(), AT, SERIALS)),
        ("process", (SHOP, BACK), {}, TakeBack(SHOP, BACK, AT)),
        ("spend", (SHOP, ANNA, "M1", "points", Decimal(4)), {"event": "S-1", "at": AT},
         Spend(SHOP, ANNA, "M1", "points", Decimal(4), "S-1", AT)),
        ("undo_spend", (SHOP, SPEND), {"event": "U-1", "at": AT}, UndoSpendOf(SHOP, SPEND, "U-1", AT)),
        ("redeem", (SHOP, "GIFT", bill()), {}, Redeem(SHOP, "GIFT", bill())),
        ("undo_redemption", (SHOP, REDEMPTION), {"event": "U-1", "at": AT},
         UndoRedemptionOf(SHOP, REDEMPTION, "U-1", AT)),
        ("void", (SHOP, COUPON), {"event": "V-1", "at": AT}, Void(SHOP, COUPON, "V-1", AT)),
    ],
)  # fmt: skip
def test_a_method_executes_one_operation(caller: Caller, name: str, given: Any, named: Any, expected: Any) -> None:
    receipt = caller.call(name, *given, **named)

    assert caller.ledger.executed == [expected]
    assert type(receipt) is expected.receipt_class()
    assert caller.ledger.queries == 0


@pytest.mark.parametrize(
    ("name", "operation", "keys"),
    [
        ("settle", Settle, ["acme/T-1/p/later", "acme/T-1/p/latest"]),
        ("expire", Expire, ["acme/T-1/p/earn", "acme/T-1/p/second"]),
    ],
)
def test_a_sweep_executes_an_operation_for_each_row_that_it_finds(
    caller: Caller, name: str, operation: Any, keys: list[str]
) -> None:
    caller.call("process", SHOP, bill())
    lots = [caller.ledger.service._storage.lot(key) for key in keys]

    receipts = caller.call(name, SHOP, AT)

    assert caller.ledger.executed[1:] == [operation(SHOP, lot, AT) for lot in lots]
    assert [(type(each), each.status) for each in receipts] == [
        (operation(SHOP, lot, AT).receipt_class(), "recorded") for lot in lots
    ]
    assert caller.ledger.queries == 1


def test_promises_are_settled_in_the_order_in_which_they_are_due(caller: Caller) -> None:
    caller.call("process", SHOP, bill())

    assert [each.release.promise for each in caller.call("settle", SHOP, AT) if each.release is not None] == [
        "acme/T-1/p/later",
        "acme/T-1/p/latest",
    ]


def test_a_promise_that_another_process_settles_meanwhile_has_no_receipt(caller: Caller) -> None:
    caller.call("process", SHOP, bill())
    due = caller.ledger.service.queries.due(SHOP, AT)
    caller.ledger.before = lambda: caller.ledger.service.execute(Settle(SHOP, due[0], AT))

    receipts = caller.call("settle", SHOP, AT)

    assert [each.key for each in receipts] == ["acme/acme%2FT-1%2Fp%2Flatest#settle"]


def test_an_expiry_that_another_process_records_meanwhile_has_no_receipt(caller: Caller) -> None:
    caller.call("process", SHOP, bill())
    first, _ = caller.ledger.service.queries.expired(SHOP, AT)
    caller.ledger.before = lambda: caller.ledger.service.execute(Expire(SHOP, first, AT))

    receipts = caller.call("expire", SHOP, AT)

    assert [each.expired.lot for each in receipts] == ["acme/T-1/p/second"]


# -- queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("snapshot", (SHOP, bill())),
        ("balance", ("acme", ANNA, "points", AT)),
        ("lots", ("acme", ANNA, "points", AT)),
        ("promises", ("acme", AT)),
        ("statement", ("acme", ANNA, AT)),
        ("coupon", ("acme", "GIFT")),
        ("coupons", ("acme", "M1")),
        ("report_rows", ("acme", AT)),
    ],
)
def test_a_query_is_that_of_queries_and_executes_no_operation(caller: Caller, name: str, given: Any) -> None:
    caller.ledger.service.process(SHOP, bill())

    result = caller.call(name, *given)

    assert result == getattr(caller.ledger.service.queries, name)(*given)
    assert (caller.ledger.queries, caller.ledger.executed) == (1, [])


# -- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "named", "argument"),
    [
        ("settle", (SHOP, NAIVE), {}, "at"),
        ("expire", (SHOP, NAIVE), {}, "at"),
        ("balance", ("acme", ANNA, "points", NAIVE), {}, "at"),
        ("record", (EVALUATION,), {"recorded_at": NAIVE}, "recorded_at"),
        ("process", (SHOP, bill()), {"recorded_at": NAIVE}, "recorded_at"),
        ("process", (SHOP, BACK), {"recorded_at": NAIVE}, "recorded_at"),
        ("spend", (SHOP, ANNA, "M1", "points", Decimal(1)), {"event": "S-1", "at": NAIVE}, "at"),
        ("spend", (SHOP, ANNA, "M1", "points", 0.5), {"event": "S-1", "at": AT}, "amount"),
        ("spend", (SHOP, ANNA, "", "points", Decimal(1)), {"event": "S-1", "at": AT}, "member"),
        ("spend", (SHOP, ANNA, "M1", "points", Decimal(1)), {"event": " S-1", "at": AT}, "event"),
        ("undo_spend", (SHOP, 7), {"event": "S-1", "at": AT}, "spend"),
        ("redeem", (SHOP, None, bill()), {}, "code"),
        ("undo_redemption", (SHOP, 7), {"event": "S-1", "at": AT}, "redemption"),
        ("void", (SHOP, 7), {"event": "V-1", "at": AT}, "coupon"),
        ("coupon", ("acme", 7), {}, "code"),
    ],
)
def test_an_argument_that_cannot_be_read_is_named(
    caller: Caller, name: str, given: Any, named: Any, argument: str
) -> None:
    with pytest.raises(InvalidValueError) as error:
        caller.call(name, *given, **named)

    assert error.value.name == argument
    assert caller.ledger.executed == []
