"""The three ledgers are alike: in memory, SQLite and PostgreSQL, any history has the same results.

The strategies of the testing kit draw programs and the events of a history. The other operations of a host (settle,
expire, spend, redeem, undo, void, retry) are drawn here, and inserted between the events. `LOYALTY_EXAMPLES` is the
number of histories.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

import loyalty_rules as lr
from loyalty_rules.intents import IssueCoupon, RedeemCoupon, SpendCurrency
from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.ledger.errors import IdempotencyConflict
from loyalty_rules.ledger.protocol import Ledger
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.reports import issuance
from loyalty_rules.lifecycle import Account, Lot
from loyalty_rules.testing import strategies as kit
from loyalty_rules.testing.ledgers.facts.till import SERIALS

from .empty_ledgers import TABLES, SQLiteTemplate, emptied
from .servers import Server

DIMENSIONS_TOGETHER: list[list[Any]] = [
    [],
    ["day", "promotion", "store", "redeemed_store"],
    ["issued_week", "member", "tier", "channel", "redeemed_member"],
]
HISTORIES = int(os.environ.get("LOYALTY_EXAMPLES", 300 if os.environ.get("LOYALTY_DEEP") else 25))


# -- histories -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Step:
    """An operation or an event; `which` selects one of the existing objects, modulo their number."""

    what: str
    which: int
    event: dict[str, Any] | None = None
    amount: str = "0"


@st.composite
def steps(draw: st.DrawFn, program: lr.Program) -> list[Step]:
    """Draw the events of a history, with other operations of the host between them."""
    history = draw(kit.histories(program, most_events=8))
    host = st.builds(
        Step, st.sampled_from([*HOST]), st.integers(0, 9), amount=st.sampled_from(["0.01", "1", "5", "100"])
    )
    drawn: list[Step] = []
    for event in history:
        drawn.append(Step("process", 0, event))
        drawn += draw(st.lists(host, max_size=3))
    return drawn


class Shop:
    """A shop with one of the ledgers: it runs the steps, and keeps their results."""

    def __init__(self, ledger: Ledger, program: lr.Program) -> None:
        self.ledger = ledger
        self.program = program
        self.now = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
        self.receipts: list[Receipt] = []
        self.results: list[object] = []
        self.accounts: dict[Account, None] = {}
        self.operations: list[Callable[[], Receipt]] = []

    def do(self, step: Step, number: int) -> None:
        """Run a step; keep its receipts, or the field that a conflict names."""
        try:
            self.results.append(
                HOST[step.what](self, step, f"H{number}") if step.event is None else self.process(step.event)
            )
        except IdempotencyConflict as conflict:
            self.results.append((conflict.field, conflict.recorded, conflict.given))

    def process(self, document: dict[str, Any]) -> Receipt:
        event: Any = lr.load_event(document)
        self.now = max(self.now, event.occurred_at)
        member = getattr(event, "member", None)
        if member is not None:
            self.accounts[Account("member", member.id)] = None
            if member.group is not None:
                self.accounts[Account("group", member.group)] = None
        return self.record(lambda: self.ledger.process(self.program, event, serials=SERIALS))

    def record(self, work: Callable[[], Receipt]) -> Receipt:
        receipt = work()
        self.receipts.append(receipt)
        self.operations.append(work)
        return receipt

    def intents(self, kind: type) -> list[Any]:
        return [intent for receipt in self.receipts for intent in receipt.intents if isinstance(intent, kind)]

    def retry(self, step: Step, name: str) -> object:
        return self.operations[step.which % len(self.operations)]() if self.operations else None

    def settle(self, step: Step, name: str) -> object:
        self.now += timedelta(days=step.which)
        return [*self.ledger.settle(self.program, self.now)]

    def expire(self, step: Step, name: str) -> object:
        self.now += timedelta(days=10 * step.which)
        return [*self.ledger.expire(self.program, self.now)]

    def spend(self, step: Step, name: str) -> object:
        accounts, currencies = [*self.accounts], [each.id for each in self.program.currencies]
        if not accounts:
            return None
        account, currency = accounts[step.which % len(accounts)], currencies[step.which % len(currencies)]
        amount, at = Decimal(step.amount), self.now
        spend = self.ledger.spend
        return self.record(lambda: spend(self.program, account, account.id, currency, amount, event=name, at=at))

    def undo_spend(self, step: Step, name: str) -> object:
        spends = self.intents(SpendCurrency)
        if not spends:
            return None
        key, at = spends[step.which % len(spends)].key, self.now
        return self.record(lambda: self.ledger.undo_spend(self.program, key, event=name, at=at))

    def redeem(self, step: Step, name: str) -> object:
        coupons = self.intents(IssueCoupon)
        if not coupons:
            return None
        coupon = coupons[step.which % len(coupons)]
        member = {"id": coupon.member} if coupon.member is not None else None
        document = {"type": "transaction", "id": name, "occurred_at": self.now.isoformat(), "amount": "100"}
        bill: Any = lr.load_event({**document, "member": member})
        code = coupon.serial or coupon.code or ""
        return self.record(lambda: self.ledger.redeem(self.program, code, bill))

    def undo_redemption(self, step: Step, name: str) -> object:
        redemptions = self.intents(RedeemCoupon)
        if not redemptions:
            return None
        key, at = redemptions[step.which % len(redemptions)].key, self.now
        return self.record(lambda: self.ledger.undo_redemption(self.program, key, event=name, at=at))

    def void(self, step: Step, name: str) -> object:
        coupons = self.intents(IssueCoupon)
        if not coupons:
            return None
        key, at = coupons[step.which % len(coupons)].key, self.now
        return self.record(lambda: self.ledger.void(self.program, key, event=name, at=at))

    def dump(self) -> dict[str, object]:
        """Return the results of all queries, as of now and as of an instant halfway."""
        ledger, name = self.ledger, self.program.id
        halfway = min(self.now, datetime.fromisoformat("2025-02-01T00:00:00+00:00"))
        dumped: dict[str, object] = {"receipts": self.results}
        for at in (halfway, self.now):
            report = ledger.report_rows(name, at)
            dumped[f"promises at {at}"] = unnumbered(ledger.promises(name, at))
            for by in DIMENSIONS_TOGETHER:
                sums = ledger.issuance(self.program, at, by)
                assert sums == issuance(self.program, report, by), (at, by)
                dumped[f"issuance at {at} by {by}"] = sums
            dumped[f"report at {at}"] = [unnumbered(each.lot for each in report.lots), attrs.evolve(report, lots=())]
            dumped[f"entries at {at}"] = [(each.lot.store, each.entries) for each in report.lots]
            for account in self.accounts:
                dumped[f"statement of {account} at {at}"] = [*ledger.statement(name, account, at)]
                for currency in self.program.currencies:
                    dumped[f"{currency.id} of {account} at {at}"] = (
                        ledger.balance(name, account, currency.id, at),
                        unnumbered(ledger.lots(name, account, currency.id, at)),
                    )
        dumped["coupons"] = [[*ledger.coupons(name, each.id)] for each in self.accounts]
        dumped["coupon by code"] = [
            ledger.coupon(name, each.serial or each.code or "") for each in self.intents(IssueCoupon)
        ]
        dumped["violations"] = [*ledger.check_invariants()]
        return dumped


def unnumbered(lots: Iterable[Lot]) -> list[Lot]:
    """Return lots in their order, without the order numbers, which differ between the ledgers."""
    return [attrs.evolve(lot, order=0) for lot in lots]


HOST: dict[str, Callable[[Shop, Step, str], object]] = {
    "settle": Shop.settle,
    "expire": Shop.expire,
    "spend": Shop.spend,
    "redeem": Shop.redeem,
    "void": Shop.void,
    "undo_spend": Shop.undo_spend,
    "undo_redemption": Shop.undo_redemption,
    "retry": Shop.retry,
}


def dump_of(ledger: Ledger, program: lr.Program, history: Sequence[Step]) -> dict[str, object]:
    shop = Shop(ledger, program)
    for number, step in enumerate(history):
        shop.do(step, number)
    return shop.dump()


# -- the three ledgers -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ledgers(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], list[SQLLedger]]]:
    """Yield a function that returns an empty ledger in each database."""
    engine = create_engine(postgres.new_database())
    SQLLedger(engine, tables=TABLES).create_all()
    with closing(SQLiteTemplate(tmp_path_factory.mktemp("alike"))) as template:
        yield lambda: [template.new_ledger(), emptied(engine)]
    engine.dispose()


@settings(max_examples=HISTORIES, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.data())
def test_any_history_has_the_same_results_in_all_three_ledgers(
    ledgers: Callable[[], list[SQLLedger]], data: st.DataObject
) -> None:
    program = lr.load_program(data.draw(kit.programs()))
    history = data.draw(steps(program))
    expected = dump_of(MemoryLedger(SERIALS), program, history)
    assert expected["violations"] == []
    for ledger in ledgers():
        actual = dump_of(ledger, program, history)
        assert actual.keys() == expected.keys()
        for name in expected:
            assert actual[name] == expected[name], name
