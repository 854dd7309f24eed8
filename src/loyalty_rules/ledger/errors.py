"""The errors of a ledger: a conflict, a concurrent change, an amount out of range, a transaction that cannot be joined.

Source: ledger.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.lifecycle.records import Refusal

if TYPE_CHECKING:
    from loyalty_rules.ledger.receipts import Receipt

__all__ = [
    "AmountOutOfRangeError",
    "ClosedAccount",
    "ConcurrentChangeError",
    "IdempotencyConflict",
    "InMemoryDatabaseError",
    "MissingProgramError",
    "SchemaVersionError",
    "UnsafeTransactionError",
    "UpgradeError",
]


class IdempotencyConflict(LoyaltyError):
    """An operation under a key that is recorded with other inputs. Nothing is written. Source: ledger P2.

    `field` is the path of the first input that differs, `recorded` and `offered` are its two values. `receipt` is the
    receipt of the recorded operation. Its text shows no contacts, free-form fields or codes.
    """

    def __init__(self, key: str, field: str, recorded: object, offered: object, receipt: "Receipt") -> None:
        self.key = key
        self.field = field
        self.recorded = recorded
        self.offered = offered
        self.receipt = receipt
        super().__init__(key, field, recorded, offered, receipt)

    def __str__(self) -> str:
        told = f"{self.key} is recorded already with another {self.field}"
        if not _is_public(self.field, self.recorded) or not _is_public(self.field, self.offered):
            return told  # a log should have no address and no serial
        return f"{told}: {str(self.recorded)[:100]} was recorded, {str(self.offered)[:100]} is offered"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r}, {self.field!r})"


_PRIVATE = frozenset({"contacts", "extended_fields", "code", "codes", "coupons"})


def _is_public(field: str, value: object) -> bool:
    """Return whether an error may show the value of an input: neither personal data nor a serial can be in it."""
    steps = field.replace("[", ".").split(".")
    return _PRIVATE.isdisjoint(steps) and not isinstance(value, (Mapping, list, tuple))


class AmountOutOfRangeError(LoyaltyError):
    """An amount, or a sum of amounts, beyond the 64-bit millionths of a database: more than 9,223,372,036,854.

    `what` names the amount.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what} is beyond 9,223,372,036,854, the maximum that this ledger can store"


class ConcurrentChangeError(LoyaltyError):
    """A row that changed between the decision and the write: the optimistic check failed. Nothing is recorded.

    `what` names the row. An operation locks its rows before it decides, and a ledger retries it after this error. So
    the error reveals a writer that takes no locks. Source: ledger P4.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def __str__(self) -> str:
        return f"{self.what} has changed since it was read; nothing is recorded"


class ClosedAccount(Exception):
    """A member whose account is closed: the operation is refused."""

    def __init__(self, member: str) -> None:
        self.refusal = Refusal(("closed_account",), f"the account of {member} is closed")
        super().__init__(member)


class InMemoryDatabaseError(LoyaltyError):
    """A use of a database of SQLite in memory by which threads would disturb each other; `problem` says which."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)

    def __str__(self) -> str:
        return self.problem


class MissingProgramError(LoyaltyError):
    """A version of a program that sales were decided under, and that the database has lost: see `verify`."""

    def __init__(self, version: str) -> None:
        self.version = version
        super().__init__(version)

    def __str__(self) -> str:
        return f"the program of version {self.version} is missing in the database; `verify` lists all that is missing"


class SchemaVersionError(LoyaltyError):
    """Tables of another edition than this release uses. Nothing is read or written. Source: ledger 3.

    `found` is the edition of the tables, None if their row is missing; `expected` is that of this release.
    """

    def __init__(self, found: int | None, expected: int) -> None:
        self.found = found
        self.expected = expected
        super().__init__(found, expected)

    def __str__(self) -> str:
        if self.found is None:
            return "the tables of the ledger do not say which edition they have: their row in `edition` is missing"
        told = f"the tables of the ledger have edition {self.found}, and this release uses edition {self.expected}"
        if self.found > self.expected:
            return f"{told}: update loyalty-rules"
        return f"{told}: make a backup, then run SQLLedger.open(url, create=False, serials=…).upgrade()"


class UpgradeError(LoyaltyError):
    """Tables of an earlier edition that cannot be upgraded. Nothing has changed. `problems` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        more = len(self.problems) - 10
        shown = [*self.problems[:10], *([f"and {more} more"] if more > 0 else [])]
        return "the tables cannot be upgraded: " + "; ".join(shown)


class UnsafeTransactionError(LoyaltyError):
    """A transaction of the host in which decisions would not be safe. Nothing is read or written. Source: ledger 2.

    `found` is the isolation level, or the way in which the transaction was begun; `expected` is what would be right.
    """

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(found, expected)

    def __str__(self) -> str:
        return f"the ledger cannot join a transaction that is {self.found}; expected {self.expected}"
