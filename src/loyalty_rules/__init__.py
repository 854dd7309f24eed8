"""Loyalty rules: what points and coupons a transaction earns, decided exactly and explainably.

    program = load_program("program.toml")
    evaluation = program.evaluate(load_event(event))

The names below are the walk: documents in and out, what came in, the program, what goes wrong. What the parts of a
program are called is in the module of each concept; what a host can be asked to do is in `intents`.
"""

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
    Confirmation,
    Contact,
    CouponCounts,
    Issued,
    IssuedCounts,
    Line,
    Member,
    Return,
    ReturnedLine,
    Snapshot,
    Tender,
    Transaction,
    Update,
)
from loyalty_rules.loading import dump, load_event, load_program, load_snapshot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import DerivedSerials, SerialGenerator

__all__ = [
    "Activity",
    "Confirmation",
    "Contact",
    "CouponCounts",
    "DerivedSerials",
    "DocumentError",
    "Evaluation",
    "InvalidValueError",
    "Issued",
    "IssuedCounts",
    "Line",
    "LoyaltyError",
    "Member",
    "MissingSerialsError",
    "Problem",
    "Program",
    "Return",
    "ReturnedLine",
    "SerialGenerator",
    "Snapshot",
    "Tender",
    "Transaction",
    "Update",
    "WrongEventError",
    "dump",
    "load_event",
    "load_program",
    "load_snapshot",
]
