"""Take back: the return of a sale's goods takes back currency, coupons and contributions to trackers."""

from datetime import datetime

import attrs

from loyalty_rules.events import Return
from loyalty_rules.intents import RedeemCoupon, ReverseCurrency
from loyalty_rules.ledger.operations.lookups import is_earned, locked_coupon, locked_sale, payments_of
from loyalty_rules.ledger.operations.operation import Decision, EventOperation, unknown_sale
from loyalty_rules.ledger.receipts import ReturnReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import returns
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["TakeBack"]


@attrs.frozen(field_transformer=checked)
class TakeBack(EventOperation[ReturnReceipt]):
    """A return, decided under the frozen terms of its sale."""

    program: Program
    event: Return
    recorded_at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[ReturnReceipt]:
        """Return the class of the receipt."""
        return ReturnReceipt

    def decide(self, storage: Storage) -> Decision:
        """Decide the amounts and coupons that the return takes back from the sale and from its accounts."""
        program, of = self.program.id, self.event.of
        sale = locked_sale(storage, self.program, of)
        if sale is None:
            return unknown_sale(of)
        own = {lot.key: lot for lot in storage.lots_of_sale(program, of)}
        accounts = dict.fromkeys(lot.account for lot in own.values())
        others = {lot.key: lot for account in accounts for lot in storage.lots_of(program, account)}
        decided = returns.take_back(
            sale,
            self.event,
            lots=[*({**others, **own}.values())],
            coupons=storage.coupons_of_sale(program, of),
            tracked={name: decimal_of(each) for name, each in storage.contributions(program, of).items()},
            redeemed=self._redeemed(storage),
        )
        if not isinstance(decided, Refusal):
            reversals = [each for each in decided if isinstance(each, ReverseCurrency)]
            storage.save_sale(
                attrs.evolve(sale, returns=(*sale.returns, self.event), reversals=(*sale.reversals, *reversals))
            )
        return decided

    def _redeemed(self, storage: Storage) -> list[returns.Redeemed]:
        """Return the redemptions of the sale that were not undone, each with its locked coupon."""
        redeemed: list[returns.Redeemed] = []
        lost: set[str] = set()
        payments = (each.intent for each in payments_of(storage, self.program, self.event.of))
        for each in payments:
            coupon = locked_coupon(storage, self.program, each.coupon) if isinstance(each, RedeemCoupon) else None
            if isinstance(each, RedeemCoupon) and coupon is not None:
                is_kept = is_earned(storage, self.program, coupon, lost)
                redeemed.append(returns.Redeemed(each, coupon, is_kept))
                if not is_kept:
                    lost.add(coupon.key)  # voided in this batch: one coupon less for the next to make good
        return redeemed
