"""Totals of a ledger in memory, after the events of a law are recorded in it."""

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

__all__ = ["LedgerTotals", "RecordedEvent", "amount_of", "amounts_in_words", "name_of"]

_NO_FACTS = Snapshot()


@attrs.frozen
class RecordedEvent:
    """An event, as a document and as a value, and its recorded intents."""

    document: Document
    event: Any
    intents: tuple[Intent, ...]

    def issues(self) -> list[IssueCurrency | IssueCoupon]:
        """Return the issues of the event."""
        return [intent for intent in self.intents if isinstance(intent, (IssueCurrency, IssueCoupon))]

    def slip(self) -> str:
        """Return the till receipt of the event."""
        return till_receipt(self.document, self.intents)


class LedgerTotals:
    """Events recorded one after the other in an empty ledger, and the sums of their issues."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ledger = MemoryLedger()
        self.events: list[RecordedEvent] = []

    @classmethod
    def of(cls, program: Program, events: Iterable[Document]) -> "LedgerTotals":
        """Record events, and settle the due promises before each."""
        totals = cls(program)
        for event in events:
            totals.record(event)
        return totals

    def record(self, document: Document) -> RecordedEvent:
        """Record an event, after the promises that are due before it."""
        event = load_event(document)
        self.ledger.settle(self.program, event.occurred_at)
        receipt = self.ledger.process(self.program, event, serials=NamedSerials())
        recorded = RecordedEvent(document, event, receipt.intents)
        self.events.append(recorded)
        return recorded

    def earned(self, actions: Iterable[str]) -> dict[str, int]:
        """Sum the issued and promised amounts of actions (`PROMOTION/ACTION`), by currency and coupon type."""
        of = set(actions)
        sums: dict[str, int] = {}
        for intent in self.issues():
            if action_key(intent.promotion, intent.action) in of:
                name = name_of(intent)
                sums[name] = sums.get(name, 0) + amount_of(intent)
        return sums

    def issues(self) -> list[IssueCurrency | IssueCoupon]:
        """Return the issues of all events."""
        return [issue for recorded in self.events for issue in recorded.issues()]

    def kept(self) -> dict[str, int]:
        """Return the rest of each issue, by its key: its amount less returns and cancellations, at least zero."""
        left = {intent.key: amount_of(intent) for intent in self.issues()}
        for recorded in self.events:
            for intent in recorded.intents:
                match intent:
                    case ReverseCurrency():
                        left[intent.issue] -= micros(intent.amount)
                    case CancelPromise():
                        left[intent.promise] -= micros(intent.amount)
                    case VoidCoupon():
                        left[intent.coupon] = 0
                    case _:
                        continue
        return {key: max(amount, 0) for key, amount in left.items()}  # a return counts cancelled units as taken

    def day_of(self, event: Transaction | Activity) -> date:
        """Return the local date that a sale or an activity counts for."""
        return self.program.plan.facts(event, _NO_FACTS).event_on

    def slips(self) -> tuple[str, ...]:
        """Return the till receipts of all events."""
        return tuple(recorded.slip() for recorded in self.events)

    def receipts(self) -> tuple[Mapping[str, Any], ...]:
        """Return the documents of all events."""
        return tuple(recorded.document for recorded in self.events)


def amount_of(issue: IssueCurrency | IssueCoupon) -> int:
    """Return the amount of an issue in millionths; a coupon counts as 1."""
    return micros(issue.amount) if isinstance(issue, IssueCurrency) else MICRO


def name_of(issue: IssueCurrency | IssueCoupon) -> str:
    """Return the name of the issued currency, or `coupons TYPE`."""
    return issue.currency if isinstance(issue, IssueCurrency) else f"coupons {issue.coupon_type}"


def amounts_in_words(sums: Mapping[str, int]) -> str:
    """Return amounts by currency or coupon type in words: `2 points and 1 coupon gift`."""
    return " and ".join(_amount_in_words(name, amount) for name, amount in sorted(sums.items()))


def _amount_in_words(name: str, amount: int) -> str:
    if amount == MICRO:
        name = name.replace("coupons ", "coupon ") if name.startswith("coupons ") else _one(name)
    return f"{micros_text(amount)} {name}"


def _one(currency: str) -> str:
    return currency[:-1] if currency.endswith("s") else currency
