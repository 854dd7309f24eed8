"""The posting of operations on an account: adjustments, transfers, merges, extensions by hand. Source: semantics 13."""

from collections.abc import Iterable

import attrs

from loyalty_rules.intents import (
    AdjustCurrency,
    ExtendCoupon,
    ExtendLot,
    ForgetMember,
    LotDraw,
    MergeAccounts,
    ReassignCoupon,
    TopUpCoupon,
    TransferCurrency,
)
from loyalty_rules.keys import (
    key_part,
    member_key,
)
from loyalty_rules.ledger import held_units
from loyalty_rules.ledger.batch_writer import BatchWriter
from loyalty_rules.ledger.kinds import (
    ADJUSTMENTS,
    MERGERS,
    REMARKS,
    SHORTFALLS,
    balance_name,
)
from loyalty_rules.ledger.records import ExpiryVersion
from loyalty_rules.lifecycle.adjusting import lot_of_adjustment
from loyalty_rules.lifecycle.forgetting import CLOSED
from loyalty_rules.lifecycle.records import (
    Account,
    Adjustment,
    Lot,
    Merger,
    Remark,
)
from loyalty_rules.lifecycle.transferring import lot_of_transfer
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["AccountPosting"]


class AccountPosting(BatchWriter):
    """The writes of the intents of operations on an account."""

    def adjust_currency(self, intent: AdjustCurrency) -> AdjustCurrency:
        self.void_units(intent.draws, intent)
        if micros(intent.amount) > 0:
            waits = intent.state == "promised"
            issue = lot_of_adjustment(intent)
            entry = self.entry(
                issue, "issued", "promised" if waits else "available", issue.amount, intent.reason, by=intent.by
            )
            lot = Lot(issue, 0, issue_on=issue.issue_on)
            self.storage.add_lot(lot, entry)
            self.keep_issue(lot)
            if issue.expires_at is not None:
                self.storage.set_expiry(issue.key, ExpiryVersion(self.at, issue.expires_on, issue.expires_at))
            if waits:
                self.storage.save_record(
                    ADJUSTMENTS, self.program.id, Adjustment(issue.key, intent.by, self.at), self.at
                )
            else:
                self.pay_debt(issue.key)
        return intent

    def void_units(self, draws: Iterable[LotDraw], intent: AdjustCurrency | TransferCurrency) -> None:
        """Void available units for the reason of a person."""
        for each in draws:
            self.recall(each.lot, "available", each.amount, intent.key)
            self.move(each.lot, "available", "voided", each.amount, intent.reason, by=intent.by)

    def transfer_currency(self, intent: TransferCurrency) -> TransferCurrency:
        self.count(intent.claims)
        moved = [(self.lot(each.lot), lot_of_transfer(intent, each, self.lot(each.lot))) for each in intent.draws]
        for source, issue in moved:
            self.recall(source.key, "available", issue.amount, intent.key)
            self.move_on(source, "available", issue, intent.reason, intent.by)
        self.void_units(intent.fee_draws, intent)
        for _, issue in moved:
            self.pay_debt(issue.key)
        return intent

    def merge_accounts(self, intent: MergeAccounts) -> MergeAccounts:
        self.count(intent.claims)
        program = self.program.id
        old, new = Account("member", intent.from_member), Account("member", intent.into_member)
        merger = Merger(member_key(program, old.id), old.id, new.id, self.at)
        self.storage.save_record(MERGERS, program, merger, self.at)
        self.end_holds_on(self.storage.lots_of(program, old))
        held_units.move_holds(self, old, new)
        lots = self.storage.every_lot_of(program, old)
        for number, lot in enumerate(lots, 1):
            self.remark_on_merge(intent, number, lot, old, new)
            self.storage.set_member(lot.key, self.at, new.id)
        if not lots:
            for account in (old, new):
                key = f"{intent.key}/{key_part(account.id)}"
                self.remark(key, account, None, intent.from_member, intent.reason, intent.by)
        for coupon in self.storage.coupons_of(program, old.id):
            self.change_coupon(coupon.key, member=new.id)
        self.move_shortfalls(intent, old, new)
        self.pay_debts(new)
        return intent

    def remark_on_merge(self, intent: MergeAccounts, number: int, lot: Lot, old: Account, new: Account) -> None:
        """Show in both statements which units of a lot went from one account to the other."""
        for bucket in ("promised", "available", "held"):
            units = lot.buckets[bucket]
            if not micros(units):
                continue
            for account, source, target in ((old, bucket, "moved"), (new, "moved", bucket)):
                key = f"{intent.key}/{number}/{bucket}/{key_part(account.id)}"
                currency, batch = lot.issue.currency, self.identity
                line = (intent.reason, intent.by, source, target, units)
                remark = Remark(key, account, currency, lot.key, batch.key, self.at, batch.recorded_at, *line)
                self.storage.save_record(REMARKS, self.program.id, remark, self.at)

    def move_shortfalls(self, intent: MergeAccounts, old: Account, new: Account) -> None:
        """Close the open shortfalls of an account, and open them again for another one, with their own instants."""
        for currency in (each.id for each in self.program.currencies):
            shortfalls = self.storage.records(SHORTFALLS, self.program.id, balance=balance_name(old, currency))
            for number, short in enumerate((each for each in shortfalls if micros(each.open)), 1):
                key = f"{intent.key}/{currency}/{number}"
                moved = attrs.evolve(short, key=key, account=new, amount=short.open)
                self.settle(short, micros(short.open))
                self.storage.save_record(SHORTFALLS, self.program.id, moved, self.at)

    def forget_member(self, intent: ForgetMember) -> ForgetMember:
        program, account = self.program.id, Account("member", intent.member)
        for part in intent.draws:
            self.move(part.lot, "available", "voided", part.amount, CLOSED, by=intent.by)
        for debt in intent.written_off:
            shortfall = self.storage.record(SHORTFALLS, debt.shortfall)
            assert shortfall is not None
            self.settle(shortfall, micros(debt.amount))
        closing = Merger(member_key(program, account.id), account.id, None, self.at)
        self.storage.save_record(MERGERS, program, closing, self.at)
        self.remark(intent.key, account, None, intent.member, intent.reason, intent.by)
        self.storage.erase(program, intent.members)
        return intent

    def extend_lot_by_hand(self, intent: ExtendLot) -> ExtendLot:
        lot = self.lot(intent.lot)
        self.recall_swept(intent.lot, intent.key)
        self.storage.set_expiry(intent.lot, ExpiryVersion(self.at, intent.expires_on, intent.expires_at))
        self.remark(intent.key, lot.account, lot.issue.currency, intent.lot, intent.reason, intent.by)
        return intent

    def extend_coupon(self, intent: ExtendCoupon) -> ExtendCoupon:
        swept = self.coupon(intent.coupon).state == "expired"  # by a sweep after the instant of the extension
        state = {"state": "issued"} if swept else {}
        self.change_coupon(intent.coupon, expires_on=intent.expires_on, expires_at=intent.expires_at, **state)
        self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        return intent

    def reassign_coupon(self, intent: ReassignCoupon) -> ReassignCoupon:
        self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        self.change_coupon(intent.coupon, member=intent.member)
        if intent.from_member != intent.member:
            received = f"{intent.key}/{key_part(intent.member)}"
            self.remark_on_coupon(received, intent.coupon, intent.reason, intent.by)
        return intent

    def top_up_coupon(self, intent: TopUpCoupon) -> TopUpCoupon:
        coupon = self.coupon(intent.coupon)
        added = decimal_of(micros(coupon.topped_up) + micros(intent.amount))
        self.change_coupon(intent.coupon, state="issued", remaining=intent.remaining, topped_up=added)
        self.remark_on_coupon(intent.key, intent.coupon, intent.reason, intent.by)
        return intent

    def remark_on_coupon(self, key: str, coupon: str, reason: str, by: str) -> None:
        """Record an operation on a coupon for the statement of the member who has it."""
        member = self.coupon(coupon).member
        if member is not None:
            self.remark(key, Account("member", member), None, coupon, reason, by)
