"""Take back: the return of a sale's goods takes back currency, coupons and contributions to trackers."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import attrs

from loyalty_rules.events import Return
from loyalty_rules.intents import RedeemCoupon, ReverseCurrency, SpendCurrency
from loyalty_rules.ledger.kinds import SHORTFALLS, balance_name
from loyalty_rules.ledger.late import usable_lots
from loyalty_rules.ledger.locks import LockKey, account_lock, sale_lock
from loyalty_rules.ledger.operations.lookups import (
    coupons_of_sale,
    discounts_of,
    is_closed,
    is_earned,
    locked_account,
    locked_coupon,
    locked_sale,
    lots_around_sale,
    open_sale,
    payers_of,
    payments_of,
)
from loyalty_rules.ledger.operations.operation import Decision, EventOperation, Noted, unknown_sale
from loyalty_rules.ledger.receipts import ReturnReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import returns
from loyalty_rules.lifecycle.giving_back import Redeemed
from loyalty_rules.lifecycle.records import Account, Payment, Refusal, Sale, Shortfall
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
        sale = open_sale(storage, self.program, self._locked_sale(storage))
        if sale is None:
            return unknown_sale(of)
        payments = self._payments(storage)
        spends = [each for each in payments if isinstance(each.intent, SpendCurrency)]
        at = self.event.occurred_at
        own = storage.lots_of_sale(program, of)
        accounts = dict.fromkeys(lot.account for lot in own)
        if any(lot.origin is not None for lot in own):  # other accounts may have received units of the sale
            storage.lock(account_lock(program, each) for each in accounts)
            own = storage.lots_of_sale(program, of)
        buyer = sale.current().member
        member = buyer.id if buyer is not None else None
        lots = lots_around_sale(storage, self.program, self.identity(storage), own, accounts, at, member)
        keys = {draw.lot: None for each in spends for draw in getattr(each.intent, "draws", ())}
        drawn = {key: lot for key in keys if (lot := storage.lot(key)) is not None}
        coupons = coupons_of_sale(storage, self.program, of)
        decided = returns.take_back(
            sale,
            self.event,
            lots=usable_lots(storage, {**drawn, **lots}.values(), at),
            coupons=coupons,
            tracked={name: decimal_of(each) for name, each in storage.contributions(program, of).items()},
            redeemed=self._redeemed(storage, payments),
            spends=spends,
            shortfalls=self._shortfalls(storage, spends),
            discounts=discounts_of(storage, self.program, coupons),
        )
        if isinstance(decided, Refusal):
            return decided
        reversals = [each for each in decided.intents if isinstance(each, ReverseCurrency)]
        storage.save_sale(
            attrs.evolve(sale, returns=(*sale.returns, self.event), reversals=(*sale.reversals, *reversals))
        )
        return Noted(decided.intents, {"unrecovered": decided.unrecovered})

    def _locked_sale(self, storage: Storage) -> Sale | None:
        """Lock the sale, those of the coupons that paid for it, and the accounts of its lots and payments."""
        program, of = self.program, self.event.of
        payments = payments_of(storage, program, of)
        redeemed = (storage.coupon(each.intent.coupon) for each in payments if isinstance(each.intent, RedeemCoupon))
        issued_by = {coupon.issue.event for coupon in redeemed if coupon is not None}
        storage.lock(sale_lock(program.id, each) for each in (of, *issued_by))

        def locks_of(_: Sale) -> Iterator[LockKey]:
            yield from payers_of(storage, program, payments)
            for lot in storage.lots_of_sale(program.id, of):
                yield account_lock(program.id, lot.account)

        return locked_sale(storage, program, of, locks_of)

    def _payments(self, storage: Storage) -> Sequence[Payment]:
        """Return the spends and redemptions that paid for the sale and were not undone, in the order of record.

        A closed account gets nothing back.
        """
        payments = payments_of(storage, self.program, self.event.of)
        spent = (Account.of(each.intent) for each in payments if isinstance(each.intent, SpendCurrency))
        accounts = {each: locked_account(storage, self.program, each) for each in dict.fromkeys(spent)}
        if not accounts:
            return payments
        closed = {each for each, current in accounts.items() if self._is_closed(storage, current)}
        payments = payments_of(storage, self.program, self.event.of)  # again: one may have been undone meanwhile
        return [
            each
            for each in payments
            if not isinstance(each.intent, SpendCurrency) or Account.of(each.intent) not in closed
        ]

    def _is_closed(self, storage: Storage, account: Account) -> bool:
        return account.kind == "member" and is_closed(storage, self.program, account.id)

    def _shortfalls(self, storage: Storage, spends: Iterable[Payment]) -> list[Shortfall]:
        """Return the shortfalls of the balances that the spends drew on."""
        spent = (each.intent for each in spends if isinstance(each.intent, SpendCurrency))
        accounts = ((locked_account(storage, self.program, Account.of(each)), each.currency) for each in spent)
        balances = dict.fromkeys(balance_name(*each) for each in accounts)
        return [each for name in balances for each in storage.records(SHORTFALLS, self.program.id, balance=name)]

    def _redeemed(self, storage: Storage, payments: Iterable[Payment]) -> list[Redeemed]:
        """Return the redemptions of the sale that were not undone, each with its locked coupon."""
        redeemed: list[Redeemed] = []
        lost: set[str] = set()
        for each in payments:
            made = each.intent
            coupon = locked_coupon(storage, self.program, made.coupon) if isinstance(made, RedeemCoupon) else None
            if coupon is not None:
                is_kept = is_earned(storage, self.program, coupon, self.event.occurred_at, lost)
                redeemed.append(Redeemed(each, coupon, is_kept))
                if not is_kept:
                    lost.add(coupon.key)  # voided in this batch: one coupon less for the next to make good
        return redeemed
