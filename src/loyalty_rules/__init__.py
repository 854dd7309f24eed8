"""Loyalty rules: the points and coupons that a transaction earns, decided exactly and explained.

    program = load_program("program.toml")
    evaluation = program.evaluate(load_event(event))

This module exports the loaders of documents, the program, the events, the intents of an evaluation and the errors.
The classes of a program's parts are in `rules`, the ledgers in `ledger`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from loyalty_rules.errors import (
    DocumentError,
    InvalidValueError,
    LoyaltyError,
    MissingSerialsError,
    Problem,
    WrongEventError,
)
from loyalty_rules.events import (
    Activity,
    Amendment,
    Confirmation,
    Contact,
    CouponCounts,
    DeliveredLine,
    Issued,
    IssuedCounts,
    Line,
    Member,
    RecipientCounts,
    Return,
    ReturnedLine,
    Snapshot,
    Tender,
    TierStanding,
    Transaction,
    Update,
)
from loyalty_rules.intents import (
    AdjustCurrency,
    AdvanceTracker,
    CancelPromise,
    CaptureHold,
    ChangeTier,
    Claim,
    ExpireCoupon,
    ExpireCurrency,
    ExtendCoupon,
    ExtendExpiry,
    ExtendLot,
    HoldCurrency,
    Intent,
    IssueCoupon,
    IssueCurrency,
    LotDraw,
    MergeAccounts,
    MovedUnits,
    ReassignCoupon,
    RedeemCoupon,
    Release,
    ReleaseHold,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    Settlement,
    Share,
    Skipped,
    SpendCurrency,
    TakenUnits,
    TopUpCoupon,
    TransferCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.loading import (
    dump,
    load_event,
    load_program,
    load_snapshot,
    loads_event,
    loads_program,
    loads_snapshot,
)
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import DerivedSerials, SerialGenerator

if TYPE_CHECKING:
    from loyalty_rules.ledger import Receipt
    from loyalty_rules.lifecycle import Account

__all__ = [
    "Account",
    "Activity",
    "AdjustCurrency",
    "AdvanceTracker",
    "Amendment",
    "CancelPromise",
    "CaptureHold",
    "ChangeTier",
    "Claim",
    "Confirmation",
    "Contact",
    "CouponCounts",
    "DeliveredLine",
    "DerivedSerials",
    "DocumentError",
    "Evaluation",
    "ExpireCoupon",
    "ExpireCurrency",
    "ExtendCoupon",
    "ExtendExpiry",
    "ExtendLot",
    "HoldCurrency",
    "Intent",
    "InvalidValueError",
    "IssueCoupon",
    "IssueCurrency",
    "Issued",
    "IssuedCounts",
    "Line",
    "LotDraw",
    "LoyaltyError",
    "Member",
    "MergeAccounts",
    "MissingSerialsError",
    "MovedUnits",
    "Problem",
    "Program",
    "ReassignCoupon",
    "Receipt",
    "RecipientCounts",
    "RedeemCoupon",
    "Release",
    "ReleaseHold",
    "ReleasePromise",
    "Return",
    "ReturnedLine",
    "ReverseCurrency",
    "SendMessage",
    "SerialGenerator",
    "Settlement",
    "Share",
    "Skipped",
    "Snapshot",
    "SpendCurrency",
    "TakenUnits",
    "Tender",
    "TierStanding",
    "TopUpCoupon",
    "Transaction",
    "TransferCurrency",
    "UndoRedemption",
    "UndoSpend",
    "Update",
    "VoidCoupon",
    "WrongEventError",
    "__version__",
    "dump",
    "load_event",
    "load_program",
    "load_snapshot",
    "loads_event",
    "loads_program",
    "loads_snapshot",
]

__version__ = "0.1.0"

_LATER = {"Account": "loyalty_rules.lifecycle", "Receipt": "loyalty_rules.ledger"}
"""Names that are imported when they are first used, so that an evaluation alone does not import the ledgers."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
