"""The statements that the ledger's operations run, built once a ledger.

Every change of the state has a condition: its caller compares the number of changed rows with the expected number.
Source: ledger 2 (P2, P4).
"""

from typing import Any

from sqlalchemy import Select, Table, and_, bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.sql import ColumnElement

from loyalty_rules.keys import TRACKER_COUNTERS
from loyalty_rules.ledger.kinds import KINDS, PAYMENTS, Kind
from loyalty_rules.ledger.sql.dialects import Dialect
from loyalty_rules.ledger.sql.prepared import PreparedStatements
from loyalty_rules.ledger.sql.tables import HAS_UNITS, NO_DAY, Tables
from loyalty_rules.lifecycle.records import BUCKETS

__all__ = ["COUPON_COLUMNS", "LOT_COLUMNS", "KindStatements", "Statements"]

LOT_COLUMNS = (
    "account",
    *BUCKETS.values(),
    *("taken_back", "issue_on", "expires_on", "expires_at", "available_at", "last_on", "last_at", "latest_at", "batch"),
)
"""The columns of a lot that operations change."""

COUPON_COLUMNS = (
    "state",
    "remaining",
    "redeemed_by",
    "redeemed_at",
    "voided_at",
    "member",
    "expires_on",
    "expires_at",
    "topped_up",
    *("redemption", "redeemed_by_member", "redeemed_at_store", "uses_left", "left_in_all", "most", "taken"),
    "latest_at",
)
"""The columns of a coupon that operations change."""


class KindStatements:
    """The statements over the table of one kind of state."""

    def __init__(self, kind: Kind[Any], table: Table) -> None:
        self.by_key = select(table).where(table.c.key == bindparam("key"))
        of_program = select(table).where(table.c.program == bindparam("program")).order_by(table.c.number)
        self.found_by = {name: of_program.where(table.c[name] == bindparam("value")) for name in kind.found_by}
        self.add = insert(table)
        self.change = (
            update(table)
            .where(table.c.key == bindparam("record"), table.c.version == bindparam("expected_version"))
            .values(
                **{name: bindparam(f"new_{name}") for name in (*kind.found_by, "document", "latest_at")},
                version=table.c.version + 1,
            )
        )


class Statements:
    """The statements over one set of tables, in the SQL of one dialect."""

    def __init__(self, tables: Tables, dialect: Dialect) -> None:
        t = self.tables = tables
        self.prepared = PreparedStatements()
        self._batches(dialect)
        self._lots()
        self._coupons()
        self._counters(dialect)
        self.append_to = {table: insert(table) for table in t.written}
        self.kinds = {kind.name: KindStatements(kind, t.kinds[kind.name]) for kind in KINDS}
        payments = t.kinds[PAYMENTS.name]
        self.paying_stores = select(payments.c.key, payments.c.store).where(
            payments.c.store.is_not(None), payments.c.key.in_(bindparam("keys", expanding=True))
        )
        self.versions_of_records = (
            select(t.versions)
            .where(t.versions.c.kind == bindparam("kind"), t.versions.c.at <= bindparam("at"))
            .where(t.versions.c.key.in_(bindparam("keys", expanding=True)))
            .order_by(t.versions.c.number)
        )
        self.statement = (
            self.entries_with_batches()
            .where(*self._account(t.entries), t.entries.c.at <= bindparam("at"))
            .order_by(t.entries.c.number)
        )
        with_places = t.entries.join(t.batches).outerjoin(t.receipts, t.receipts.c.batch == t.entries.c.batch)
        self.entries_of_lots = (
            select(t.entries, t.batches.c.event, t.batches.c.phase, t.receipts.c.number.label("place"))
            .select_from(with_places)
            .where(t.entries.c.lot.in_(bindparam("lots", expanding=True)))
            .order_by(t.entries.c.number)
        )

    def _account(self, table: Table) -> tuple[ColumnElement[bool], ...]:
        return (
            table.c.program == bindparam("program"),
            table.c.kind == bindparam("kind"),
            table.c.account == bindparam("account"),
        )

    def entries_with_batches(self) -> Select[Any]:
        """Return a select of entries with the event and the phase of their batches, the parts of a batch's key."""
        t = self.tables
        return select(t.entries, t.batches.c.event, t.batches.c.phase).join(t.batches)

    def _batches(self, dialect: Dialect) -> None:
        t = self.tables
        b, r = t.batches, t.receipts
        self.claim = dialect.claim_statement(b)
        parts = t.personal.c.document.label("personal_parts")
        self.batch = (
            select(b, r.c.intents, r.c.trims, r.c.notes, r.c.personal, parts)
            .join(r)
            .outerjoin(t.personal, t.personal.c.batch == b.c.id)
            .where(b.c.program == bindparam("program"), b.c.event == bindparam("event"))
            .where(b.c.phase == bindparam("phase"))
        )
        self.add_receipt = insert(r)
        self.add_personal = insert(t.personal)
        self.erase = delete(t.personal).where(
            t.personal.c.program == bindparam("program"),
            t.personal.c.member.in_(bindparam("members", expanding=True)),
        )
        self.chain_end = (
            select(r.c.position, r.c.link).where(r.c.chain == bindparam("chain")).order_by(r.c.position.desc()).limit(1)
        )
        self.program = select(t.programs.c.document).where(t.programs.c.version == bindparam("version"))
        self.add_program = dialect.insert(t.programs).on_conflict_do_nothing()
        self.sale = (
            select(b.c.inputs, r.c.version, r.c.snapshot, parts)
            .join(r)
            .outerjoin(t.personal, t.personal.c.batch == b.c.id)
            .where(b.c.program == bindparam("program"), b.c.event == bindparam("event"), b.c.phase == "event")
            .where(r.c.version.is_not(None))
        )
        self.next_sales = (
            select(r.c.number, b.c.inputs, parts)
            .join(b, b.c.id == r.c.batch)
            .outerjoin(t.personal, t.personal.c.batch == b.c.id)
            .where(b.c.program == bindparam("program"), r.c.version.is_not(None), r.c.number > bindparam("after"))
            .order_by(r.c.number)
            .limit(bindparam("maximum"))
        )
        self.events_after_sale = (
            select(b.c.inputs, r.c.intents, parts)
            .join(r)
            .outerjoin(t.personal, t.personal.c.batch == b.c.id)
            .where(b.c.program == bindparam("program"), b.c.of == bindparam("event"), b.c.phase == "event")
            .where(b.c.event != b.c.of)
            .order_by(r.c.number)
        )

    def _lots(self) -> None:
        t = self.tables
        lots, changes = t.lots, t.lot_changes
        has_units = text(HAS_UNITS)  # without parameters, so that SQLite finds the index with this condition
        has_none, was_swept = text(f"NOT {HAS_UNITS}"), text("expired > 0")
        # With the place of the batch that wrote the lot in the order of record, for the extensions since then.
        every = select(lots, t.receipts.c.number.label("place")).join(t.receipts, t.receipts.c.batch == lots.c.batch)
        self.lot = every.where(lots.c.key == bindparam("key"))
        every = every.order_by(lots.c.number)
        of_program = every.where(lots.c.program == bindparam("program"))
        self.lots = every.where(lots.c.key.in_(bindparam("keys", expanding=True)))
        self.lots_of = every.where(*self._account(lots), has_units)
        self.swept_lots_of = every.where(*self._account(lots), has_none, was_swept, lots.c.expires_at > bindparam("at"))
        self.lots_of_sale = of_program.where(lots.c.event == bindparam("event"))
        self.lots_of_account = every.where(*self._account(lots), lots.c.currency == bindparam("currency"))
        self.balance_lots = self.lots_of.where(lots.c.currency == bindparam("currency"))
        self.changed_lots_of_account = self.lots_of_account.where(lots.c.latest_at > bindparam("at"))
        self.every_lot_of = every.where(*self._account(lots))
        # A lot leaves an account once: the member of a merge stands for another one for ever.
        self.lots_that_left = (
            select(lots, t.receipts.c.number.label("place"))
            .select_from(changes.join(lots, lots.c.key == changes.c.lot))
            .join(t.receipts, t.receipts.c.batch == lots.c.batch)
            .where(
                changes.c.previous == bindparam("account"),
                lots.c.program == bindparam("program"),
                lots.c.kind == bindparam("kind"),
                lots.c.currency == bindparam("currency"),
            )
        )
        self.due_promises = of_program.where(text("promised > 0"), lots.c.due_at <= bindparam("at"))
        self.expiring_lots = of_program.where(text("outstanding > 0"), lots.c.expires_at <= bindparam("at"))
        # A promise that was open at an instant is still open, or it has changed since.
        self.open_or_changed_since = of_program.where(or_(lots.c.promised > 0, lots.c.latest_at > bindparam("at")))
        self.next_lots = of_program.where(lots.c.number > bindparam("after")).limit(bindparam("maximum"))
        has_expired = and_(lots.c.outstanding > 0, lots.c.expires_at <= bindparam("at"))
        may_end = or_(has_expired, lots.c.held > 0, lots.c.latest_at > bindparam("at"))
        not_empty = or_(lots.c.outstanding > 0, lots.c.promised > 0, lots.c.held > 0)
        self.next_lots_with_units = self.next_lots.where(or_(not_empty, lots.c.latest_at > bindparam("at")))
        self.next_unrecorded_ends = self.next_lots.where(may_end)
        self.add_lots = insert(lots)
        self.change_lots = (
            update(lots)
            .where(lots.c.key == bindparam("lot"), lots.c.version == bindparam("expected_version"))
            .values(
                **{name: bindparam(f"new_{name}") for name in LOT_COLUMNS},
                version=lots.c.version + 1,
            )
        )
        self.changes_of_lots = (
            select(changes, t.receipts.c.number.label("place"))
            .outerjoin(t.receipts, t.receipts.c.batch == changes.c.batch)
            .where(changes.c.lot.in_(bindparam("lots", expanding=True)))
            .order_by(changes.c.number)
        )
        x = t.extensions
        of_program = (
            select(x, t.receipts.c.number.label("place"))
            .join(t.receipts, t.receipts.c.batch == x.c.batch)
            .where(x.c.program == bindparam("program"))
        )
        # The last ones first: lots with units were written not long ago. The numbers of an account's extensions have
        # the order of their places, since its lock is held from before the insert until the commit.
        self.last_extensions_of = (
            of_program.where(x.c.kind == bindparam("kind"), x.c.account == bindparam("account"))
            .where(x.c.number < bindparam("before"))
            .order_by(x.c.number.desc())
            .limit(bindparam("maximum"))
        )
        self.extensions_of_accounts = of_program.where(x.c.account.in_(bindparam("accounts", expanding=True))).order_by(
            t.receipts.c.number, x.c.number
        )

    def _coupons(self) -> None:
        t = self.tables
        coupons, states = t.coupons, t.coupon_states
        every = select(coupons).order_by(coupons.c.number)
        of_program = every.where(coupons.c.program == bindparam("program"))
        self.coupon = select(coupons).where(coupons.c.key == bindparam("key"))
        self.coupons_of_sale = of_program.where(coupons.c.event == bindparam("event"))
        self.coupons_of = of_program.where(coupons.c.member == bindparam("member"))
        self.first_by_code = of_program.where(coupons.c.code == bindparam("code")).limit(1)
        # Of the coupons with a shared code that a member holds, or nobody: those that can be redeemed at an instant,
        # the soonest to end first, and then, for the reasons of a refusal, any others.
        held = of_program.where(coupons.c.code == bindparam("code")).order_by(None).limit(bindparam("maximum"))
        soonest = coupons.c.expires_at.is_(None), coupons.c.expires_at, coupons.c.number
        usable = (
            held.where(coupons.c.state == "issued", coupons.c.valid_from <= bindparam("at"))
            .where(or_(coupons.c.expires_at.is_(None), coupons.c.expires_at > bindparam("at")))
            .order_by(*soonest)
        )
        others = held.order_by(*soonest)
        own, nobodys = coupons.c.member == bindparam("member"), coupons.c.member.is_(None)
        self.held_by_code = [usable.where(own), usable.where(nobodys), others.where(own), others.where(nobodys)]
        self.coupon_by_fingerprints = of_program.where(
            coupons.c.fingerprint.in_(bindparam("fingerprints", expanding=True))
        )
        self.is_serial_taken = select(coupons.c.number).where(
            coupons.c.fingerprint.in_(bindparam("fingerprints", expanding=True))
        )
        self.expiring_coupons = of_program.where(coupons.c.state == "issued", coupons.c.expires_at <= bindparam("at"))
        self.next_coupons = of_program.where(coupons.c.number > bindparam("after")).limit(bindparam("maximum"))
        self.add_coupons = insert(coupons)
        self.change_coupons = (
            update(coupons)
            .where(coupons.c.key == bindparam("coupon"), coupons.c.version == bindparam("expected_version"))
            .values(
                **{name: bindparam(f"new_{name}") for name in COUPON_COLUMNS},
                version=coupons.c.version + 1,
            )
        )
        self.states_of_coupons = (
            select(states)
            .where(states.c.coupon.in_(bindparam("coupons", expanding=True)), states.c.at <= bindparam("at"))
            .order_by(states.c.number)
        )

    def _counters(self, dialect: Dialect) -> None:
        t = self.tables
        counters, draws = t.counters, t.draws
        self.counters = select(counters.c.name, counters.c.day, counters.c.value).where(
            counters.c.program == bindparam("program"),
            counters.c.name.in_(bindparam("names", expanding=True)),
            or_(counters.c.day == NO_DAY, counters.c.day.between(bindparam("first"), bindparam("last"))),
        )
        without = func.replace(counters.c.name, bindparam("part"), "")
        self.counters_named = select(counters.c.name, counters.c.day, counters.c.value).where(
            counters.c.program == bindparam("program"), without != counters.c.name
        )
        draw = dialect.insert(counters)
        total = counters.c.value + draw.excluded.value
        self.draw = draw.on_conflict_do_update(
            index_elements=[counters.c.program, counters.c.name, counters.c.day],
            set_={"value": total},
            where=counters.c.value <= bindparam("maximum") - draw.excluded.value,  # the sum may be beyond 64 bits
        )
        self.counter = select(counters.c.value).where(
            *(counters.c[name] == bindparam(name) for name in ("program", "name", "day"))
        )
        self.give_back = (
            update(counters)
            .where(
                counters.c.program == bindparam("counter_program"),
                counters.c.name == bindparam("counter_name"),
                counters.c.day == bindparam("counter_day"),
            )
            .values(value=counters.c.value + bindparam("amount"))
        )
        self.draws_of_sale = (
            select(draws.c.name, draws.c.amount)
            .join(t.batches)
            .where(t.batches.c.program == bindparam("program"), t.batches.c.of == bindparam("event"))
            .where(draws.c.name.startswith(TRACKER_COUNTERS))
        )
