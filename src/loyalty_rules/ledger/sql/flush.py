"""A batch written: the page of what it has changed, table by table, and its receipt at the end of a chain.

Each change of the state is on the condition that the row is still what was read. Source: ledger 2 (P2, P4, P6).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, CursorResult, Executable, Table

from loyalty_rules.documents.structuring import unstructure
from loyalty_rules.intents import Intent, IssueCoupon
from loyalty_rules.ledger.errors import ConcurrentChangeError
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.protocol import Receipt
from loyalty_rules.ledger.sql.hash_chain import FIRST_LINK, content_digest, link_of
from loyalty_rules.ledger.sql.mapping import (
    MAX_AMOUNT,
    bounded,
    coupon_state_row,
    debt_row,
    draw_row,
    entry_row,
    lot_change_row,
    lot_parts,
    microseconds,
    new_lot_row,
    text_of_json,
    undoable_row,
)
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.ledger.sql.unit_of_work import Tracked, UnitOfWork
from loyalty_rules.lifecycle.records import CouponRecord, Lot

__all__ = ["ClaimedBatch", "Flush"]


@attrs.frozen
class ClaimedBatch:
    """A batch that has been claimed: its number, what it is recognised by, and the row that says so."""

    batch: int
    given: IdempotencyRecord
    row: Mapping[str, Any]


class Flush:
    """One batch being written from its page, on the connection of its storage."""

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        serials: SerialsAtRest,
        opened: ClaimedBatch,
        page: UnitOfWork,
    ) -> None:
        self._connection = connection
        self._run = statements
        self._serials = serials
        self._opened = opened
        self._unit = page
        self._rows = self._log_rows()
        self._documents: dict[str, tuple[dict[str, Any], bytes | None]] = {}  # by key: what is written twice

    def _write(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._connection.execute(statement, rows)

    def _change(self, statement: Executable, rows: Sequence[Mapping[str, Any]], what: str) -> None:
        """Write changes, each on a condition; if one of them finds no row, nothing of the batch is recorded."""
        if rows:
            changed: CursorResult[Any] = self._connection.execute(statement, rows)
            if changed.rowcount != len(rows):
                raise ConcurrentChangeError(what)

    # -- the state ---------------------------------------------------------------------------------------------------

    def write_state(self) -> None:
        """Write what lots, coupons and counters are now; raises `ConcurrentChangeError`."""
        self._write_lots()
        self._write_coupons()
        self._write_counters()

    def _write_lots(self) -> None:
        changed = [each for each in self._unit.lots.values() if each.changed]
        new = [each for each in changed if each.version is None]
        self._write(self._run.add_lots, [self._new_lot_row(each) for each in new])
        self._change(
            self._run.change_lots,
            [
                {
                    "lot": each.now.key,
                    "was": each.version,
                    **{f"new_{name}": value for name, value in lot_parts(each.now, each.latest_at).items()},
                }
                for each in changed
                if each.version is not None
            ],
            "a lot",
        )

    def _new_lot_row(self, lot: Tracked[Lot]) -> dict[str, Any]:
        sale = self._unit.new_sale
        assert sale is not None
        document, _ = self._document(lot.now.issue)
        return new_lot_row(lot.now, document, lot.latest_at, sale.program.id, sale.event.store)

    def _write_coupons(self) -> None:
        changed = [each for each in self._unit.coupons.values() if each.changed]
        self._write(self._run.add_coupons, [self._new_coupon_row(each) for each in changed if each.version is None])
        self._change(
            self._run.change_coupons,
            [
                {
                    "coupon": each.now.key,
                    "was": each.version,
                    "new_latest_at": microseconds(each.latest_at),
                    **{f"new_{name}": value for name, value in coupon_state_row(each.now).items()},
                }
                for each in changed
                if each.version is not None
            ],
            "a coupon",
        )

    def _new_coupon_row(self, coupon: Tracked[CouponRecord]) -> dict[str, Any]:
        issue, program = coupon.now.issue, self._opened.given.program
        document, fingerprint = self._document(issue)
        return {
            "key": issue.key,
            "program": program,
            "event": issue.event,
            "member": issue.member,
            "code": issue.code,
            "fingerprint": fingerprint,
            "issue": text_of_json(document),
            "expires_at": microseconds(issue.expires_at) if issue.expires_at is not None else None,
            **coupon_state_row(coupon.now),
            "latest_at": microseconds(coupon.latest_at),
            "version": 0,
        }

    def _write_counters(self) -> None:
        """Write the draws on each counter as one change; no two of them would find the same row twice."""
        sums: dict[tuple[str, str, str], tuple[int, int]] = {}
        for each in self._unit.draws:
            key = each.program, each.name, each.day.isoformat() if each.day is not None else NO_DAY
            amount, most = sums.get(key, (0, MAX_AMOUNT))
            sums[key] = amount + each.amount, min(most, each.most) if each.most is not None else most
        rows = [(*key, bounded(amount, f"the counter {key[1]}"), most) for key, (amount, most) in sorted(sums.items())]
        self._change(
            self._run.draw,
            [
                {"program": program, "name": name, "day": day, "value": amount, "most": most}
                for program, name, day, amount, most in rows
                if amount > 0
            ],
            "a counter",
        )
        self._change(
            self._run.give_back,
            [
                {"of_program": program, "counter": name, "on": day, "amount": amount}
                for program, name, day, amount, _ in rows
                if amount < 0
            ],
            "a counter",
        )

    def _document(self, intent: Intent) -> tuple[dict[str, Any], bytes | None]:
        """Write an intent, once: an issue stands with its lot or coupon and in the receipt. No serial is told."""
        known = self._documents.get(intent.key)
        if known is None:
            if isinstance(intent, IssueCoupon):
                known = self._serials.hidden(self._opened.given.program, intent)
            else:
                known = unstructure(intent), None
            self._documents[intent.key] = known
        return known

    # -- the log -----------------------------------------------------------------------------------------------------

    def write_log(self) -> None:
        """Add what has happened to the log."""
        for table, rows in self._rows.items():
            self._write(self._run.add_to[table], rows)

    def _log_rows(self) -> dict[Table, list[dict[str, Any]]]:
        """Give what the batch adds to the log, by table."""
        t, page, batch = self._run.tables, self._unit, self._opened.batch
        return {
            t.entries: [entry_row(each, batch) for each in page.entries],
            t.lot_changes: [lot_change_row(each, batch) for each in page.lot_changes],
            t.coupon_states: [
                {"batch": batch, "coupon": each.key, "at": microseconds(at), **coupon_state_row(each)}
                for at, each in page.coupon_states
            ],
            t.draws: [draw_row(each, batch) for each in page.draws],
            t.debts: [debt_row(each, batch) for each in page.debts],
            t.undoables: [undoable_row(program, each, batch) for program, each in page.undoables],
            t.undone: [{"key": key, "batch": batch} for key in page.undone],
        }

    def write_receipt(self, receipt: Receipt, terms: Mapping[str, str | None], chain: int) -> None:
        """Write what came of the batch at the end of a chain, which is held; `terms` are those of a new sale."""
        row: dict[str, Any] = {
            "batch": self._opened.batch,
            **terms,
            "intents": text_of_json([self._document(each)[0] for each in receipt.intents]),
            "trims": text_of_json(unstructure(receipt.trims)),
        }
        digest = content_digest(self._opened.row, row, self._rows)
        end = self._connection.execute(self._run.chain_end, {"chain": chain}).first()
        position, previous = (end.position, end.link) if end is not None else (0, FIRST_LINK)
        link = link_of(previous, digest)
        place = {"chain": chain, "position": position + 1, "digest": digest, "link": link}
        self._write(self._run.add_receipt, [{**row, **place}])
