"""An operation of a ledger as a value, and the parts that several operations share. Source: ledger 2."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar, cast

import attrs

from loyalty_rules.events import Event
from loyalty_rules.intents import Intent, RedeemCoupon, SpendCurrency
from loyalty_rules.ledger.idempotency import IdempotencyRecord, identity_of_event
from loyalty_rules.ledger.kinds import PAYMENTS
from loyalty_rules.ledger.locks import LockKey
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = [
    "Decision",
    "EventOperation",
    "Noted",
    "Operation",
    "already_undone",
    "decision_of",
    "host_identity",
    "is_wholly_undone",
    "unknown_hold",
    "unknown_sale",
]

R_co = TypeVar("R_co", bound=Receipt, covariant=True)


@attrs.frozen
class Noted:
    """The intents to record, and the values of the `notes` of the receipt's class."""

    intents: tuple[Intent, ...]
    notes: Mapping[str, Any]


Decision: TypeAlias = tuple[Intent, ...] | Noted | Refusal
"""The intents to record, or the reasons for recording nothing."""


class Operation(ABC, Generic[R_co]):
    """One operation of a ledger: a frozen value with its arguments, which the constructor checks.

    A ledger executes it in one transaction: claim the batch of its identity, decide, post the intents, write the
    receipt.
    """

    ignoring: ClassVar[tuple[str, ...]] = ()
    """The inputs in which a retry may differ."""

    @property
    @abstractmethod
    def program(self) -> Program:
        """The program of the decision."""

    @abstractmethod
    def receipt_class(self) -> type[R_co]:
        """Return the class of the operation's receipt."""

    @abstractmethod
    def identity(self, storage: Storage) -> IdempotencyRecord:
        """Return the key of the batch and the inputs that a retry must repeat."""

    def locks(self) -> Iterable[LockKey]:
        """Return the locks that are known before anything is read; they are taken with the batch."""
        return ()

    @abstractmethod
    def decide(self, storage: Storage) -> Decision:
        """Lock and read the rows of the decision, and decide by the pure functions of `lifecycle`."""

    def replayed(self, storage: Storage, receipt: R_co) -> R_co:  # type: ignore[misc]  # noqa: ARG002
        """Return the recorded receipt of a retry, with a mark if it has been undone since."""
        return receipt

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the constructor by name, so that a ledger can write the operation down."""
        fields = attrs.fields(cast(type[attrs.AttrsInstance], type(self)))
        return {field.name: getattr(self, field.name) for field in fields}

    def with_serials(self, serials: SerialGenerator | None) -> Self:  # noqa: ARG002
        """Return the operation with the ledger's serial generator, if it issues coupons and has no generator."""
        return self

    def bill_amount(self) -> Decimal | None:
        """Return the amount of the bill that is handed over, in the program's money; None if there is none."""
        return None

    def bill_store(self) -> str | None:
        """Return the store of the bill that is paid; None if it is not known."""
        return None

    def serial_generator(self) -> SerialGenerator | None:
        """Return the generator of the next serial if a serial is taken; None if the operation issues no coupons."""
        return None


class EventOperation(Operation[R_co]):
    """An operation that records an event: its batch has the key and the inputs of the event."""

    @property
    @abstractmethod
    def event(self) -> Event:
        """The event."""

    @property
    @abstractmethod
    def recorded_at(self) -> datetime:
        """The instant of the record."""

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the event's document and, for a sale, the program's version."""
        return identity_of_event(self.program, self.event, self.recorded_at)


def host_identity(
    program: Program, event: str, phase: str, inputs: Mapping[str, Any], at: datetime
) -> IdempotencyRecord:
    """Return the idempotency record of an operation that a host calls with the id of its own event."""
    return IdempotencyRecord(program.id, event, phase, inputs, at, at)


def decision_of(decided: Intent | Refusal) -> Decision:
    """Return a decision of one intent."""
    return decided if isinstance(decided, Refusal) else (decided,)


def unknown_sale(event: str) -> Refusal:
    """Return the refusal of an operation on a sale that was never recorded."""
    return Refusal(("unknown_sale",), f"no sale {event} has been recorded")


def is_wholly_undone(storage: Storage, receipt: Receipt) -> bool:
    """Return whether every spend and redemption of a receipt has been undone."""
    made = [each for each in receipt.intents if isinstance(each, (SpendCurrency, RedeemCoupon))]
    payments = [storage.record(PAYMENTS, each.key) for each in made]
    return bool(made) and all(each is not None and each.is_undone for each in payments)


def unknown_hold(key: str) -> Refusal:
    """Return the refusal of an operation on a hold that was never recorded."""
    return Refusal(("unknown_hold",), f"no hold {key} has been recorded")


def already_undone(key: str) -> Refusal:
    """Return the refusal of a second undo."""
    return Refusal(("already_undone",), f"{key} has been undone already")
