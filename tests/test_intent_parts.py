"""The parts of intents, which `loyalty_rules.intents` exports, too."""

from __future__ import annotations

from decimal import Decimal

from loyalty_rules import intent_parts, intents
from loyalty_rules.intent_parts import Claim, LotDraw, Settlement, Share
from loyalty_rules.loading import dump


def test_the_module_of_intents_exports_every_part() -> None:
    assert {*intent_parts.__all__} <= {*intents.__all__}
    assert all(getattr(intents, name) is getattr(intent_parts, name) for name in intent_parts.__all__)


def test_a_part_is_written_with_its_own_keys() -> None:
    assert dump(Share("1", Decimal("2.50"))) == {"line": "1", "amount": "2.5"}
    assert dump(LotDraw("acme/T-1/p/earn", Decimal(3))) == {
        "lot": "acme/T-1/p/earn", "amount": "3", "taken_from": "available",
    }  # fmt: skip
    assert dump(Settlement("a", "b", Decimal(1))) == {"lot": "a", "shortfall": "b", "amount": "1"}


def test_a_claim_without_days_is_written_without_them() -> None:
    assert dump(Claim("p/earn/total/lifetime", Decimal(100), Decimal(5))) == {
        "counter": "p/earn/total/lifetime", "limit": "100", "amount": "5",
    }  # fmt: skip
