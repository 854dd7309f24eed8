"""The coupons of the reference model: redemptions, their undoing, and the operations by hand."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime

from loyalty_rules.testing.ledgers.model.payments import Payments
from loyalty_rules.testing.ledgers.model.state import has_passed, worth
from loyalty_rules.testing.ledgers.reference_programs import GROUP_OF, Bill, ReferenceProgram
from loyalty_rules.testing.ledgers.reference_records import Account, Coupon, Lot, Redemption

__all__ = ["Coupons"]

ORDER = ("percent_off", "amount_off", "stored_value")
MONEY = 1_000_000  # millionths of a hundredth
UNUSABLE = {"redeemed": "already_redeemed", "voided": "voided", "expired": "expired"}


class Coupons(Payments, ABC):
    """The operations on coupons, and the bills that they pay."""

    @abstractmethod
    def is_earned(self, coupon: Coupon) -> bool:
        """Return whether returns of the coupon's own sale were due no more coupons than they could void."""

    def void(self, coupon: Coupon) -> None:
        """Void a coupon: it counts no longer."""
        coupon.state = "voided"
        for use in coupon.uses if not coupon.is_lost else ():
            self.counters.add(use.counter, use.day, -1)
        coupon.is_lost = True

    def find(self, coupon: Coupon, member: str | None, at: datetime) -> Coupon | None:
        """Return the coupon of a code; of a shared code that is not the member's and not nobody's, None.

        Those that can be redeemed come first, then the member's own, then the soonest to end, then by issue.
        """
        if coupon.rule.code is None:
            return coupon
        member = self.current(member)
        alike = [each for each in self.coupons.values() if each.rule.code == coupon.rule.code]
        alike = [each for each in alike if each.member is None or each.member == member]
        usable = [each for each in alike if each.state_at(at) == "issued" and each.valid_from <= at]
        mine = [each for each in usable or alike if each.member is not None]
        ending = sorted(mine or usable or alike, key=lambda each: each.expires_at or datetime.max.replace(tzinfo=UTC))
        return next(iter(ending), None)

    # -- bills

    def left_of_bill(self, bill: Bill) -> int:
        """Return the rest of a bill after its redemptions and spends, in millionths of a hundredth."""
        made = [each for each in self.redemptions.values() if each.bill.id == bill.id]
        spends = [each for each in self.spends.values() if each.event == bill.id]
        discounts = sum(each.discount - each.undone for each in made) * MONEY
        return bill.amount * MONEY - discounts - sum(self.left_of_spend(each) for each in spends)

    def discount_of(self, coupon: Coupon, left: int) -> int:
        """Return the discount of a coupon on a rest of a bill, in hundredths."""
        benefit = coupon.rule.benefit
        if benefit["type"] == "percent_off":
            return (left * int(benefit["percent"]) + 50 * MONEY) // (100 * MONEY)
        most = int(benefit["amount"]) * 100 if benefit["type"] == "amount_off" else coupon.remaining or 0
        return min(most, left // MONEY)

    def against_redemption(self, coupon: Coupon | None, bill: Bill, discount: int) -> list[str]:
        """Return the reasons to refuse a redemption."""
        if coupon is None:
            return ["wrong_member"]
        rule = coupon.rule
        made = [each for each in self.redemptions.values() if each.bill.id == bill.id and not each.is_undone]
        used = coupon.state == "redeemed" or any(each.coupon is coupon for each in made)
        others = [name for name in GROUP_OF if name != coupon.member]
        return [
            *(["voided"] if coupon.state == "voided" else []),
            *(["already_redeemed"] if used else []),
            *(["expired"] if coupon.state == "expired" or has_passed(coupon.expires_at, bill.at) else []),
            *(["not_yet_valid"] if bill.at < coupon.valid_from else []),
            *(["wrong_member"] if rule.holder_only and self.current(bill.member) in (None, *others) else []),
            *(["wrong_store"] if rule.stores is not None and bill.store not in rule.stores else []),
            *(["nothing_to_discount"] if not discount and not used else []),
        ]

    def redeem(self, coupon: Coupon | None, bill: Bill) -> tuple[list[str], Redemption | None]:
        """Redeem under the terms of the issue, and return the redemption; or return the reasons for a refusal."""
        discount = self.discount_of(coupon, self.left_of_bill(bill)) if coupon is not None else 0
        reasons = self.against_redemption(coupon, bill, discount)
        if reasons or coupon is None:
            return reasons, None
        return [], self.use(coupon, bill, discount)

    def use(self, coupon: Coupon, bill: Bill, discount: int) -> Redemption:
        """Record the redemption of a coupon."""
        if coupon.remaining is not None:
            coupon.remaining -= discount
        coupon.state = "issued" if coupon.remaining else "redeemed"
        key = f"acme/{bill.id}/redeem/{coupon.key.removeprefix('acme/')}"
        coupon.redeemed_by = key
        redemption = self.redemptions[key] = Redemption(key, coupon, bill, discount)
        return redemption

    def redeem_all(
        self, program: ReferenceProgram, coupons: Sequence[Coupon | None], spends: Sequence[tuple[Account, str, int]],
        bill: Bill,
    ) -> set[str]:  # fmt: skip
        """Redeem and spend the whole set in its order, and return no reasons; or return the reasons for a refusal."""
        self.end_holds(bill.at)
        left, reasons = self.left_of_bill(bill), list[str]()
        chosen: list[tuple[Coupon, int]] = []
        for coupon in sorted(coupons, key=lambda each: ORDER.index(each.rule.benefit["type"]) if each else -1):
            discount = self.discount_of(coupon, left) if coupon is not None else 0
            against = self.against_redemption(coupon, bill, discount)
            reasons += against
            if coupon is not None and not against:
                left -= discount * MONEY
                chosen.append((coupon, discount))
        for account, currency, amount in spends:
            against = self.against_spend(program, self.current_account(account), currency, amount, bill.at, left)
            left -= 0 if against else worth(currency, amount)
            reasons += against
        if not reasons:
            for coupon, discount in chosen:
                self.use(coupon, bill, discount)
            for account, currency, amount in spends:
                self.draw(bill.id, self.current_account(account), currency, amount, bill.at)
        return set(reasons)

    def undo_redemption(self, redemption: Redemption, at: datetime, amount: int | None = None) -> list[str]:
        """Reinstate the coupon, or a part of its value; void it at once if the sale that issued it has lost it."""
        coupon, stands = redemption.coupon, redemption.discount - redemption.undone
        if not stands:
            return ["already_undone"]
        if amount is not None and coupon.remaining is None:
            return ["not_stored_value"]
        if amount is not None and amount > stands:
            return ["more_than_redeemed"]
        part = stands if amount is None else amount
        redemption.undone += part
        is_earned = self.is_earned(coupon)
        has_ended = coupon.state in ("voided", "expired") or has_passed(coupon.expires_at, at)
        if coupon.remaining is not None and not has_ended:
            coupon.remaining += part
        if coupon.state == "redeemed":
            coupon.state = "issued"
        coupon.state = coupon.state_at(at)
        if redemption.is_undone and coupon.redeemed_by == redemption.key:
            coupon.redeemed_by = None
        if coupon.state == "issued" and not is_earned:
            self.take_back_coupon(coupon)
        return []

    def take_back_coupon(self, coupon: Coupon) -> None:
        """Void a coupon that its sale has lost; the sum that was added to a card stays on it."""
        self.void(coupon)
        kept = min(coupon.topped_up, coupon.remaining or 0)
        if kept:
            coupon.remaining, coupon.state = kept, "issued"

    # -- by hand

    def void_by_hand(self, coupon: Coupon, at: datetime) -> list[str]:
        """Void a coupon, and return no reasons; or return the reason for a refusal."""
        state = coupon.state_at(at)
        if state != "issued":
            return [UNUSABLE[state]]
        self.void(coupon)
        return []

    def reassign(self, coupon: Coupon, member: str, at: datetime) -> list[str]:
        """Move a coupon to another member, and return no reasons; or return the reason for a refusal."""
        state = coupon.state_at(at)
        if state != "issued":
            return [UNUSABLE[state]]
        coupon.member = self.current(member)
        return []

    def top_up(self, coupon: Coupon, amount: int, at: datetime) -> list[str]:
        """Add to a card, and return no reasons; or return the reasons for a refusal."""
        has_expired = coupon.state == "expired" or has_passed(coupon.expires_at, at)
        reasons = [
            *(["not_stored_value"] if coupon.remaining is None else []),
            *(["voided"] if coupon.state == "voided" else ["expired"] if has_expired else []),
        ]
        if not reasons:
            coupon.remaining = (coupon.remaining or 0) + amount
            coupon.topped_up += amount
            coupon.state = "issued"
        return reasons

    def extend_coupon(self, coupon: Coupon, end: datetime, at: datetime) -> list[str]:
        """Move the last day of a coupon, and return no reasons; or return the reason for a refusal."""
        if coupon.state == "voided":
            return ["voided"]
        return self.extended(coupon, end, at, has_expired=coupon.state == "expired")

    def extended(self, ending: Coupon | Lot, end: datetime, at: datetime, *, has_expired: bool = False) -> list[str]:
        """Move the end of a coupon or a lot, never to an earlier instant, and return no reasons; else the reason."""
        if has_expired or has_passed(ending.expires_at, at):
            return ["expired"]
        if ending.expires_at is None or end <= ending.expires_at:
            return ["not_later"]
        ending.expires_at = end
        return []
