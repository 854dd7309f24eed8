"""Every statement that the ledger's operations run, built once: what is looked up, and what is written.

`:name` stands for a value given when it is run. A change of the state is conditional, and whoever runs it looks at
the number of rows. Source: ledger 2 (P2, P4).
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Select, Table, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement

from loyalty_rules.ledger.sql.tables import NO_DAY, Tables
from loyalty_rules.lifecycle.records import BUCKETS

__all__ = ["Statements"]


def _given(name: str) -> Any:
    return bindparam(name)


class Statements:
    """The statements over one set of tables; `conflict_insert` is the dialect's insert that knows ON CONFLICT."""

    def __init__(self, tables: Tables, conflict_insert: Callable[[Table], Any]) -> None:
        t = self.tables = tables
        self._batches(conflict_insert)
        self._lots()
        self._coupons()
        self._counters(conflict_insert)
        # An undoing whose key is there already is refused by the key.
        added = (t.entries, t.lot_changes, t.coupon_states, t.draws, t.debts, t.undoables, t.undone)
        self.add_to = {table: insert(table) for table in added}
        self.debt = select(t.debts.c.amount).where(*self._account(t.debts), t.debts.c.currency == _given("currency"))
        self.debt_at = self.debt.where(t.debts.c.at <= _given("at"))
        self.statement = (
            self.entries_with_batches()
            .where(*self._account(t.entries), t.entries.c.at <= _given("at"))
            .order_by(t.entries.c.number)
        )
        self.entries_of_lots = (
            self.entries_with_batches()
            .where(t.entries.c.lot.in_(bindparam("lots", expanding=True)))
            .order_by(t.entries.c.number)
        )

    def _account(self, table: Table) -> tuple[ColumnElement[bool], ...]:
        return (
            table.c.program == _given("program"),
            table.c.kind == _given("kind"),
            table.c.account == _given("account"),
        )

    def entries_with_batches(self) -> Select[Any]:
        """Select entries with what the key of their batch is made of."""
        t = self.tables
        return select(t.entries, t.batches.c.event, t.batches.c.phase).join(t.batches)

    def _batches(self, conflict_insert: Callable[[Table], Any]) -> None:
        t = self.tables
        b, r = t.batches, t.receipts
        unless_there = conflict_insert(b).on_conflict_do_nothing()
        self.claim = unless_there.returning(b.c.id)
        # What is returned is reckoned once the row is in.
        scope = func.unnest(bindparam("scopes", type_=ARRAY(BigInteger))).column_valued("scope")
        held = select(func.count(func.pg_advisory_xact_lock(scope))).scalar_subquery()
        self.claim_and_hold = unless_there.returning(b.c.id, held)
        self.batch = (
            select(b, r.c.intents, r.c.trims)
            .join(r)
            .where(b.c.program == _given("program"), b.c.event == _given("event"), b.c.phase == _given("phase"))
        )
        self.add_receipt = insert(r)
        self.chain_end = (
            select(r.c.position, r.c.link).where(r.c.chain == _given("chain")).order_by(r.c.position.desc()).limit(1)
        )
        self.program = select(t.programs.c.document).where(t.programs.c.version == _given("version"))
        self.add_program = conflict_insert(t.programs).on_conflict_do_nothing()
        self.sale = (
            select(b.c.inputs, r.c.version, r.c.snapshot)
            .join(r)
            .where(b.c.program == _given("program"), b.c.event == _given("event"), b.c.phase == "event")
            .where(r.c.version.is_not(None))
        )
        self.after_sale = (
            select(b.c.inputs)
            .join(r)
            .where(b.c.program == _given("program"), b.c.of == _given("event"), b.c.phase == "event")
            .where(b.c.event != b.c.of)
            .order_by(r.c.number)
        )
        c = t.undoables
        self.cited = select(c.c.document).where(c.c.program == _given("program"), c.c.key == _given("key"))
        self.is_undone = select(t.undone.c.key).where(t.undone.c.key == _given("key"))
        self.cited_in = (
            select(c.c.document)
            .outerjoin(t.undone)
            .where(c.c.program == _given("program"), c.c.event == _given("event"), t.undone.c.key.is_(None))
            .order_by(c.c.number)
        )

    def _lots(self) -> None:
        t = self.tables
        lots, changes = t.lots, t.lot_changes
        something_left = or_(lots.c.outstanding > 0, lots.c.promised > 0)
        every = select(lots).order_by(lots.c.number)
        of_program = every.where(lots.c.program == _given("program"))
        self.lot = select(lots).where(lots.c.key == _given("key"))
        self.lots_of = every.where(*self._account(lots), something_left)
        self.lots_of_sale = of_program.where(lots.c.event == _given("event"))
        self.lots_of_account = every.where(*self._account(lots), lots.c.currency == _given("currency"))
        self.due = of_program.where(lots.c.promised > 0, lots.c.due_at <= _given("at"))
        self.expiring = of_program.where(lots.c.outstanding > 0, lots.c.expires_at <= _given("at"))
        # A promise that was open at an instant is open still, or something has happened to it since.
        self.promised_since = of_program.where(or_(lots.c.promised > 0, lots.c.latest_at > _given("at")))
        self.next_lots = of_program.where(lots.c.number > _given("after")).limit(_given("most"))
        self.add_lots = insert(lots)
        self.change_lots = (
            update(lots)
            .where(lots.c.key == _given("lot"), lots.c.version == _given("was"))
            .values(
                **{name: _given(f"new_{name}") for name in CHANGING_OF_LOT},
                version=lots.c.version + 1,
            )
        )
        self.changes_of_lots = (
            select(changes).where(changes.c.lot.in_(bindparam("lots", expanding=True))).order_by(changes.c.number)
        )

    def _coupons(self) -> None:
        t = self.tables
        coupons, states = t.coupons, t.coupon_states
        every = select(coupons).order_by(coupons.c.number)
        of_program = every.where(coupons.c.program == _given("program"))
        self.coupon = select(coupons).where(coupons.c.key == _given("key"))
        self.coupons_of_sale = of_program.where(coupons.c.event == _given("event"))
        self.coupons_of = of_program.where(coupons.c.member == _given("member"))
        self.coupons_by_code = of_program.where(coupons.c.code == _given("code"))
        self.coupon_by_fingerprint = of_program.where(coupons.c.fingerprint == _given("fingerprint"))
        self.is_taken = select(coupons.c.number).where(coupons.c.fingerprint == _given("fingerprint"))
        self.expiring_coupons = of_program.where(coupons.c.state == "issued", coupons.c.expires_at <= _given("at"))
        self.next_coupons = of_program.where(coupons.c.number > _given("after")).limit(_given("most"))
        self.add_coupons = insert(coupons)
        self.change_coupons = (
            update(coupons)
            .where(coupons.c.key == _given("coupon"), coupons.c.version == _given("was"))
            .values(
                **{name: _given(f"new_{name}") for name in CHANGING_OF_COUPON},
                version=coupons.c.version + 1,
            )
        )
        self.states_of_coupons = (
            select(states)
            .where(states.c.coupon.in_(bindparam("coupons", expanding=True)), states.c.at <= _given("at"))
            .order_by(states.c.number)
        )

    def _counters(self, conflict_insert: Callable[[Table], Any]) -> None:
        t = self.tables
        counters, draws = t.counters, t.draws
        self.counters = select(counters.c.name, counters.c.day, counters.c.value).where(
            counters.c.program == _given("program"),
            counters.c.name.in_(bindparam("names", expanding=True)),
            or_(counters.c.day == NO_DAY, counters.c.day.between(_given("first"), _given("last"))),
        )
        adding = conflict_insert(counters)
        added = counters.c.value + adding.excluded.value
        self.draw = adding.on_conflict_do_update(
            index_elements=[counters.c.program, counters.c.name, counters.c.day],
            set_={"value": added},
            where=added <= _given("most"),
        )
        self.give_back = (
            update(counters)
            .where(
                counters.c.program == _given("of_program"),
                counters.c.name == _given("counter"),
                counters.c.day == _given("on"),
            )
            .values(value=counters.c.value + _given("amount"))
        )
        self.draws_of_sale = (
            select(draws.c.name, draws.c.amount)
            .join(t.batches)
            .where(t.batches.c.program == _given("program"), t.batches.c.of == _given("event"))
            .where(draws.c.name.startswith("tracker/"))
        )


CHANGING_OF_LOT = (*BUCKETS.values(), "taken_back", "issue_on", "expires_on", "expires_at", "latest_at")
CHANGING_OF_COUPON = ("state", "remaining", "redeemed_by", "redeemed_at", "voided_at", "latest_at")
