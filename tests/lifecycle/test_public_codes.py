"""Public codes: issued and redeemed at once, within the caps of their type. Source: semantics 9, 17."""

from __future__ import annotations

from .checkouts import PERCENT, Shop, bill

# -- public codes -----------------------------------------------------------------------------------------------------


def test_a_public_code_is_issued_and_redeemed_at_once_and_an_undone_one_does_not_count() -> None:
    public = {"benefit": {"type": "amount_off", "amount": "5"}, "public": True, "code": "Hallo 5", "caps": {"total": 1}}
    shop = Shop(hello=public)
    event = bill("20")
    receipt = shop.ledger.redeem(shop.program, "hallo-5", event)
    assert [each.type for each in receipt.intents] == ["issue_coupon", "redeem_coupon"]
    assert receipt.redemption is not None
    other = shop.ledger.redeem(shop.program, "HALLO5", bill("20", name="P-2"))
    assert other.refusal is not None
    assert other.refusal.reasons == ("limit_reached",)
    undone = shop.ledger.undo_redemption(shop.program, receipt.redemption.key, event="U-1", at=event.occurred_at)
    assert [each.type for each in undone.intents] == ["undo_redemption", "void_coupon"]
    assert shop.ledger.redeem(shop.program, "HALLO5", bill("20", name="P-2")).status == "recorded"
    assert shop.ledger.check_invariants() == []
    again = shop.ledger.redeem(shop.program, "Hallo 5", event)
    assert (again.status, again.undone) == ("already_recorded", True)


def test_a_transaction_redeems_a_public_code_once_unless_its_cap_says_more() -> None:
    public = {"benefit": PERCENT, "public": True, "code": "TEN"}
    twice = {**public, "caps": {"per_transaction": 2}}
    for coupon_type, expected in ((public, ("limit_reached",)), (twice, ())):
        shop = Shop(ten=coupon_type)
        quote = shop.ledger.quote(shop.program, ["TEN", "ten"], [], bill("20"))
        assert (quote.refusal.reasons if quote.refusal is not None else ()) == expected
