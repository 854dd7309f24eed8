"""One shop, three ledgers: whatever program runs and whatever happens, memory, SQLite and PostgreSQL say the same.

Programs, and what happens under them, are drawn by the strategies of the testing kit; what a host does besides
(settle, expire, spend, redeem, undo, void, send again) is drawn here, and put in between. `LOYALTY_EXAMPLES` asks for
so many shops.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

import loyalty_rules as lr
from loyalty_rules.intents import IssueCoupon, RedeemCoupon, SpendCurrency
from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.ledger.protocol import IdempotencyConflict, Ledger, Receipt
from loyalty_rules.lifecycle import Account, Lot
from loyalty_rules.testing import strategies as kit
from loyalty_rules.testing.ledgers.facts.till import SERIALS

from .emptied import TABLES, emptied
from .servers import Server

SHOPS = int(os.environ.get("LOYALTY_EXAMPLES", 300 if os.environ.get("LOYALTY_DEEP") else 25))


# -- what happens ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Step:
    """Something that happens in the shop; `which` says of which of those that there are, counted round."""

    what: str
    which: int
    event: dict[str, Any] | None = None
    amount: str = "0"


@st.composite
def steps(draw: st.DrawFn, program: lr.Program) -> list[Step]:
    """Give a history of a shop, and between its events what its host does."""
    history = draw(kit.histories(program, most_events=8))
    host = st.builds(
        Step, st.sampled_from([*HOST]), st.integers(0, 9), amount=st.sampled_from(["0.01", "1", "5", "100"])
    )
    taken: list[Step] = []
    for event in history:
        taken.append(Step("process", 0, event))
        taken += draw(st.lists(host, max_size=3))
    return taken


class Shop:
    """A shop with one of the ledgers: does what happens, and notes what came of it."""

    def __init__(self, ledger: Ledger, program: lr.Program) -> None:
        self.ledger = ledger
        self.program = program
        self.now = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
        self.receipts: list[Receipt] = []
        self.said: list[object] = []
        self.accounts: dict[Account, None] = {}
        self.again: list[Callable[[], Receipt]] = []

    def do(self, step: Step, number: int) -> None:
        """Do a step; note its receipts, or the field that a conflict names."""
        try:
            self.said.append(
                HOST[step.what](self, step, f"H{number}") if step.event is None else self.process(step.event)
            )
        except IdempotencyConflict as conflict:
            self.said.append((conflict.field, conflict.recorded, conflict.given))

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
        self.again.append(work)
        return receipt

    def intents(self, kind: type) -> list[Any]:
        return [intent for receipt in self.receipts for intent in receipt.intents if isinstance(intent, kind)]

    def send_again(self, step: Step, name: str) -> object:
        return self.again[step.which % len(self.again)]() if self.again else None

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
        made = self.intents(SpendCurrency)
        if not made:
            return None
        key, at = made[step.which % len(made)].key, self.now
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
        made = self.intents(RedeemCoupon)
        if not made:
            return None
        key, at = made[step.which % len(made)].key, self.now
        return self.record(lambda: self.ledger.undo_redemption(self.program, key, event=name, at=at))

    def void(self, step: Step, name: str) -> object:
        coupons = self.intents(IssueCoupon)
        if not coupons:
            return None
        key, at = coupons[step.which % len(coupons)].key, self.now
        return self.record(lambda: self.ledger.void(self.program, key, event=name, at=at))

    def dump(self) -> dict[str, object]:
        """All that the ledger says: of every account, promise and coupon, as of now and of an instant halfway."""
        ledger, name = self.ledger, self.program.id
        halfway = min(self.now, datetime.fromisoformat("2025-02-01T00:00:00+00:00"))
        said: dict[str, object] = {"receipts": self.said}
        for at in (halfway, self.now):
            report = ledger.report_rows(name, at)
            said[f"promises at {at}"] = unnumbered(ledger.promises(name, at))
            said[f"report at {at}"] = [unnumbered(each.lot for each in report.lots), attrs.evolve(report, lots=())]
            said[f"entries at {at}"] = [(each.store, each.entries) for each in report.lots]
            for account in self.accounts:
                said[f"statement of {account} at {at}"] = [*ledger.statement(name, account, at)]
                for currency in self.program.currencies:
                    said[f"{currency.id} of {account} at {at}"] = (
                        ledger.balance(name, account, currency.id, at),
                        unnumbered(ledger.lots(name, account, currency.id, at)),
                    )
        said["coupons"] = [[*ledger.coupons(name, each.id)] for each in self.accounts]
        said["found"] = [ledger.coupon(name, each.serial or each.code or "") for each in self.intents(IssueCoupon)]
        said["wrong"] = [*ledger.check_invariants()]
        return said


def unnumbered(lots: Iterable[Lot]) -> list[Lot]:
    """Give lots in their order without the numbers that say it: each store has its own."""
    return [attrs.evolve(lot, order=0) for lot in lots]


HOST: dict[str, Callable[[Shop, Step, str], object]] = {
    "settle": Shop.settle,
    "expire": Shop.expire,
    "spend": Shop.spend,
    "redeem": Shop.redeem,
    "void": Shop.void,
    "undo_spend": Shop.undo_spend,
    "undo_redemption": Shop.undo_redemption,
    "send_again": Shop.send_again,
}


def dumped(ledger: Ledger, program: lr.Program, happens: Sequence[Step]) -> dict[str, object]:
    shop = Shop(ledger, program)
    for number, step in enumerate(happens):
        shop.do(step, number)
    return shop.dump()


# -- the three -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ledgers(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], list[SQLLedger]]]:
    """Gives an empty ledger in each database."""
    path: Path = tmp_path_factory.mktemp("alike") / "shop.db"
    engines = [create_engine(f"sqlite:///{path}"), create_engine(postgres.new_database())]
    for engine in engines:
        SQLLedger(engine, tables=TABLES).create_all()
    yield lambda: [emptied(engine) for engine in engines]
    for engine in engines:
        engine.dispose()


@settings(max_examples=SHOPS, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.data())
def test_whatever_happens_all_three_say_the_same(ledgers: Callable[[], list[SQLLedger]], data: st.DataObject) -> None:
    program = lr.load_program(data.draw(kit.programs()))
    happens = data.draw(steps(program))
    expected = dumped(MemoryLedger(SERIALS), program, happens)
    assert expected["wrong"] == []
    for ledger in ledgers():
        found = dumped(ledger, program, happens)
        assert found.keys() == expected.keys()
        for name in expected:
            assert found[name] == expected[name], name
