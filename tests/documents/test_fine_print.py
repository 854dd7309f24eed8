"""Problems at load that the fine print names, each with its path and its code. Source: semantics 17, 18."""

from __future__ import annotations

from typing import Any

import pytest

import loyalty_rules as lr
from shop import NEVER, earn, fixed, program, proportional

SPEND = {"measure": {"type": "transaction_value"}, "target": "100"}
STATUS: dict[str, Any] = {
    "levels": ["bronze", "silver"],
    "by": "spend",
    "from": {"silver": "10"},
    "lasts": NEVER,
}
VALUE = {"type": "line_item_value"}
BY_UNIT = {**VALUE, "aggregate": "each_unit"}
BANDS = [{"up_to": "10", "percent": "1"}, {"percent": "2"}]
BALANCE = {"type": "balance", "currency": "points"}
PRICE = {"type": "spend_currency", "id": "price", "currency": "points", "amount": "5"}
EXTEND = {"type": "extend_expiry", "id": "visit", "currency": "points", "after": {"days": 1}}


def whole(*actions: dict, **parts: Any) -> dict:
    return program(*(actions or (earn(fixed("1")),)), trackers={"spend": SPEND}, tiers={"status": STATUS}, **parts)


def when(condition: dict) -> dict:
    return {**whole(), "promotions": [{"id": "p", "when": condition, "actions": [earn(fixed("1"))]}]}


def award(proration: dict) -> dict:
    return whole(earn(proration))


def by_path(**parts: Any) -> dict:
    return award({"type": "multiplier", "percent": {"by": "member.tier", "of": {"gold": "1"}, **parts}})


def card(amount: dict) -> dict:
    return whole(coupon_types={"card": {"benefit": {"type": "stored_value", "amount": amount}}})


def public(*actions: dict, **parts: Any) -> dict:
    code = {"code": "A", "public": True, "benefit": {"type": "amount_off", "amount": "1"}, **parts}
    return whole(*actions, coupon_types={"c": code})


def expiry(**parts: Any) -> dict:
    return whole(earn(fixed("1"), expiry=parts))


ACTION = "$.promotions[0].actions[0]"
WHEN = "$.promotions[0].when"
PROBLEMS: dict[str, tuple[dict, str, str]] = {
    "units in a tracker": (
        {**whole(), "trackers": {"spend": {**SPEND, "measure": BY_UNIT}}},
        "$.trackers.spend.measure.aggregate",
        "misplaced",
    ),
    "units in a condition": (when({"base": BY_UNIT, "at_least": "1"}), f"{WHEN}.base.aggregate", "misplaced"),
    "units in a card": (card(BY_UNIT), "$.coupon_types.card.benefit.amount.aggregate", "misplaced"),
    "units of a quantity": (
        award(proportional("1", {"type": "line_item_quantity", "aggregate": "each_unit"})),
        f"{ACTION}.proration.of.aggregate",
        "not_a_choice",
    ),
    "bands by line": (
        award({"type": "banded", "bands": BANDS, "of": {**VALUE, "aggregate": "each_line"}}),
        f"{ACTION}.proration.of.aggregate",
        "misplaced",
    ),
    "bands by unit": (
        award({"type": "banded", "bands": BANDS, "of": BY_UNIT}),
        f"{ACTION}.proration.of.aggregate",
        "misplaced",
    ),
    "bands that do not ascend": (
        award({"type": "banded", "bands": [BANDS[0], *BANDS]}),
        f"{ACTION}.proration.bands[1].up_to",
        "out_of_range",
    ),
    "a percentage by a number": (by_path(by="amount"), f"{ACTION}.proration.percent.by", "unknown_path"),
    "a percentage by a list": (by_path(by="member.tags"), f"{ACTION}.proration.percent.by", "unknown_path"),
    "a percentage by no level": (
        by_path(by="tiers.status"),
        f"{ACTION}.proration.percent.of.gold",
        "unknown_reference",
    ),
    "a percentage by nothing": (by_path(of={}), f"{ACTION}.proration.percent.of", "required"),
    "a limit in money without a rate": (
        whole(currencies={"points": {}}, limits={"l": {"currency": "points", "per": "member", "money": "1"}}),
        "$.limits.l.money",
        "no_rate",
    ),
    "a condition on a tracker's base": (
        when({"base": {"type": "event_value", "tracker": "spend"}, "at_least": "1"}),
        f"{WHEN}.base.type",
        "not_a_choice",
    ),
    "a condition on an account": (when({"base": BALANCE, "at_least": "1"}), f"{WHEN}.base.type", "not_a_choice"),
    "a condition on an action": (
        when({"base": {"type": "awarded", "actions": []}, "at_least": "1"}),
        f"{WHEN}.base.type",
        "not_a_choice",
    ),
    "a sample without a salt": (when({"sample": "member.id", "from": 0, "below": 50}), f"{WHEN}.salt", "required"),
    "a public code with serials": (public(serial_managed=True), "$.coupon_types.c.serial_managed", "misplaced"),
    "a public card": (
        public(benefit={"type": "stored_value", "amount": "1"}),
        "$.coupon_types.c.benefit",
        "misplaced",
    ),
    "a public code with uses": (public(uses=2), "$.coupon_types.c.uses", "misplaced"),
    "a public code with a holder": (
        public(redemption={"holder_only": True}),
        "$.coupon_types.c.redemption.holder_only",
        "misplaced",
    ),
    "a public code that starts later": (
        public(validity={"starts_after": {"days": 1}}),
        "$.coupon_types.c.validity.starts_after",
        "misplaced",
    ),
    "a public code that is issued": (
        public({"type": "issue_coupon", "id": "a", "coupon_type": "c"}),
        f"{ACTION}.coupon_type",
        "misplaced",
    ),
    "two codes that fold to one": (
        whole(
            coupon_types={
                "a": {"code": "DANKEFÜR100", "serial_managed": False},
                "b": {"code": "danke für-100", "serial_managed": False},
            }
        ),
        "$.coupon_types.b.code",
        "duplicate_code",
    ),
    "a level by a field of a member": (
        {**whole(), "tiers": {"status": {**STATUS, "lasts": {"type": "customer_field", "field": "renewal"}}}},
        "$.tiers.status.lasts.type",
        "not_a_choice",
    ),
    "a level by a field of an event": (
        {**whole(), "tiers": {"status": {**STATUS, "lasts": {"type": "transaction_field", "field": "until"}}}},
        "$.tiers.status.lasts.type",
        "not_a_choice",
    ),
    "an extension for a recipient": (whole({**EXTEND, "recipient": "member"}), f"{ACTION}.recipient", "unknown_key"),
    "an extension later": (whole({**EXTEND, "timing": {"type": "external"}}), f"{ACTION}.timing", "unknown_key"),
    "a spend for no action": (whole({**PRICE, "for": ["x"]}), f"{ACTION}.for[0]", "unknown_reference"),
    "a promotion named tier": (
        {**whole(), "promotions": [{"id": "tier", "actions": [earn(fixed("1"))]}]},
        "$.promotions[0].id",
        "reserved",
    ),
    "a group by nothing": (whole(groups={"g": {"choose": "least"}}), "$.groups.g.of", "required"),
    "dates beside a month": (
        expiry(type="fixed_recurring", month=1, day=1, dates=[{"month": 1, "day": 2}]),
        f"{ACTION}.expiry",
        "ambiguous",
    ),
    "an end of a unit without a period": (
        expiry(type="fixed_date", on="2025-01-01", through="month"),
        f"{ACTION}.expiry.through",
        "unknown_key",
    ),
    "a most that is not rolling": (
        expiry(type="fixed_period", after={"days": 1}, most={"days": 1}),
        f"{ACTION}.expiry.most",
        "unknown_key",
    ),
    "a recipient that is a number": (
        whole(earn(fixed("1"), recipient={"field": "amount"})),
        f"{ACTION}.recipient.field",
        "unknown_path",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_form_against_the_fine_print_is_a_problem_at_load(name: str) -> None:
    document, path, code = PROBLEMS[name]

    with pytest.raises(lr.DocumentError) as caught:
        lr.load_program(document)

    assert (path, code) in [(problem.path, problem.code) for problem in caught.value.problems]


def test_the_forms_beside_them_load() -> None:
    for document in (
        whole(earn(fixed("1")), PRICE),
        whole(earn(fixed("1")), EXTEND),
        award({"type": "banded", "bands": BANDS, "of": VALUE}),
        award(proportional("1", BY_UNIT)),
        by_path(),
        card(VALUE),
        public(),
        when({"base": VALUE, "at_least": "1"}),
    ):
        assert lr.load_program(document).id == "acme"
