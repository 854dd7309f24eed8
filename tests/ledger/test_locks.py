"""Lock keys: each names one sale, account or counter, and their order is the order in which locks are taken."""

from __future__ import annotations

from loyalty_rules.ledger.locks import account_lock, counter_lock, sale_lock
from loyalty_rules.lifecycle.records import Account


def test_a_lock_has_a_rank_and_a_name() -> None:
    assert sale_lock("acme", "T/1") == (0, "acme/T%2F1")
    assert account_lock("acme", Account("group", "family")) == (1, "acme/group/family")
    assert counter_lock("acme", "limit/daily/2025-01-15") == (2, "acme/limit/daily/2025-01-15")


def test_sales_are_locked_before_accounts_and_accounts_before_counters() -> None:
    sale, account, counter = sale_lock("z", "z"), account_lock("m", Account("member", "m")), counter_lock("a", "a")

    assert sorted([counter, account, sale]) == [sale, account, counter]


def test_a_member_and_a_group_of_the_same_name_have_different_locks() -> None:
    assert account_lock("acme", Account("member", "M1")) != account_lock("acme", Account("group", "M1"))
