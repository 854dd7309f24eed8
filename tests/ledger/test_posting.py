"""Posting: the writes of each intent, and the caps that are checked again when they are written. Source: ledger 2."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest

import loyalty_rules as lr
from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.events import Transaction
from loyalty_rules.intents import Intent, IssueCoupon, IssueCurrency, SendMessage
from loyalty_rules.ledger import Trim
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.memory.storage import MemoryStorage
from loyalty_rules.ledger.posting import _POSTS, Posting
from loyalty_rules.lifecycle.records import Account
from loyalty_rules.program import Program
from shop import Serials, earn, fixed, lines, program, proportional, sale

LOT = "acme/T-1/p/earn"
AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
ANNA = Account("member", "M1")
LIMIT = "limit/most/M1/lifetime"
MOST = {"most": {"currency": "points", "per": "member", "amount": 100, "window": {"type": "lifetime"}}}
GIFT = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
GIFTS = {"gift": {"caps": {"total": 1}}}


def posting(shop: Program, storage: MemoryStorage, event: str = "T-1", serials: Any = None) -> Posting:
    identity = IdempotencyRecord(shop.id, event, "event", {}, AT, AT, event)
    return Posting(storage, shop, identity, serials)


def evaluate(shop: Program, **parts: Any) -> tuple[Intent, ...]:
    event = lr.load_event(sale(**parts))
    assert isinstance(event, Transaction)
    return shop.evaluate(event, serials=Serials()).intents


def test_every_intent_has_a_function_that_posts_it() -> None:
    assert set(_POSTS) == set(get_args(Intent))


# -- caps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "recorded", "trims"),
    [
        (0, ["30"], []),
        (70, ["30"], []),
        (71, ["29"], ["29"]),
        (99, ["1"], ["1"]),
        (100, [], ["0"]),
        (120, [], ["0"]),
    ],
)
def test_an_issue_over_a_cap_is_trimmed_to_the_remainder_or_refused(
    counted: int, recorded: list[str], trims: list[str]
) -> None:
    shop = lr.load_program(program(earn(fixed(30)), limits=MOST))
    storage = MemoryStorage()
    storage.add_to_counter(shop.id, LIMIT, None, counted * 10**6)
    work = posting(shop, storage)

    work.post(evaluate(shop))

    amounts = [str(each.amount) for each in work.recorded if isinstance(each, IssueCurrency)]
    assert amounts == recorded
    assert work.trims == [Trim("acme/T-1/p/earn", LIMIT, Decimal(30), Decimal(left)) for left in trims]
    assert storage.counter_value(shop.id, (LIMIT, None, None)) == (counted + sum(map(int, recorded))) * 10**6


def test_the_shares_and_the_claims_of_a_trimmed_issue_sum_to_its_amount() -> None:
    shop = lr.load_program(program(earn(proportional(100, {"type": "line_item_value"})), limits=MOST))
    storage = MemoryStorage()
    storage.add_to_counter(shop.id, LIMIT, None, 80 * 10**6)
    work = posting(shop, storage)

    work.post(evaluate(shop, amount="60", lines=lines("40", "20")))

    (issue,) = work.recorded
    assert isinstance(issue, IssueCurrency)
    assert issue.amount == 20
    assert sorted(share.amount for share in issue.shares) == [7, 13]  # 20 in the proportion 2 : 1, without decimals
    assert [claim.amount for claim in issue.claims] == [20]


def test_a_message_about_a_refused_issue_alone_is_dropped() -> None:
    contacts = {"communication": {"template": "points", "mandatory": ["email"]}}
    shop = lr.load_program(program(earn(fixed(30), **contacts), limits=MOST))
    storage = MemoryStorage()
    storage.add_to_counter(shop.id, LIMIT, None, 100 * 10**6)
    intents = evaluate(shop, member={"id": "M1", "contacts": {"email": True}})
    work = posting(shop, storage)

    work.post(intents)

    assert [type(each) for each in intents] == [IssueCurrency, SendMessage]
    assert work.recorded == []


def test_a_coupon_over_its_cap_is_refused() -> None:
    shop = lr.load_program(program(GIFT, coupon_types=GIFTS))
    storage = MemoryStorage()
    storage.add_to_counter(shop.id, "coupon/gift/total", None, 10**6)
    work = posting(shop, storage)

    work.post(evaluate(shop))

    assert work.recorded == []
    assert work.trims == [Trim("acme/T-1/p/gift/1", "coupon/gift/total", Decimal(1), Decimal(0))]
    assert storage.coupons == {}


# -- serials ---------------------------------------------------------------------------------------------------------


class Attempts:
    """Serials `taken` for the first attempts, and then a free one."""

    def __init__(self, taken: int) -> None:
        self.taken = taken

    def serial(self, request: Any) -> str:
        return "taken" if request.attempt <= self.taken else f"free {request.attempt}"


def test_a_taken_serial_is_replaced_by_that_of_the_next_free_attempt() -> None:
    shop = lr.load_program(program(GIFT, coupon_types={"gift": {}}))
    storage = MemoryStorage()
    storage.put(storage.serials, "taken", "another coupon")
    (issue,) = shop.evaluate(lr.load_event(sale()), serials=Attempts(3)).intents
    work = posting(shop, storage, serials=Attempts(3))

    work.post([issue])

    (coupon,) = work.recorded
    assert isinstance(coupon, IssueCoupon)
    assert (coupon.serial, coupon.till_message) == ("free 4", "Coupon issued: free 4")


@pytest.mark.parametrize("serials", [None, Attempts(1_000)])
def test_a_taken_serial_without_a_free_one_is_an_error(serials: Any) -> None:
    shop = lr.load_program(program(GIFT, coupon_types={"gift": {}}))
    storage = MemoryStorage()
    storage.put(storage.serials, "taken", "another coupon")
    intents = shop.evaluate(lr.load_event(sale()), serials=Attempts(1_000)).intents

    with pytest.raises(MissingSerialsError):
        posting(shop, storage, serials=serials).post(intents)
