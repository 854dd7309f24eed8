"""A ledger in one file: a journal of what was recorded, a line a transaction, each on the disk before it is answered.

Decisions are pure: the same operation on the same history decides the same. So the journal holds each operation as it
was asked, the program that it was decided under, and what came of it; when it is opened everything is done again, and
where that does not come out as it was recorded, the journal refuses to open. What is asked in between is answered by
the library's ledger in memory. One process at a time has the file.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import loyalty_rules as lr
from loyalty_rules.events import Event, Snapshot, Transaction
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.keys import action_key, coupon_key, event_key, issue_key
from loyalty_rules.ledger import Balance, Entry, MemoryLedger, Receipt, ReportRows
from loyalty_rules.lifecycle import Account, CouponRecord, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator, SerialRequest

JournalEntry = dict[str, Any]


class JournalDiffersError(Exception):
    """An operation of the journal, done again, does not come out as it was recorded."""


class JournalLedger:
    """A ledger whose history is the file at `path`: see `loyalty_rules.ledger.Ledger` for what each operation does."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b", buffering=0)
        self._open: list[JournalEntry] = []  # what the transaction under way has recorded so far
        self._depth = 0
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError where another process has it
            self.reload()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process have the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the journal -------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the journal and do everything again; a last line that a crash cut off was never answered, and goes."""
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
                if self._done_again(entry) != entry["receipts"]:
                    raise JournalDiffersError(f"line {number}: {entry['operation']} is not decided as it was recorded")

    def _done_again(self, entry: JournalEntry) -> list[Any]:
        program, serials = self._programs[entry["program"]], _Recorded(entry["receipts"])
        receipts = _OPERATIONS[entry["operation"]](self._memory, program, serials, **entry["arguments"])
        return _recorded(receipts)

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Make several operations one: all are recorded or, where an error leaves the block, none."""
        with self._memory.transaction():  # takes its lock, and takes everything back where an error leaves
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
        """Put the transaction on the disk as one line; what can't be written whole is not written."""
        if not self._open:
            return
        known = {name: lr.dump(self._programs[name]) for name in {entry["program"] for entry in self._open}}
        line = json.dumps({"programs": known, "entries": self._open}, ensure_ascii=False).encode() + b"\n"
        end = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError("the journal was not written whole")
            os.fsync(self._file.fileno())
        except BaseException:
            self._file.truncate(end)
            raise
        self._open.clear()

    def _do(
        self, operation: str, program: Program, serials: SerialGenerator | None = None, **arguments: Any
    ) -> Sequence[Receipt]:
        """Do an operation from its arguments as the journal holds them, and note it down if it recorded anything."""
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
        return receipts

    # -- what is recorded --------------------------------------------------------------------------------------------

    def record(self, evaluation: Evaluation, *, recorded_at: datetime | None = None) -> Receipt:
        """Record an evaluation once."""
        basis = evaluation.basis
        program, event, snapshot = basis.program, basis.event, basis.snapshot
        serials = _Recorded([lr.dump(evaluation)])
        arguments = {"event": lr.dump(event), "snapshot": lr.dump(snapshot), "recorded_at": _text(recorded_at)}
        return self._do("record", program, serials, **arguments)[0]

    def process(
        self,
        program: Program,
        event: Event,
        *,
        serials: SerialGenerator | None = None,
        recorded_at: datetime | None = None,
    ) -> Receipt:
        """Decide and record any event."""
        return self._do("process", program, serials, event=lr.dump(event), recorded_at=_text(recorded_at))[0]

    def settle(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Release the promises that are due."""
        return self._do("settle", program, at=at.isoformat())

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
    ) -> Receipt:
        """Spend from an account."""
        return self._do(
            "spend",
            program,
            account=[account.kind, account.id],
            member=member,
            currency=currency,
            amount=str(amount),
            event=event,
            at=at.isoformat(),
        )[0]

    def undo_spend(self, program: Program, spend: str, *, event: str, at: datetime) -> Receipt:
        """Undo a spend, once."""
        return self._do("undo_spend", program, key=spend, event=event, at=at.isoformat())[0]

    def redeem(self, program: Program, code: str, transaction: Transaction) -> Receipt:
        """Redeem a coupon."""
        return self._do("redeem", program, code=code, transaction=lr.dump(transaction))[0]

    def undo_redemption(self, program: Program, redemption: str, *, event: str, at: datetime) -> Receipt:
        """Undo a redemption, once."""
        return self._do("undo_redemption", program, key=redemption, event=event, at=at.isoformat())[0]

    def void(self, program: Program, coupon: str, *, event: str, at: datetime) -> Receipt:
        """Void a coupon."""
        return self._do("void", program, key=coupon, event=event, at=at.isoformat())[0]

    def expire(self, program: Program, at: datetime) -> Sequence[Receipt]:
        """Write down what time has done."""
        return self._do("expire", program, at=at.isoformat())

    # -- what is asked -----------------------------------------------------------------------------------------------

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Read the counters and trackers of an event."""
        return self._memory.snapshot(program, event)

    def balance(self, program: str, account: Account, currency: str, at: datetime) -> Balance:
        """Give what an account has."""
        return self._memory.balance(program, account, currency, at)

    def lots(self, program: str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Give an account's lots."""
        return self._memory.lots(program, account, currency, at)

    def promises(self, program: str, at: datetime) -> Sequence[Lot]:
        """Give the open promises."""
        return self._memory.promises(program, at)

    def statement(self, program: str, account: Account, at: datetime) -> Sequence[Entry]:
        """Give every entry of an account."""
        return self._memory.statement(program, account, at)

    def coupon(self, program: str, code: str) -> CouponRecord | None:
        """Find a coupon by its serial."""
        return self._memory.coupon(program, code)

    def coupons(self, program: str, member: str) -> Sequence[CouponRecord]:
        """Give the coupons of a member."""
        return self._memory.coupons(program, member)

    def report_rows(self, program: str, at: datetime) -> ReportRows:
        """Give what the reports are made of."""
        return self._memory.report_rows(program, at)

    def check_invariants(self) -> Sequence[str]:
        """Say what does not hold of all that must always hold."""
        return self._memory.check_invariants()


# -- operations as the journal holds them ----------------------------------------------------------------------------


class _Recorded:
    """The serials that were recorded: the journal makes no new ones. One that a cap refused was never seen."""

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        intents = [intent for document in documents for intent in document["intents"]]
        self._serials = {intent["key"]: intent["serial"] for intent in intents if intent["type"] == IssueCoupon.type}

    def serial(self, request: SerialRequest) -> str:
        """Give the serial of one coupon."""
        event, action = event_key(request.program, request.event), action_key(request.promotion, request.action)
        key = coupon_key(issue_key(event, action), request.ordinal)
        return self._serials.get(key) or f"refused {key}"


def _recorded(receipts: Iterable[Receipt]) -> list[Any]:
    """Give those that recorded something, as the journal holds them: texts, lists, objects."""
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
