"""A ledger in one file: a journal with one line a transaction, written to the disk before the operation returns.

Decisions are pure: the same operation on the same history has the same result. So the journal stores the arguments of
each operation, its program and its receipts. Opening the journal repeats every operation; it fails if a receipt differs
from the recorded one. The library's ledger in memory answers queries. Only one process at a time can open the file.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar

import loyalty_rules as lr
from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.keys import action_key, coupon_key, event_key, issue_key
from loyalty_rules.ledger import (
    Balance,
    Entry,
    EventReceipt,
    ExpireReceipt,
    MemoryLedger,
    Receipt,
    RedeemReceipt,
    ReportRows,
    SaleReceipt,
    SettleReceipt,
    SpendReceipt,
    UndoRedemptionReceipt,
    UndoSpendReceipt,
    VoidReceipt,
)
from loyalty_rules.lifecycle import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator, SerialRequest

JournalEntry = dict[str, Any]
R = TypeVar("R", bound=Receipt)


class JournalDiffersError(Exception):
    """An operation of the journal whose receipts differ from the recorded ones when it is repeated."""


class JournalLedger:
    """A ledger whose history is the file at `path`: see `loyalty_rules.ledger.Ledger` for its operations."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b", buffering=0)
        self._open: list[JournalEntry] = []  # recorded by the current transaction so far
        self._depth = 0
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError if another process has it
            self.reload()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file and release its lock."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the journal -------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the journal and repeat its operations; drop a last line that a crash cut off."""
        self._memory = MemoryLedger()
        self._programs: dict[str, Program] = {}
        self._file.seek(0)
        text = self._file.read()
        whole = text.rfind(b"\n") + 1
        self._file.truncate(whole)
        for number, line in enumerate(text[:whole].splitlines(), 1):
            transaction = json.loads(line)
            self._programs |= {name: lr.load_program(each) for name, each in transaction["programs"].items()}
            for entry in transaction["entries"]:
                if self._repeated(entry) != entry["receipts"]:
                    raise JournalDiffersError(f"line {number}: {entry['operation']} has other receipts than recorded")

    def _repeated(self, entry: JournalEntry) -> list[Any]:
        program, serials = self._programs[entry["program"]], _Recorded(entry["receipts"])
        receipts = _OPERATIONS[entry["operation"]](self._memory, program, serials, **entry["arguments"])
        return _recorded(receipts)

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Join several operations in one transaction: an error that leaves the block rolls all of them back."""
        with self._memory.transaction():  # takes its lock, and rolls back on an error
            before, self._depth = len(self._open), self._depth + 1
            try:
                yield self
                if self._depth == 1:
                    self._write()
            except BaseException:
                del self._open[before:]
                raise
            finally:
                self._depth -= 1

    def _write(self) -> None:
        """Write the transaction to the disk as one line; an incomplete line is removed again."""
        if not self._open:
            return
        known = {name: lr.dump(self._programs[name]) for name in {entry["program"] for entry in self._open}}
        line = json.dumps({"programs": known, "entries": self._open}, ensure_ascii=False).encode() + b"\n"
        end = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError("the line was not written completely")
            os.fsync(self._file.fileno())
        except BaseException:
            self._file.truncate(end)
            raise
        self._open.clear()

    def _do(
        self, kind: type[R], operation: str, program: Program, serials: SerialGenerator | None = None, **arguments: Any
    ) -> list[R]:
        """Run an operation with arguments in the form of the journal, and note it if it recorded anything."""
        with self.transaction():
            receipts = _OPERATIONS[operation](self._memory, program, serials, **arguments)
            if recorded := _recorded(receipts):
                self._programs[program.version] = program
                self._open.append(
                    {
                        "operation": operation,
                        "program": program.version,
                        "arguments": arguments,
                        "receipts": recorded,
                    }
                )
        return [each for each in receipts if isinstance(each, kind)]

    # -- operations --------------------------------------------------------------------------------------------------

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> SaleReceipt:
        """Record an evaluation once."""
        basis = evaluation.basis
        program, event, snapshot = basis.program, basis.event, basis.snapshot
        serials = _Recorded([lr.dump(evaluation)])
        arguments = {"event": lr.dump(event), "snapshot": lr.dump(snapshot), "recorded_at": _text(recorded_at)}
        return self._do(SaleReceipt, "record", program, serials, **arguments)[0]

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> EventReceipt:
        """Decide and record any event."""
        arguments = {"event": lr.dump(event), "recorded_at": _text(recorded_at)}
        receipt = self._do(Receipt, "process", program, serials, **arguments)[0]
        assert isinstance(receipt, EventReceipt)
        return receipt

    def settle(self, program: Program, at: datetime) -> Sequence[SettleReceipt]:
        """Settle the promises that are due."""
        return self._do(SettleReceipt, "settle", program, at=at.isoformat())

    def spend(
        self,
        program: Program,
        account: Account,
        member: str,
        currency: str,
        amount: Decimal,
        *,
        event: str,
        at: datetime,
    ) -> SpendReceipt:
        """Spend from an account."""
        return self._do(
            SpendReceipt,
            "spend",
            program,
            account=[account.kind, account.id],
            member=member,
            currency=currency,
            amount=str(amount),
            event=event,
            at=at.isoformat(),
        )[0]

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> UndoSpendReceipt:
        """Undo a spend, once."""
        return self._do(UndoSpendReceipt, "undo_spend", program, key=spend, event=event, at=at.isoformat())[0]

    def redeem(self, program: Program, code: str, transaction: Transaction) -> RedeemReceipt:
        """Redeem a coupon."""
        return self._do(RedeemReceipt, "redeem", program, code=code, transaction=lr.dump(transaction))[0]

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> UndoRedemptionReceipt:
        """Undo a redemption, once."""
        return self._do(
            UndoRedemptionReceipt, "undo_redemption", program, key=redemption, event=event, at=at.isoformat()
        )[0]

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> VoidReceipt:
        """Void a coupon."""
        return self._do(VoidReceipt, "void", program, key=coupon, event=event, at=at.isoformat())[0]

    def expire(self, program: Program, at: datetime) -> Sequence[ExpireReceipt]:
        """Record the expiries."""
        return self._do(ExpireReceipt, "expire", program, at=at.isoformat())

    # -- queries -----------------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event."""
        return self._memory.snapshot(program, event)

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account."""
        return self._memory.balance(program, account, currency, at)

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return the lots of an account."""
        return self._memory.lots(program, account, currency, at)

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Return the open promises."""
        return self._memory.promises(program, at)

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account."""
        return self._memory.statement(program, account, at)

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Return a coupon by its serial."""
        return self._memory.coupon(program, code)

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member."""
        return self._memory.coupons(program, member)

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Return the rows of the reports."""
        return self._memory.report_rows(program, at)

    def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants."""
        return self._memory.check_invariants()


# -- operations in the form of the journal ----------------------------------------------------------------------------


class _Recorded:
    """The recorded serials: repeating an operation generates no new ones. A coupon refused by a cap has none."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        intents = [intent for document in documents for intent in document["intents"]]
        self._serials = {intent["key"]: intent["serial"] for intent in intents if intent["type"] == IssueCoupon.type}

    def serial(self, request: SerialRequest) -> str:
        """Return the recorded serial of a coupon."""
        event, action = event_key(request.program, request.event), action_key(request.promotion, request.action)
        key = coupon_key(issue_key(event, action), request.ordinal)
        return self._serials.get(key) or f"refused {key}"


def _recorded(receipts: Iterable[Receipt]) -> list[Any]:
    """Return the receipts with status `recorded` as documents."""
    return [lr.dump(receipt) for receipt in receipts if receipt.status == "recorded"]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def _evaluated(program: Program, serials: Any, event: Any, snapshot: Any) -> Evaluation:
    return program.evaluate(lr.load_event(event), lr.load_snapshot(snapshot), serials=serials)


Operation = Callable[..., Sequence[Receipt]]

_OPERATIONS: Mapping[str, Operation] = {
    "record": lambda memory, program, serials, event, snapshot, recorded_at: [
        memory.record(_evaluated(program, serials, event, snapshot), recorded_at=_at(recorded_at))
    ],
    "process": lambda memory, program, serials, event, recorded_at: [
        memory.process(program, lr.load_event(event), serials=serials, recorded_at=_at(recorded_at))
    ],
    "settle": lambda memory, program, _, at: memory.settle(program, _at(at)),
    "spend": lambda memory, program, _, account, member, currency, amount, event, at: [
        memory.spend(program, Account(*account), member, currency, Decimal(amount), event=event, at=_at(at))
    ],
    "undo_spend": lambda memory, program, _, key, event, at: [memory.undo_spend(program, key, event=event, at=_at(at))],
    "redeem": lambda memory, program, _, code, transaction: [memory.redeem(program, code, lr.load_event(transaction))],
    "undo_redemption": lambda memory, program, _, key, event, at: [
        memory.undo_redemption(program, key, event=event, at=_at(at))
    ],
    "void": lambda memory, program, _, key, event, at: [memory.void(program, key, event=event, at=_at(at))],
    "expire": lambda memory, program, _, at: memory.expire(program, _at(at)),
}
