"""Loyalty rules: the points and coupons that a transaction earns, decided exactly and explained.

    program = load_program("program.toml")
    evaluation = program.evaluate(load_event(event))

This module exports the loaders of documents, the program, the events, the intents of an evaluation and the errors.
The classes of a program's parts are in `rules`, the ledgers in `ledger`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        ForgetMember,
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
        WriteOff,
    )
    from loyalty_rules.ledger import Receipt
    from loyalty_rules.lifecycle import Account
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
    "ForgetMember",
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
    "WriteOff",
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

_MODULES = ("errors", "events", "intents", "serials", "program", "loading", "lifecycle", "ledger")
"""The modules that define the names above, in the order of their layers.

A name is looked up when it is first used, so `import loyalty_rules` alone loads none of them.
"""


def __getattr__(name: str) -> object:
    if name in __all__:
        for each in _MODULES:
            module = import_module(f"{__name__}.{each}")
            if name in module.__all__:
                value = globals()[name] = getattr(module, name)
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
