"""Promises: settlement, confirmations, updates, and the expiry of the released lot. Source: semantics 5, 6."""

from __future__ import annotations

from decimal import Decimal

import pytest

import loyalty_rules as lr
from loyalty_rules.intents import CancelPromise, ReleasePromise, SendMessage
from loyalty_rules.ledger import Receipt
from shop import earn, fixed, program, sale

from .till import MEMBER, SOLD_AT, Till, instant

KEY = "acme/T-1/p/earn"
DELAYED = {"type": "delayed", "days": 14}
EXTERNAL = {"type": "external"}
ON_SHIPPED = {"type": "transaction_update", "when": {"field": "status", "is": "Shipped"}}
DUE_AT = "2025-01-29T10:00:00Z"


def till(timing: dict, expiry: dict | None = None, **parts: object) -> Till:
    """A till where T-1 has been promised 50."""
    parts = {**({"expiry": expiry} if expiry else {}), **parts}
    till = Till(program(earn(fixed("50"), timing=timing, **parts)))
    till.sell(sale("100", member={"id": "M1", "registered_on": "2023-06-10", "contacts": {"email": "m@example.org"}}))
    return till


def confirmation(outcome: str = "issue", number: int = 1, at: str = "2025-02-01T10:00:00Z", promise: str = KEY) -> dict:
    return {"type": "confirmation", "id": f"C-{number}", "occurred_at": at, "promise": promise, "outcome": outcome}


def update(status: str, number: int = 1, at: str = "2025-02-01T10:00:00Z", **fields: object) -> dict:
    return {"type": "update", "id": f"U-{number}", "occurred_at": at, "of": "T-1", "status": status, **fields}


def standing(till: Till, at: str = "2025-02-01T10:00:00Z") -> tuple[Decimal, Decimal]:
    """Return the available and the promised units."""
    balance = till.ledger.balance("acme", MEMBER, "points", instant(at))
    return balance.available, balance.promised


def refused(receipt: Receipt) -> tuple[str, ...]:
    assert receipt.status == "refused"
    assert receipt.refusal is not None
    return receipt.refusal.reasons


# -- no balance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timing", [DELAYED, EXTERNAL, ON_SHIPPED])
def test_pending_points_are_not_in_the_balance_and_cannot_be_spent(timing: dict) -> None:
    promised = till(timing)
    assert standing(promised) == (0, 50)
    assert refused(promised.spend("1")) == ("insufficient",)
    assert [lot.key for lot in promised.ledger.promises("acme", instant(SOLD_AT))] == [KEY]


# -- delayed ---------------------------------------------------------------------------------------------------------


def test_a_delayed_promise_is_settled_at_the_instant_that_it_is_due_and_not_before() -> None:
    delayed = till(DELAYED)
    assert list(delayed.ledger.settle(delayed.program, instant("2025-01-29T09:59:59Z"))) == []
    (settled,) = delayed.ledger.settle(delayed.program, instant(DUE_AT))
    (release,) = settled.intents
    assert isinstance(release, ReleasePromise)
    assert (release.promise, release.amount, release.event, str(release.issue_on)) == (KEY, 50, None, "2025-01-29")
    assert standing(delayed) == (50, 0)


def test_a_promise_settled_late_became_available_when_it_was_due() -> None:
    delayed = till(DELAYED)
    delayed.ledger.settle(delayed.program, instant("2025-03-01T10:00:00Z"))
    assert standing(delayed, "2025-01-29T09:59:59Z") == (0, 50)
    assert standing(delayed, DUE_AT) == (50, 0)


def test_a_second_settlement_changes_nothing() -> None:
    delayed = till(DELAYED)
    assert len(delayed.ledger.settle(delayed.program, instant(DUE_AT))) == 1
    assert list(delayed.ledger.settle(delayed.program, instant(DUE_AT))) == []
    assert standing(delayed) == (50, 0)


def test_a_return_before_the_settlement_at_the_same_instant_comes_first() -> None:
    delayed = till(DELAYED)
    delayed.take_back("100", at=DUE_AT)
    assert list(delayed.ledger.settle(delayed.program, instant(DUE_AT))) == []
    assert standing(delayed) == (0, 0)


@pytest.mark.parametrize("timing", [EXTERNAL, ON_SHIPPED])
def test_a_promise_that_waits_for_an_event_is_not_settled_by_time(timing: dict) -> None:
    waiting = till(timing)
    assert list(waiting.ledger.settle(waiting.program, instant("2035-01-01T00:00:00Z"))) == []


# -- external --------------------------------------------------------------------------------------------------------


def test_a_confirmation_releases_the_promise_that_it_names() -> None:
    waiting = till(EXTERNAL)
    (release,) = waiting.process(confirmation()).intents
    assert isinstance(release, ReleasePromise)
    assert (release.event, str(release.issue_on)) == ("C-1", "2025-02-01")
    assert standing(waiting) == (50, 0)


def test_a_confirmation_can_cancel_a_promise_and_no_units_remain() -> None:
    waiting = till(EXTERNAL)
    (cancelled,) = waiting.process(confirmation("cancel")).intents
    assert isinstance(cancelled, CancelPromise)
    assert (cancelled.outcome, cancelled.amount) == ("cancelled", 50)
    assert standing(waiting) == (0, 0)


@pytest.mark.parametrize("first", ["issue", "cancel"])
@pytest.mark.parametrize("second", ["issue", "cancel"])
def test_a_promise_resolves_once(first: str, second: str) -> None:
    waiting = till(EXTERNAL)
    waiting.process(confirmation(first))
    before = standing(waiting)
    assert refused(waiting.process(confirmation(second, number=2))) == ("already_resolved",)
    assert standing(waiting) == before


def test_a_retried_confirmation_returns_the_recorded_receipt() -> None:
    waiting = till(EXTERNAL)
    first = waiting.process(confirmation())
    again = waiting.process(confirmation())
    assert (again.status, again.intents) == ("already_recorded", first.intents)


def test_units_taken_back_before_the_release_are_not_released() -> None:
    waiting = till(EXTERNAL, on_return="proportional")
    waiting.take_back("30")
    (release,) = waiting.process(confirmation()).intents
    assert isinstance(release, ReleasePromise)
    assert release.amount == 35
    waiting.take_back("70")
    assert standing(waiting) == (0, 0)


def test_a_promise_that_was_taken_back_completely_is_resolved() -> None:
    waiting = till(EXTERNAL)
    waiting.take_back("100")
    assert refused(waiting.process(confirmation())) == ("already_resolved",)


@pytest.mark.parametrize(("timing", "promise", "reason"), [
    (EXTERNAL, "acme/T-1/p/nothing", "unknown_promise"),
    (DELAYED, KEY, "not_external"),
    (ON_SHIPPED, KEY, "not_external"),
])  # fmt: skip
def test_a_confirmation_without_an_open_external_promise_is_refused(timing: dict, promise: str, reason: str) -> None:
    assert refused(till(timing).process(confirmation(promise=promise))) == (reason,)


# -- by an update ----------------------------------------------------------------------------------------------------


def test_an_update_that_satisfies_the_condition_releases_once() -> None:
    waiting = till(ON_SHIPPED)
    assert waiting.process(update("Packed")).intents == ()
    (release,) = waiting.process(update("Shipped", 2)).intents
    assert isinstance(release, ReleasePromise)
    assert (release.event, str(release.issue_on)) == ("U-2", "2025-02-01")
    assert waiting.process(update("Shipped", 3)).intents == ()
    assert standing(waiting) == (50, 0)


def test_a_field_that_an_update_omits_keeps_its_earlier_value() -> None:
    both = {"all": [{"field": "status", "is": "Shipped"}, {"field": "custom_fields.paid", "is": True}]}
    waiting = till({"type": "transaction_update", "when": both})
    paid = {"type": "update", "id": "U-1", "occurred_at": SOLD_AT, "of": "T-1", "custom_fields": {"paid": True}}
    assert waiting.process(paid).intents == ()
    assert len(waiting.process(update("Shipped", 2)).intents) == 1


def test_an_update_replaces_a_field_completely() -> None:
    waiting = till({"type": "transaction_update", "when": {"field": "custom_fields.paid", "is": True}})
    fields = {"custom_fields": {"note": "ring twice"}}
    waiting.process(update("Placed", 1, custom_fields={"paid": False}))
    assert waiting.process(update("Placed", 2, **fields)).intents == ()


def test_an_update_of_an_unknown_sale_is_refused() -> None:
    assert refused(till(ON_SHIPPED).process({**update("Shipped"), "of": "T-2"})) == ("unknown_sale",)


# -- expiry --------------------------------------------------------------------------------------------------------

PERIOD = {"type": "fixed_period", "after": {"days": 10}}


@pytest.mark.parametrize(("expiry", "expires_on"), [
    (PERIOD, "2025-02-11"),                                                # ten days from the day of the release
    ({"type": "fixed_recurring", "month": 1, "day": 20}, "2026-01-20"),    # strictly after that day
    ({"type": "registration_anniversary"}, "2025-06-10"),
    ({"type": "event_date", "after": {"days": 30}}, "2025-02-14"),         # the day of the sale counts, as always
    ({"type": "rolling", "after": {"days": 30}}, "2025-02-14"),
    ({"type": "fixed_date", "on": "2025-02-01"}, "2025-02-01"),            # live for the rest of the day
    ({"type": "never"}, None),
])  # fmt: skip
def test_the_expiry_of_a_promise_released_on_the_first_of_february(expiry: dict, expires_on: str | None) -> None:
    (release, *_) = till(EXTERNAL, expiry).process(confirmation()).intents
    assert isinstance(release, ReleasePromise)
    assert (str(release.expires_on) if release.expires_on else None) == expires_on


@pytest.mark.parametrize("at", ["2025-02-02T00:00:00Z", "2025-05-05T12:00:00Z"])
def test_a_promise_whose_expiry_is_past_at_its_release_lapses(at: str) -> None:
    waiting = till(EXTERNAL, {"type": "fixed_date", "on": "2025-02-01"})
    (lapsed,) = waiting.process(confirmation(at=at)).intents
    assert isinstance(lapsed, CancelPromise)
    assert (lapsed.outcome, lapsed.amount) == ("lapsed", 50)
    assert standing(waiting, at) == (0, 0)


def test_a_delayed_promise_settled_late_counts_its_period_from_the_day_that_it_was_due() -> None:
    delayed = till(DELAYED, PERIOD)
    (settled,) = delayed.ledger.settle(delayed.program, instant("2025-03-01T10:00:00Z"))
    (release,) = settled.intents
    assert isinstance(release, ReleasePromise)
    assert str(release.expires_on) == "2025-02-08"
    assert standing(delayed, "2025-02-08T23:59:59Z") == (50, 0)
    assert standing(delayed, "2025-02-09T00:00:00Z") == (0, 0)


def test_a_promise_does_not_expire_and_is_not_swept() -> None:
    waiting = till(EXTERNAL, {"type": "fixed_date", "on": "2025-02-01"})
    assert list(waiting.ledger.expire(waiting.program, instant("2026-01-01T00:00:00Z"))) == []
    assert standing(waiting, "2026-01-01T00:00:00Z") == (0, 50)


def test_a_rolling_expiry_that_was_extended_before_the_release_is_not_shortened() -> None:
    rolling = {"type": "rolling", "after": {"days": 30}}
    promotions = [
        {"id": "p", "when": {"field": "store", "is": "S1"},
         "actions": [earn(fixed("50"), timing=EXTERNAL, expiry=rolling)]},
        {"id": "q", "when": {"field": "store", "is": "S2"}, "actions": [earn(fixed("1"), expiry=rolling)]},
    ]  # fmt: skip
    waiting = Till(program(promotions=promotions))
    waiting.sell(sale("100", store="S1"))
    waiting.process(confirmation(at="2025-01-20T10:00:00Z"))
    waiting.sell(sale("100", id="T-2", store="S2", occurred_at="2025-02-01T10:00:00Z"))
    assert {str(lot.expires_on) for lot in waiting.lots().values()} == {"2025-03-03"}


# -- messages ------------------------------------------------------------------------------------------------------


def test_a_promise_sends_its_own_template_and_the_release_the_usual_one() -> None:
    communication = {"template": "earned", "promised_template": "coming", "priority": ["email"]}
    waiting = Till(program(earn(fixed("50"), timing=EXTERNAL, communication=communication)))
    sold = waiting.sell(sale("100", member={"id": "M1", "contacts": {"email": "m@example.org"}}))
    released = waiting.process(confirmation())
    said = [each for each in [*sold.intents, *released.intents] if isinstance(each, SendMessage)]
    assert [(each.template, each.about) for each in said] == [("coming", (KEY,)), ("earned", (f"{KEY}/release",))]


def test_a_cancelled_promise_releases_its_caps() -> None:
    capped = Till(
        program(earn(fixed("50"), timing=EXTERNAL, caps={"per_member": {"times": 1}, "total": {"amount": "50"}}))
    )
    capped.sell(sale("100"))
    probe = lr.load_event(sale("100", id="T-2"))
    assert capped.ledger.snapshot(capped.program, probe).issued["p/earn"].member.times == 1
    capped.process(confirmation("cancel"))
    issued = capped.ledger.snapshot(capped.program, probe).issued["p/earn"]
    assert (issued.member.times, issued.total.amount) == (0, 0)


# -- parts of a promise ----------------------------------------------------------------------------------------------

TWO_LINES = [{"id": "1", "quantity": "4", "value": "60"}, {"id": "2", "quantity": "1", "value": "40"}]
DAYS_30 = {"type": "fixed_period", "after": {"days": 30}}


def parcels(timing: dict = ON_SHIPPED, **parts: object) -> Till:
    """A till where T-1 has been promised 50: 30 for line 1, 20 for line 2."""
    till = Till(program(earn(fixed("50"), timing=timing, **parts)))
    till.sell(sale("100", lines=TWO_LINES, member={"id": "M1", "contacts": {"email": "m@example.org"}}))
    return till


def delivery(number: int, *lines: tuple[str, str], at: str = "2025-02-01T10:00:00Z", status: str = "Shipped") -> dict:
    return update(status, number, at, lines=[{"id": line, "quantity": quantity} for line, quantity in lines])


@pytest.mark.parametrize(
    ("deliveries", "after_each"),
    [
        ([[("1", "4")], [("2", "1")]], [(30, 20), (50, 0)]),
        ([[("2", "1")], [("1", "4")]], [(20, 30), (50, 0)]),
        # A piece of line 1 is worth 7.50: one gives 7, two 15, three 22.
        ([[("1", "1")], [("1", "1")], [("1", "1")]], [(7, 43), (15, 35), (22, 28)]),
        ([[("1", "3")], [("1", "1"), ("2", "1")]], [(22, 28), (50, 0)]),
        ([[("1", "9")]], [(30, 20)]),  # more than was bought is all of the line
        ([[("1", "0")]], [(0, 50)]),
        ([[("1", "4")], []], [(30, 20), (50, 0)]),  # an update without lines delivers the rest
    ],
)
def test_an_update_with_lines_releases_their_part_and_the_last_one_the_rest(deliveries: list, after_each: list) -> None:
    shipped = parcels()
    seen = []
    for number, lines in enumerate(deliveries, 1):
        shipped.process(delivery(number, *lines))
        seen.append(standing(shipped))
    assert seen == after_each
    assert shipped.ledger.check_invariants() == []


def test_each_part_is_a_lot_with_its_own_dates() -> None:
    shipped = parcels(expiry=DAYS_30)
    first = shipped.process(delivery(1, ("1", "4"), at="2025-02-01T10:00:00Z")).intents[0]
    rest = shipped.process(delivery(2, ("2", "1"), at="2025-02-11T10:00:00Z")).intents[0]

    assert isinstance(first, ReleasePromise)
    assert (first.key, first.lot, first.amount) == (f"{KEY}/release/U-1", f"{KEY}/release/U-1", 30)
    assert isinstance(rest, ReleasePromise)
    assert (rest.key, rest.lot, rest.amount) == (f"{KEY}/release", None, 20)
    lots = shipped.ledger.lots("acme", MEMBER, "points", instant("2025-02-11T10:00:00Z"))
    assert {(lot.key, lot.outstanding, str(lot.expires_on), lot.issue_key) for lot in lots} == {
        (KEY, 20, "2025-03-13", KEY),
        (f"{KEY}/release/U-1", 30, "2025-03-03", KEY),
    }


def test_an_update_that_does_not_satisfy_the_condition_delivers_nothing() -> None:
    shipped = parcels()
    assert shipped.process(delivery(1, ("1", "4"), status="Packed")).intents == ()
    shipped.process(delivery(2, ("2", "1")))
    assert standing(shipped) == (20, 30)


def test_lines_that_came_back_count_as_delivered() -> None:
    shipped = parcels(on_return="keep")
    back = {"type": "return", "id": "R-1", "of": "T-1", "amount": "60", "lines": [{"id": "1", "quantity": "4"}]}
    shipped.ledger.process(shipped.program, lr.load_event({**back, "occurred_at": "2025-01-20T10:00:00Z"}))
    shipped.process(delivery(1, ("2", "1")))
    assert standing(shipped) == (50, 0)


def test_a_return_takes_the_promise_before_the_parts_that_were_released() -> None:
    shipped = parcels()
    shipped.process(delivery(1, ("1", "4")))
    back = {"type": "return", "id": "R-1", "of": "T-1", "occurred_at": "2025-02-02T10:00:00Z"}
    shipped.process({**back, "amount": "40", "lines": [{"id": "1", "quantity": "2"}]})
    assert standing(shipped, "2025-02-02T10:00:00Z") == (30, 20)  # 50 points, whatever the rest of the sale is
    shipped.process({**back, "id": "R-2", "amount": "60"})
    assert standing(shipped, "2025-02-02T10:00:00Z") == (0, 0)
    assert shipped.ledger.check_invariants() == []


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (delivery(1, ("3", "1")), ("unknown_line",)),
        (delivery(1, ("1", "1"), at="2025-01-15T09:59:59Z"), ("too_early",)),
        (delivery(1, ("3", "1"), at="2025-01-15T09:59:59Z"), ("unknown_line", "too_early")),
    ],
)
def test_an_update_that_cannot_be_right_is_refused(change: dict, reasons: tuple) -> None:
    shipped = parcels()
    assert refused(shipped.process(change)) == reasons
    shipped.process(delivery(1, ("1", "4")))  # nothing of it was kept
    assert standing(shipped) == (30, 20)


def in_part(amount: str, number: int = 1, outcome: str = "issue", at: str = "2025-02-01T10:00:00Z") -> dict:
    return {**confirmation(outcome, number, at), "amount": amount}


def test_a_confirmation_of_an_amount_leaves_the_rest_promised() -> None:
    waiting = parcels(EXTERNAL)
    waiting.process(in_part("30"))
    assert standing(waiting) == (30, 20)
    waiting.process(in_part("5", 2, "cancel"))
    assert standing(waiting) == (30, 15)
    waiting.process(confirmation(number=3))
    assert standing(waiting) == (45, 0)
    assert refused(waiting.process(in_part("1", 4))) == ("already_resolved",)
    assert waiting.ledger.check_invariants() == []


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (in_part("51"), ("more_than_promised",)),
        (in_part("0.5"), ("not_a_unit",)),
        (in_part("50.5", at="2025-01-15T09:00:00Z"), ("more_than_promised", "not_a_unit", "too_early")),
    ],
)
def test_a_confirmation_that_cannot_be_right_is_refused(change: dict, reasons: tuple) -> None:
    waiting = parcels(EXTERNAL)
    assert refused(waiting.process(change)) == reasons
    assert standing(waiting) == (0, 50)


def test_a_part_that_would_have_expired_lapses() -> None:
    waiting = parcels(EXTERNAL, expiry={"type": "fixed_date", "on": "2025-01-31"})
    (cancelled,) = waiting.process(in_part("30")).intents
    assert isinstance(cancelled, CancelPromise)
    assert (cancelled.key, cancelled.outcome, cancelled.amount) == (f"{KEY}/cancel/C-1", "lapsed", 30)
    assert standing(waiting) == (0, 20)
