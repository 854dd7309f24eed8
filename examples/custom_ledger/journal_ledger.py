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
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.keys import action_key, coupon_key, event_key, issue_key
from loyalty_rules.ledger import LedgerMethods, MemoryLedger, Operation, Queries, Receipt, operations
from loyalty_rules.lifecycle import Account, CouponRecord, Hold, Lot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialRequest

JournalEntry = dict[str, Any]
R = TypeVar("R", bound=Receipt)
T = TypeVar("T")


class JournalDiffersError(Exception):
    """An operation of the journal whose receipts differ from the recorded ones when it is repeated."""


class JournalLedger(LedgerMethods):
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
                if self._repeated(entry) != entry["receipt"]:
                    raise JournalDiffersError(f"line {number}: {entry['operation']} has another receipt than recorded")

    def _repeated(self, entry: JournalEntry) -> Any:
        program, serials = self._programs[entry["program"]], _Recorded(entry["receipt"])
        kind = getattr(operations, entry["operation"])
        arguments = {name: self._argument(name, each, entry) for name, each in entry["arguments"].items()}
        if kind is operations.Record:
            basis = arguments["evaluation"]
            snapshot = lr.load_snapshot(basis["snapshot"])
            arguments["evaluation"] = program.evaluate(lr.load_event(basis["event"]), snapshot, serials=serials)
        else:
            arguments["program"] = program
        if kind is operations.Sell:
            arguments["serials"] = serials
        return lr.dump(self._memory.execute(kind(**arguments)))

    def _argument(self, name: str, written: Any, entry: JournalEntry) -> Any:
        """Return an argument in the form of the journal as the value that an operation takes."""
        match name:
            case "at" | "recorded_at":
                return datetime.fromisoformat(written)
            case "account":
                return Account(**written)
            case "transaction":
                return lr.load_event(written)
            case "event" if isinstance(written, Mapping):
                return lr.load_event(written)
            case "promise" | "expired":
                at, program = datetime.fromisoformat(entry["arguments"]["at"]), self._programs[entry["program"]]
                found: Iterable[Lot | CouponRecord | Hold] = self._memory.read(
                    lambda to: to.due(program, at) if name == "promise" else to.expired(program, at)
                )
                return next(each for each in found if each.key == written)
        return written

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

    # -- operations and queries --------------------------------------------------------------------------------------

    def execute(self, operation: Operation[R]) -> R:
        """Execute an operation in memory, and note it if it recorded anything."""
        with self.transaction():
            receipt = self._memory.execute(operation)
            if receipt.status == "recorded":
                self._programs[operation.program.version] = operation.program
                self._open.append(
                    {
                        "operation": type(operation).__name__,
                        "program": operation.program.version,
                        "arguments": _arguments_of(operation),
                        "receipt": lr.dump(receipt),
                    }
                )
        return receipt

    def read(self, query: Callable[[Queries], T]) -> T:
        """Run a read-only query."""
        return self._memory.read(query)

    def check_invariants(self) -> Sequence[str]:
        """Return the violated invariants."""
        return self._memory.check_invariants()


# -- the form of the journal ------------------------------------------------------------------------------------------


class _Recorded:
    """The recorded serials: repeating an operation generates no new ones. A coupon refused by a cap has none."""

    def __init__(self, receipt: Mapping[str, Any]) -> None:
        coupons = [intent for intent in receipt["intents"] if intent["type"] == IssueCoupon.type]
        self._serials = {intent["key"]: intent["serial"] for intent in coupons}

    def serial(self, request: SerialRequest) -> str:
        """Return the recorded serial of a coupon."""
        event, action = event_key(request.program, request.event), action_key(request.promotion, request.action)
        key = coupon_key(issue_key(event, action), request.ordinal)
        return self._serials.get(key) or f"refused {key}"


def _arguments_of(operation: Operation[Receipt]) -> dict[str, Any]:
    """Return the arguments of an operation in the form of the journal, without its program and its serials."""
    arguments = operation.arguments().items()
    return {name: _written(value) for name, value in arguments if name not in ("program", "serials")}


def _written(value: Any) -> Any:
    match value:
        case str():
            return value
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case Lot() | CouponRecord() | Hold():
            return value.key
        case Evaluation(basis=basis):
            return {"event": lr.dump(basis.event), "snapshot": lr.dump(basis.snapshot)}
    return lr.dump(value)
