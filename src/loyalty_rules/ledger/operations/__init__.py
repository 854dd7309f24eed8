"""The operations of a ledger as values, one file each: identity, locks and decision.

`ledger.execute(Spend(program, account, …))` runs one; the named methods of a ledger build them.
"""

from loyalty_rules.ledger.operations.adjust import Adjust
from loyalty_rules.ledger.operations.amend import Amend
from loyalty_rules.ledger.operations.capture import Capture
from loyalty_rules.ledger.operations.confirm import Confirm
from loyalty_rules.ledger.operations.end_night import EndNight
from loyalty_rules.ledger.operations.expire import Expire
from loyalty_rules.ledger.operations.extend import Extend
from loyalty_rules.ledger.operations.forget import Forget
from loyalty_rules.ledger.operations.hold import HoldUnits
from loyalty_rules.ledger.operations.merge import Merge
from loyalty_rules.ledger.operations.operation import Decision, Operation
from loyalty_rules.ledger.operations.process import event_operation
from loyalty_rules.ledger.operations.reassign import Reassign
from loyalty_rules.ledger.operations.record import Record
from loyalty_rules.ledger.operations.redeem import Redeem
from loyalty_rules.ledger.operations.redeem_all import RedeemAll
from loyalty_rules.ledger.operations.release import Release
from loyalty_rules.ledger.operations.review import Review
from loyalty_rules.ledger.operations.sell import Sell
from loyalty_rules.ledger.operations.settle import Settle
from loyalty_rules.ledger.operations.spend import Spend
from loyalty_rules.ledger.operations.take_back import TakeBack
from loyalty_rules.ledger.operations.top_up import TopUp
from loyalty_rules.ledger.operations.transfer import Transfer
from loyalty_rules.ledger.operations.undo_redemption import UndoRedemptionOf
from loyalty_rules.ledger.operations.undo_spend import UndoSpendOf
from loyalty_rules.ledger.operations.update import UpdateSale
from loyalty_rules.ledger.operations.void import Void

__all__ = [
    "Adjust",
    "Amend",
    "Capture",
    "Confirm",
    "Decision",
    "EndNight",
    "Expire",
    "Extend",
    "Forget",
    "HoldUnits",
    "Merge",
    "Operation",
    "Reassign",
    "Record",
    "Redeem",
    "RedeemAll",
    "Release",
    "Review",
    "Sell",
    "Settle",
    "Spend",
    "TakeBack",
    "TopUp",
    "Transfer",
    "UndoRedemptionOf",
    "UndoSpendOf",
    "UpdateSale",
    "Void",
    "event_operation",
]
