"""Histories of lots with the extensions of their accounts: the expiries in the order of record. Source: ledger 3."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from loyalty_rules.intents import IssueCurrency
from loyalty_rules.ledger.extended_histories import accounts_of_history, with_extensions
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.lifecycle.rolling_expiry import Extension, Extensions
from loyalty_rules.loading import load_event
from loyalty_rules.testing.ledgers.facts.till import ANNA, BEN, earn, fixed, moment, shop

SALE = {"type": "transaction", "id": "T1", "occurred_at": moment(0), "amount": "100", "member": {"id": "anna"}}
(ISSUE,) = shop(earn(fixed("10"))).evaluate(load_event(SALE)).intents
assert isinstance(ISSUE, IssueCurrency)


def entry(day: int, source: str, target: str, account: Account = ANNA) -> Entry:
    at = moment(day)
    return Entry("b", "acme", account, "points", ISSUE.key, source, target, Decimal(10), at, at, "r")


def until(since: int, day: int) -> ExpiryVersion:
    return ExpiryVersion(moment(since), date(2025, 1, day), moment(day))


def extension(place: int, since: int, day: int) -> Extension:
    return Extension(place, "balance", moment(since), date(2025, 1, day), moment(day))


ISSUED = LotHistory(
    ISSUE, "acme", 0, False, (entry(0, "issued", "available"),), (until(0, 10),), entry_places=(1,), expiry_places=(1,)
)


def test_an_extension_comes_after_the_writes_of_its_batch_and_before_those_of_the_next() -> None:
    voided = LotHistory(
        ISSUE, "acme", 0, False,
        (entry(0, "issued", "available"), entry(9, "available", "voided")), (until(0, 10),),
        entry_places=(1, 5), expiry_places=(1,),
    )  # fmt: skip
    visits = {(ANNA, "points"): Extensions([extension(1, 0, 11), extension(4, 5, 20), extension(5, 9, 25)])}
    # That of place 5 comes after the other writes of its batch, which leave nothing.
    assert with_extensions(voided, visits).expiry_versions == (until(0, 10), until(0, 11), until(5, 20))


def test_a_row_has_only_the_extensions_before_its_last_batch() -> None:
    visits = {(ANNA, "points"): Extensions([extension(4, 5, 20)])}
    assert with_extensions(ISSUED, visits).expiry_versions == (until(0, 10), until(5, 20))
    assert with_extensions(ISSUED, visits, before=4) == ISSUED


def test_a_lot_that_a_merge_moved_follows_the_extensions_of_its_account() -> None:
    moved = LotHistory(
        ISSUE, "acme", 0, False, ISSUED.entries, ISSUED.expiry_versions, members=((moment(6), "ben"),),
        entry_places=(1,), expiry_places=(1,), member_places=(3,),
    )  # fmt: skip
    visits = {
        (ANNA, "points"): Extensions([extension(2, 3, 15), extension(4, 7, 30)]),
        (BEN, "points"): Extensions([extension(2, 3, 28), extension(4, 7, 20)]),
    }
    assert [*accounts_of_history(moved)] == [ANNA, BEN]
    assert with_extensions(moved, visits).expiry_versions == (until(0, 10), until(3, 15), until(7, 20))


def test_a_history_without_extensions_stays_as_it_is() -> None:
    assert with_extensions(ISSUED, {}) is ISSUED
