"""Process: the operation of any event, by its type."""

from datetime import datetime

from loyalty_rules.events import Activity, Amendment, Confirmation, Event, Return, Transaction, Update
from loyalty_rules.ledger.operations.amend import Amend
from loyalty_rules.ledger.operations.confirm import Confirm
from loyalty_rules.ledger.operations.operation import Operation
from loyalty_rules.ledger.operations.sell import Sell
from loyalty_rules.ledger.operations.take_back import TakeBack
from loyalty_rules.ledger.operations.update import UpdateSale
from loyalty_rules.ledger.receipts import EventReceipt
from loyalty_rules.program import Program
from loyalty_rules.serials import SerialGenerator

__all__ = ["event_operation"]


def event_operation(
    program: Program, event: Event, serials: SerialGenerator | None, recorded_at: datetime
) -> Operation[EventReceipt]:
    """Return the operation that decides and records an event."""
    match event:
        case Return():
            return TakeBack(program, event, recorded_at)
        case Amendment():
            return Amend(program, event, recorded_at, serials)
        case Update():
            return UpdateSale(program, event, recorded_at)
        case Confirmation():
            return Confirm(program, event, recorded_at)
        case Transaction() | Activity():
            return Sell(program, event, recorded_at, serials)
