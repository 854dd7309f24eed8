"""Named serials name their event and action, and are the same on every call."""

from __future__ import annotations

import loyalty_rules as lr
from loyalty_rules.serials import SerialRequest
from loyalty_rules.testing.named_serials import NamedSerials
from shop import program, sale


def test_a_serial_names_its_event_promotion_action_and_ordinal() -> None:
    request = SerialRequest(program="acme", coupon_type="mug", event="T1", promotion="gifts", action="mug", ordinal=2)

    assert NamedSerials().serial(request) == "T1-gifts-mug-2"
    assert NamedSerials().serial(request) == NamedSerials().serial(request)


def test_the_coupons_of_an_action_have_serials_of_their_own() -> None:
    coupon = {"type": "issue_coupon", "id": "c", "coupon_type": "gift", "quantity": 2}
    types = {"gift": {"benefit": {"type": "amount_off", "amount": "1"}}}
    shop = lr.load_program(program(coupon, coupon_types=types))

    evaluation = shop.evaluate(lr.load_event(sale()), serials=NamedSerials())

    issues = [intent for intent in evaluation.intents if intent.type == "issue_coupon"]
    assert [issue.serial for issue in issues] == ["T-1-p-c-1", "T-1-p-c-2"]
