"""The queries of a ledger over any storage. Nothing is written; an instant without an offset is refused."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import attrs

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.events import Event, Member, Snapshot, Transaction
from loyalty_rules.intents import SendMessage
from loyalty_rules.ledger.errors import ClosedAccount
from loyalty_rules.ledger.kinds import HOLDS, LEVELS, REMARKS, Kind, RecordT
from loyalty_rules.ledger.movements import movements_until, payments_of
from loyalty_rules.ledger.operations.arguments import read_account, read_argument, read_program, read_program_id
from loyalty_rules.ledger.operations.checkout import decide_checkout
from loyalty_rules.ledger.operations.expire import expiry_of
from loyalty_rules.ledger.operations.lookups import (
    current_event,
    current_member,
    is_closed,
    is_current,
    read_balance,
    read_lots,
    read_snapshot,
)
from loyalty_rules.ledger.operations.redeem_all import RedeemAll
from loyalty_rules.ledger.questions import expiring_units, explained, previewed, progress_of, tier_status
from loyalty_rules.ledger.receipts import Quote
from loyalty_rules.ledger.records import Balance, Entry, KnownMember, LotHistory, ReportLot, ReportRows
from loyalty_rules.ledger.reminders import reminders
from loyalty_rules.ledger.reports import Liability, liability_of, unit_values
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import promises
from loyalty_rules.lifecycle.explaining import EventExplanation
from loyalty_rules.lifecycle.levels import TierStatus, has_passed, standing_at
from loyalty_rules.lifecycle.progress import Expiring, Progress
from loyalty_rules.lifecycle.records import Account, CouponRecord, Hold, LevelChange, Lot, Refusal, Remark
from loyalty_rules.program import Preview, Program
from loyalty_rules.reports.issuance import By, Issuance, check_dimensions, fields_of, issuance_of
from loyalty_rules.reports.journal import FIELDS, Accounts, JournalEntry, Period, journal_of
from loyalty_rules.values.amounts import micros
from loyalty_rules.values.dates import read_instant
from loyalty_rules.values.identifiers import read_name, read_text

__all__ = ["Queries"]


class Queries:
    """The queries over one storage: see `Ledger` for each of them."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def snapshot(self, program: Program, event: Event) -> Snapshot:
        """Return the snapshot of an event: its counters and trackers, read in one batch."""
        current = current_event(self._storage, read_program(program), event)
        return read_snapshot(self._storage, program, current, program.counters(current))

    def quote(
        self,
        program: Program,
        codes: Sequence[str],
        spends: Sequence[tuple[Account, str, Decimal]],
        transaction: Transaction,
    ) -> Quote:
        """Return the answer that `redeem_all` would give now, for a cart; nothing is recorded. Source: semantics 9."""
        read = RedeemAll(program, codes, spends, transaction)
        try:
            decided = decide_checkout(self._storage, program, transaction, read.codes, read.spends)
        except ClosedAccount as closed:
            decided = closed.refusal
        if isinstance(decided, Refusal):
            return Quote("refused", refusal=decided)
        return Quote("quoted", decided)

    def preview(self, program: Program, event: Event) -> Preview:
        """Return the result that an event would have now; nothing is recorded, and no serial is needed."""
        return previewed(self._storage, program, event)

    def balance(self, program: Program | str, account: Account, currency: str, at: datetime) -> Balance:
        """Return the balance of an account as of an instant."""
        name, currency = read_program_id(program, currency), read_argument(read_name, "currency", currency)
        at = read_argument(read_instant, "at", at)
        return read_balance(self._storage, name, read_account(account), currency, at)

    def lots(self, program: Program | str, account: Account, currency: str, at: datetime) -> Sequence[Lot]:
        """Return an account's lots of a currency as of an instant, in the order of issue."""
        name, currency = read_program_id(program, currency), read_argument(read_name, "currency", currency)
        return read_lots(self._storage, name, read_account(account), currency, read_argument(read_instant, "at", at))[0]

    def promises(self, program: Program | str, at: datetime) -> Sequence[Lot]:
        """Return the promises that were open at an instant, in the order of issue."""
        return self._storage.promised_at(read_program_id(program), read_argument(read_instant, "at", at))

    def due(self, program: Program, at: datetime) -> Sequence[Lot]:
        """Return the promises that are due by an instant, in the order in which they are due."""
        program, at = read_program(program), read_argument(read_instant, "at", at)
        due = [lot for lot in self._storage.due_promises(program.id, at) if promises.is_due(lot, at)]
        return sorted(due, key=lambda lot: (lot.issue.due_at or at, lot.order))

    def expired(self, program: Program, at: datetime) -> Sequence[Lot | CouponRecord | Hold]:
        """Return the holds, lots and coupons that are over by `at` without a record of it, each in their order."""
        program, at = read_program(program), read_argument(read_instant, "at", at)
        candidates: list[Lot | CouponRecord] = [*self._storage.expiring_lots(program.id, at)]
        candidates += self._storage.expiring_coupons(program.id, at)
        return [*self._holds_over(program, at), *(each for each in candidates if any(expiry_of(each, at)))]

    def _holds_over(self, program: Program, at: datetime) -> Sequence[Hold]:
        """Return the holds that are over by `at` without a record of it, in the order of their ends."""
        over = [each for each in self._storage.records(HOLDS, program.id, state="open") if each.intent.until <= at]
        return sorted(over, key=lambda held: held.intent.until)

    def statement(self, program: Program | str, account: Account, at: datetime) -> Sequence[Entry]:
        """Return the entries of an account up to an instant, in the order of record.

        An operation that moves no units, such as an extension by hand, is an entry of 0 units without buckets.
        """
        program, account = read_program_id(program), read_account(account)
        at = read_argument(read_instant, "at", at)
        remarks = self._storage.records_at(REMARKS, program, at, account=f"{account.kind}/{account.id}")
        entries = self._storage.statement(program, account, at)
        if not remarks:
            return entries
        return sorted([*entries, *(_entry_of(program, each) for each in remarks)], key=lambda each: each.recorded_at)

    def coupon(self, program: Program | str, code: str) -> CouponRecord | None:
        """Return the coupon of a serial, in any spelling, or the first coupon with a shared code; None if unknown."""
        found = self._storage.coupons_by_code(read_program_id(program), read_argument(read_text, "code", code))
        return next(iter(found), None)

    def coupons(self, program: Program | str, member: str) -> Sequence[CouponRecord]:
        """Return the coupons of a member, in the order of issue."""
        return self._storage.coupons_of(read_program_id(program), read_argument(read_name, "member", member))

    def tier(self, program: Program, member: str, tier: str, at: datetime, group: str | None = None) -> TierStatus:
        """Return the level of a member in a tier as of an instant, and the way to the next level."""
        program, at = read_program(program), read_argument(read_instant, "at", at)
        found = next((each for each in program.tiers if each.id == tier), None)
        if found is None:
            raise InvalidValueError("tier", "unknown_reference", f"the program has no tier {describe(tier)}")
        named = Member(current_member(self._storage, program, read_argument(read_name, "member", member)), group)
        return tier_status(self._storage, program, found, named, at)

    def progress(self, program: Program, member: str, at: datetime, group: str | None = None) -> Progress:
        """Return the progress of a member towards the next milestones and levels."""
        program, at = read_program(program), read_argument(read_instant, "at", at)
        member = read_argument(read_name, "member", member)
        return progress_of(self._storage, program, member, at, group)

    def expiring(
        self, program: Program | str, account: Account, currency: str, at: datetime, before: datetime | date
    ) -> Sequence[Expiring]:
        """Return the units of an account as of an instant that expire before another, by their last day."""
        name, currency = read_program_id(program, currency), read_argument(read_name, "currency", currency)
        at = read_argument(read_instant, "at", at)
        if isinstance(before, datetime) or not isinstance(before, date):
            before = read_argument(read_instant, "before", before)
        return expiring_units(self._storage, name, read_account(account), currency, at, before)

    def explain(self, program: Program | str, event: str) -> EventExplanation | None:
        """Explain a recorded event; None if no such event was recorded."""
        return explained(self._storage, read_program_id(program), read_argument(read_name, "event", event))

    def reviewable(self, program: Program, at: datetime) -> Sequence[tuple[str, Account, date]]:
        """Return the levels whose period has passed by an instant: tier, account and last day."""
        program, at = read_program(program), read_argument(read_instant, "at", at)
        due = []
        for bound in program.plan.tiers:
            by_account: dict[Account, list[LevelChange]] = {}
            for change in self._storage.records(LEVELS, program.id, tier=bound.tier.id):
                by_account.setdefault(change.account, []).append(change)
            for account, changes in by_account.items():
                if not is_current(self._storage, program, account):
                    continue  # a merge has brought the level to another member, or the account is closed
                until = standing_at(bound.tier, changes, at).until
                if until is not None and has_passed(program, bound, until, at):
                    due.append((bound.tier.id, account, until))
        return due

    def record(self, kind: Kind[RecordT], key: str) -> RecordT | None:
        """Return the current record of a kind by its key."""
        return self._storage.record(kind, key)

    def reminders(self, program: Program, start: datetime, end: datetime) -> Sequence[SendMessage]:
        """Return the reminders of units that expire soon that are due in an interval. Source: semantics 15."""
        program = read_program(program)
        interval = read_argument(read_instant, "start", start), read_argument(read_instant, "end", end)
        return [*reminders(self._storage, program, *interval)]

    def members(self, program: Program) -> Sequence[KnownMember]:
        """Return the members of the recorded events, in the order of their first ones, with their last events.

        Activities of the program's own schedules do not count as events of a member. A member whose account is closed
        is left out.
        """
        own = tuple(f"{each.id}/" for each in program.schedules)
        known: dict[str, KnownMember] = {}
        for event in self._storage.sale_events(program.id):
            member = event.member
            if member is None or (own and event.id.startswith(own)):
                continue
            last = known.get(member.id)
            if last is None or last.last_event <= event.occurred_at:
                known[member.id] = KnownMember(member, event.occurred_at)
        return [*self._current(program, known.values())]

    def _current(self, program: Program, known: Iterable[KnownMember]) -> Iterable[KnownMember]:
        """Return members as those that they stand for since a merge; the last event of them counts."""
        current: dict[str, KnownMember] = {}
        for each in known:
            if is_closed(self._storage, program, each.member.id):
                continue
            name = current_member(self._storage, program, each.member.id)
            last = current.get(name)
            if last is None or last.last_event <= each.last_event:
                current[name] = attrs.evolve(each, member=attrs.evolve(each.member, id=name))
        return current.values()

    def report_rows(self, program: Program | str, at: datetime) -> ReportRows:
        """Return the rows of the reports as of an instant."""
        program = read_program_id(program)
        at = read_argument(read_instant, "at", at)
        rows = (_report_lot(history, at) for history in self._storage.lot_histories(program))
        lots: Iterable[ReportLot] = self._after_ended_holds(program, [row for row in rows if row is not None], at)
        lots = tuple(lots)
        payments = payments_of(entry for row in lots for entry in row.entries)
        stores = self._storage.paying_stores(program, dict.fromkeys(payments))
        return ReportRows(at, lots, tuple(self._storage.coupons_at(program, at)), stores)

    def liability(self, program: Program, at: datetime, values: Mapping[str, Decimal] | None = None) -> Liability:
        """Report the liability as of an instant from the lots and coupons that have something left."""
        at = read_argument(read_instant, "at", at)
        lots = self._lots_after_holds(program, self._storage.lots_with_units(program.id, at), at)
        return liability_of(program, at, lots, self._storage.coupons_at(program.id, at), values)

    def journal(
        self,
        program: Program,
        at: datetime,
        period: Period = "month",
        values: Mapping[str, Decimal] | None = None,
        accounts: Accounts | None = None,
    ) -> Sequence[JournalEntry]:
        """Return the accounting journal of points up to an instant."""
        at = read_argument(read_instant, "at", at)
        worth = unit_values(program, values)
        return journal_of(
            program.id, movements_until(self._storage, program, at, FIELDS), worth, program.money, period, accounts
        )

    def _lots_after_holds(self, program: Program, lots: Iterable[Lot], at: datetime) -> Iterator[Lot]:
        """Yield lots as of an instant, those of balances with held units after the holds that are over have ended."""
        held: dict[tuple[Account, str], set[str]] = {}
        for lot in lots:
            if micros(lot.held):
                held.setdefault((lot.account, lot.issue.currency), set()).add(lot.key)
            else:
                yield lot
        for (account, currency), keys in held.items():
            current = read_lots(self._storage, program.id, account, currency, at)[0]
            yield from (lot for lot in current if lot.key in keys)

    def issuance(self, program: Program, at: datetime, by: Sequence[By] = ()) -> Sequence[Issuance]:
        """Report the issuance as of an instant from sums, without the rows: see `reports.issuance`."""
        check_dimensions(by)
        at = read_argument(read_instant, "at", at)
        return issuance_of(movements_until(self._storage, program, at, fields_of(by)), by)

    def _after_ended_holds(self, program: str, rows: Sequence[ReportLot], at: datetime) -> Iterator[ReportLot]:
        """Yield the lots of a report as of an instant, after the holds that are over have ended."""
        balances = dict.fromkeys((row.lot.account, row.lot.issue.currency) for row in rows if micros(row.lot.held))
        current: dict[str, Lot] = {}
        ends: dict[str, list[Entry]] = {}
        for account, currency in balances:
            lots, _, releases = read_lots(self._storage, program, account, currency, at)
            current |= {lot.key: lot for lot in lots}
            for release in releases:
                for lot, target, units in release.moves():
                    when, key = release.released_at, release.key
                    end = Entry(key, program, account, currency, lot, "held", target, units, when, when, key)
                    ends.setdefault(lot, []).append(end)
        for row in rows:
            yield ReportLot(current.get(row.lot.key, row.lot), (*row.entries, *ends.get(row.lot.key, ())))


def _entry_of(program: str, remark: Remark) -> Entry:
    return Entry(
        remark.batch,
        program,
        remark.account,
        remark.currency or "",
        remark.about,
        remark.source,
        remark.target,
        remark.amount,
        remark.at,
        remark.recorded_at,
        remark.reason,
        remark.by,
    )


def _report_lot(history: LotHistory, at: datetime) -> ReportLot | None:
    lot = history.lot(at)
    if lot is None:
        return None
    return ReportLot(lot, tuple(each for each in history.entries if each.at <= at))
