"""The work of each form, as a multiple of ten plain rules: ten promotions of the form, over the same sale.

It counts instructions and calls into C, and reads no clock: the figures are the same under any load.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import effort

import loyalty_rules as lr

__all__ = ["FORMS", "plain", "program_of", "report", "sale", "snapshot", "work_of"]

RULES = 10
LINES = {"type": "line_item_value"}
CARD = {"lines": {"field": "category", "is": "C1"}}
FIFTH = {"type": "fixed", "amount": "5"}
PLAIN: dict[str, Any] = {"type": "multiplier", "percent": "10"}
PERIOD = {"type": "fixed_period", "after": {"months": 12}}


def _earn(proration: Any = None, **parts: Any) -> dict[str, Any]:
    action = {"type": "issue_currency", "id": "earn", "currency": "points", "rounding": {"currency": "down"}}
    return {**action, "proration": proration or PLAIN, "expiry": PERIOD, **parts}


def _of(base: dict[str, Any], percent: Any = "10") -> dict[str, Any]:
    return {"type": "proportional", "percent": percent, "of": base}


def _ten(*actions: dict[str, Any], parts: Mapping[str, Any] | None = None, **promotion: Any) -> dict[str, Any]:
    """Return a document of ten equal promotions."""
    given = [{"id": f"p{number}", "actions": [*actions], **promotion} for number in range(RULES)]
    redeem = {"redeem": {"points": "100", "value": "1"}}
    currencies = {"points": redeem, "stars": {}}
    document = {"format": "loyalty-rules/1", "id": "chain", "time_zone": "America/New_York", "currencies": currencies}
    return {**document, **(parts or {}), "promotions": given}


SPEND = {"spend": {"measure": {"type": "transaction_value"}, "target": "100"}}
REPEATS = {"trackers": {"spend": {**SPEND["spend"], "repeats": True}}}
HOUSEHOLD = {"trackers": {"spend": {**SPEND["spend"], "per": "member_group"}}}
STATUS = {
    "trackers": SPEND,
    "tiers": {
        "status": {"levels": ["blue", "gold"], "by": "spend", "from": {"gold": "1000"}, "lasts": {"type": "never"}}
    },
}
BANDS = {"type": "banded", "bands": [{"up_to": "50", "percent": "10"}, {"percent": "20"}]}
GIFT = {
    "gift": {
        "serial_managed": False,
        "code": "GIFT",
        "title": {"en": "Coffee", "pt": "Café"},
        "till_message": {"en": "{title}: {code}", "pt": "{title}: {code}"},
    }
}
COUPON = {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"}
PRICE = {"type": "spend_currency", "id": "price", "currency": "points", "amount": "5"}
EXTENSION = {"type": "extend_expiry", "id": "longer", "currency": "points", "after": {"months": 6}}
ROLLING = {"type": "rolling", "after": {"months": 12}, "most": {"years": 4}}

FORMS: Mapping[str, dict[str, Any]] = {
    "lines": _ten(_earn(_of(LINES))),
    "lines `less` a tender": _ten(_earn(_of({**LINES, "less": ["tenders.points"]}))),
    "`each_unit`": _ten(_earn(_of({**LINES, "aggregate": "each_unit"}))),
    "`crossings`": _ten(_earn(_of({"type": "crossings", "tracker": "spend"}, "1000")), parts=REPEATS),
    "`balance`": _ten(_earn(_of({"type": "balance", "currency": "points"}))),
    "`banded`": _ten(_earn(BANDS)),
    "`banded` over a tracker": _ten(_earn({**BANDS, "over": "spend"}), parts={"trackers": SPEND}),
    "a percentage by a text": _ten(_earn(_of({"type": "transaction_value"}, {"by": "store", "of": {"S1": "10"}}))),
    "`through`": _ten(_earn(expiry={**PERIOD, "through": "year"})),
    "several `dates`": _ten(
        _earn(
            expiry={
                "type": "fixed_recurring",
                "dates": [{"month": 6, "day": 30}, {"month": 12, "day": 31}],
                "least": {"days": 60},
            }
        )
    ),
    "`rolling` with `most`": _ten(_earn(expiry=ROLLING)),
    "`extend_expiry`": _ten(EXTENSION),
    "a `base` condition": _ten(
        _earn(), when={"base": {"type": "transaction_value", "less": ["shipping"]}, "at_least": "5"}
    ),
    "a `tier` condition": _ten(_earn(), when={"tier": "status", "at_least": "blue"}, parts=STATUS),
    "a `sample`": _ten(_earn(), when={"sample": "member.id", "salt": "s", "from": 0, "below": 100}),
    "a household's tracker": _ten(_earn(), when={"tracker": "spend", "crossed": True}, parts=HOUSEHOLD),
    "a group that chooses the most": _ten(
        _earn(), exclusive="g", parts={"groups": {"g": {"choose": "most", "of": "points"}}}
    ),
    "a limit in money": _ten(
        _earn(), parts={"limits": {"all": {"currency": "points", "per": "total", "money": "10000"}}}
    ),
    "a coupon with texts": _ten(COUPON, parts={"coupon_types": GIFT}),
    "a recipient": _ten(_earn(recipient={"field": "custom_fields.friend"})),
    "`spend_currency`": _ten(PRICE, _earn(FIFTH, currency="stars")),
}
"""A document of ten promotions for each form."""


def plain() -> dict[str, Any]:
    """Return the document of ten plain promotions: 10 % of the bill, for a year."""
    return _ten(_earn())


def program_of(document: dict[str, Any]) -> lr.Program:
    """Load a program; all are valid."""
    return lr.load_program(document)


def sale() -> lr.Transaction:
    """Return a sale of five lines that has all that the forms read."""
    lines = [
        {"id": str(place), "category": f"C{place}", "quantity": "2", "value": value}
        for place, value in enumerate(["12.40", "31.99", "8.50", "19.99", "27.12"], 1)
    ]
    event = lr.load_event(
        {
            "type": "transaction",
            "id": "T1",
            "occurred_at": "2025-03-12T10:30:00-05:00",
            "amount": "100",
            "store": "S1",
            "tenders": [{"type": "points", "amount": "10"}],
            "custom_fields": {"friend": "M2"},
            "member": {"id": "M1", "group": "G1"},
            "lines": lines,
        }
    )
    assert isinstance(event, lr.Transaction)
    return event


def snapshot() -> lr.Snapshot:
    """Return the facts before the sale."""
    return lr.load_snapshot({"balances": {"points": "5000"}, "trackers": {"spend": "40"}})


def work_of(document: dict[str, Any]) -> tuple[int, int]:
    """Count the instructions and the calls into C of one evaluation, after a first one that fills the caches."""
    program, event, known = program_of(document), sale(), snapshot()

    def work() -> None:
        program.evaluate(event, known)

    work()
    effort.instructions(work)
    return effort.instructions(work).total(), effort.calls_into_c(work).total()


def report() -> str:
    """Return a table of the work of each form, as multiples of ten plain rules."""
    base = work_of(plain())
    rows = [
        "| ten rules with | instructions | calls into C |",
        "| --- | ---: | ---: |",
        "| nothing more | 1.00 | 1.00 |",
    ]
    for name, document in FORMS.items():
        found = work_of(document)
        rows.append(f"| {name} | {found[0] / base[0]:.2f} | {found[1] / base[1]:.2f} |")
    return "\n".join(rows)
