"""A till with a ledger in memory, and what is recorded there: what the laws look at."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import attrs

from loyalty_rules.events import Activity, Snapshot, Transaction
from loyalty_rules.intents import CancelPromise, Intent, IssueCoupon, IssueCurrency, ReverseCurrency, VoidCoupon
from loyalty_rules.keys import action_key
from loyalty_rules.ledger import MemoryLedger
from loyalty_rules.loading import load_event
from loyalty_rules.program import Program
from loyalty_rules.testing.named_serials import NamedSerials
from loyalty_rules.testing.strategies.scalars import Document
from loyalty_rules.testing.till_receipts import till_receipt
from loyalty_rules.values.amounts import MICRO, micros, micros_text

__all__ = ["Books", "Entry", "amount_of", "name_of", "told_amounts"]

_NO_FACTS = Snapshot()


@attrs.frozen
class Entry:
    """An event, as a document and as a value, and what was recorded of it."""

    document: Document
    event: Any
    intents: tuple[Intent, ...]

    def issues(self) -> list[IssueCurrency | IssueCoupon]:
        return [intent for intent in self.intents if isinstance(intent, (IssueCurrency, IssueCoupon))]

    def slip(self) -> str:
        return till_receipt(self.document, self.intents)


class Books:
    """Records events one after the other into an empty ledger."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ledger = MemoryLedger()
        self.entries: list[Entry] = []

    @classmethod
    def of(cls, program: Program, events: Iterable[Document]) -> "Books":
        """Record these events, and settle what is due before each."""
        books = cls(program)
        for event in events:
            books.record(event)
        return books

    def record(self, document: Document) -> Entry:
        event = load_event(document)
        self.ledger.settle(self.program, event.occurred_at)
        receipt = self.ledger.process(self.program, event, serials=NamedSerials())
        entry = Entry(document, event, receipt.intents)
        self.entries.append(entry)
        return entry

    def earned(self, actions: Iterable[str]) -> dict[str, int]:
        """Sum what was issued or promised of these actions (`PROMOTION/ACTION`), by currency and coupon type."""
        of = set(actions)
        sums: dict[str, int] = {}
        for intent in self.issues():
            if action_key(intent.promotion, intent.action) in of:
                name = name_of(intent)
                sums[name] = sums.get(name, 0) + amount_of(intent)
        return sums

    def issues(self) -> list[IssueCurrency | IssueCoupon]:
        return [issue for entry in self.entries for issue in entry.issues()]

    def kept(self) -> dict[str, int]:
        """Give what is left of each issue, by its key: what was issued less what returns and cancellations took."""
        left = {intent.key: amount_of(intent) for intent in self.issues()}
        for entry in self.entries:
            for intent in entry.intents:
                match intent:
                    case ReverseCurrency():
                        left[intent.issue] -= micros(intent.amount)
                    case CancelPromise():
                        left[intent.promise] -= micros(intent.amount)
                    case VoidCoupon():
                        left[intent.coupon] = 0
                    case _:
                        continue
        return left

    def day_of(self, event: Transaction | Activity) -> date:
        """Give the local date that a sale or an activity counts for."""
        return self.program.plan.facts(event, _NO_FACTS).event_on

    def slips(self) -> tuple[str, ...]:
        return tuple(entry.slip() for entry in self.entries)

    def receipts(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(entry.document for entry in self.entries)


def amount_of(issue: IssueCurrency | IssueCoupon) -> int:
    """Give what an issue comes to in millionths; a coupon is one."""
    return micros(issue.amount) if isinstance(issue, IssueCurrency) else MICRO


def name_of(issue: IssueCurrency | IssueCoupon) -> str:
    """Name what is issued: the currency, or `coupons TYPE`."""
    return issue.currency if isinstance(issue, IssueCurrency) else f"coupons {issue.coupon_type}"


def told_amounts(sums: Mapping[str, int]) -> str:
    """Tell amounts by currency or coupon type: `2 points and 1 coupon gift`."""
    return " and ".join(_told(name, amount) for name, amount in sorted(sums.items()))


def _told(name: str, amount: int) -> str:
    if amount == MICRO:
        name = name.replace("coupons ", "coupon ") if name.startswith("coupons ") else _one(name)
    return f"{micros_text(amount)} {name}"


def _one(currency: str) -> str:
    return currency[:-1] if currency.endswith("s") else currency
