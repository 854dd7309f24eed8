"""Lock keys: the sales, accounts and counters that an operation locks, and the order in which it locks them."""

from typing import TypeAlias

from loyalty_rules.keys import event_key
from loyalty_rules.lifecycle.records import Account

__all__ = ["LockKey", "account_lock", "code_lock", "counter_lock", "sale_lock"]

LockKey: TypeAlias = tuple[int, str]
"""A lock's rank and its name. Locks are taken in ascending order: sales, then accounts, then counters."""


def sale_lock(program: str, event: str) -> LockKey:
    """Return the lock of a sale, its promises and the coupons that it issued."""
    return 0, event_key(program, event)


def code_lock(program: str, code: str, member: str | None) -> LockKey:
    """Return the lock of the coupons with a shared code, in folded form, that a member holds, or nobody."""
    return 0, f"{program}/#code/{code}/{member if member is not None else ''}"


def account_lock(program: str, account: Account) -> LockKey:
    """Return the lock of an account: its lots and its debts."""
    return 1, f"{program}/{account.kind}/{account.id}"


def counter_lock(program: str, name: str) -> LockKey:
    """Return the lock of a counter."""
    return 2, f"{program}/{name}"
