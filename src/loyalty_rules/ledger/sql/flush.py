"""The flush of a batch: its unit of work is written table by table, and its receipt at the end of a chain.

Each change of the state has the condition that the row still has the version that was read. Source: ledger 2 (P2, P4,
P6).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, Executable, Table

from loyalty_rules.documents.structuring import unstructure
from loyalty_rules.intents import Intent, IssueCoupon
from loyalty_rules.ledger.errors import ConcurrentChangeError
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.notes import notes_of
from loyalty_rules.ledger.personal import Parts, member_in, member_of
from loyalty_rules.ledger.receipts import Receipt
from loyalty_rules.ledger.sql.hash_chain import FIRST_LINK, content_digest, link_of, personal_digest
from loyalty_rules.ledger.sql.mapping import (
    MAX_AMOUNT,
    bounded,
    coupon_state_row,
    draw_row,
    entry_row,
    extension_row,
    lot_change_row,
    lot_state_row,
    microseconds,
    new_coupon_row,
    new_lot_row,
    record_row,
    text_of_json,
    version_row,
)
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.ledger.sql.unit_of_work import Tracked, UnitOfWork
from loyalty_rules.lifecycle.records import CouponRecord, Lot

__all__ = ["ClaimedBatch", "Flush"]

_SALT_BYTES = 32


@attrs.frozen
class ClaimedBatch:
    """A batch that has been claimed: its number, its idempotency record, its row, and its personal parts."""

    number: int
    record: IdempotencyRecord
    row: Mapping[str, Any]
    personal: Parts


class Flush:
    """The writer of one batch from its unit of work, on the connection of its storage."""

    def __init__(
        self,
        connection: Connection,
        statements: Statements,
        serials: SerialsAtRest,
        batch: ClaimedBatch,
        unit: UnitOfWork,
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._serials = serials
        self._batch = batch
        self._unit = unit
        self._rows = self._log_rows()
        self._documents: dict[tuple[type, str], tuple[dict[str, Any], bytes | None]] = {}  # of intents written twice

    def _write(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._statements.prepared.execute(self._connection, statement, rows)

    def _change(self, statement: Executable, rows: Sequence[Mapping[str, Any]], what: str) -> None:
        """Run a conditional change; raises `ConcurrentChangeError` if one of the rows does not meet its condition."""
        if rows:
            changed = self._statements.prepared.execute(self._connection, statement, rows)
            if changed.rowcount != len(rows):
                raise ConcurrentChangeError(what)

    # -- the state ---------------------------------------------------------------------------------------------------

    def write_state(self) -> None:
        """Write the current lots, coupons, counters and records; raises `ConcurrentChangeError`."""
        self._write_lots()
        self._write_coupons()
        self._write_counters()
        self._write_records()

    def _write_lots(self) -> None:
        changed = [each for each in self._unit.lots.values() if each.changed]
        new = [each for each in changed if each.version is None]
        self._write(self._statements.add_lots, [self._new_lot_row(each) for each in new])
        self._change(
            self._statements.change_lots,
            [
                {
                    "lot": each.current.key,
                    "expected_version": each.version,
                    **{f"new_{name}": value for name, value in self._lot_state_row(each).items()},
                }
                for each in changed
                if each.version is not None
            ],
            "a lot",
        )

    def _lot_state_row(self, lot: Tracked[Lot]) -> dict[str, Any]:
        return lot_state_row(lot.current, lot.latest_at, self._batch.number)

    def _new_lot_row(self, lot: Tracked[Lot]) -> dict[str, Any]:
        document, _ = self._document(lot.current.issue)
        first = next(each for each in self._unit.entries if each.lot == lot.current.key)
        batch = self._batch
        return new_lot_row(lot.current, document, first.at, lot.latest_at, batch.record.program, batch.number)

    def _write_coupons(self) -> None:
        changed = [each for each in self._unit.coupons.values() if each.changed]
        self._write(
            self._statements.add_coupons, [self._new_coupon_row(each) for each in changed if each.version is None]
        )
        self._change(
            self._statements.change_coupons,
            [
                {
                    "coupon": each.current.key,
                    "expected_version": each.version,
                    "new_latest_at": microseconds(each.latest_at),
                    **{f"new_{name}": value for name, value in coupon_state_row(each.current).items()},
                }
                for each in changed
                if each.version is not None
            ],
            "a coupon",
        )

    def _new_coupon_row(self, coupon: Tracked[CouponRecord]) -> dict[str, Any]:
        current = coupon.current
        issue, state = current.issue, coupon_state_row(current)
        document, fingerprint = self._document(issue)
        latest_at = microseconds(coupon.latest_at)
        return new_coupon_row(
            self._batch.record.program, issue, document, fingerprint, state, latest_at, current.tier, current.channel
        )

    def _write_counters(self) -> None:
        """Write the sum of the draws on each counter in one change, so that the condition applies to the sum."""
        sums: dict[tuple[str, str, str], tuple[int, int]] = {}
        for each in self._unit.draws:
            key = each.program, each.name, each.day.isoformat() if each.day is not None else NO_DAY
            amount, maximum = sums.get(key, (0, MAX_AMOUNT))
            sums[key] = amount + each.amount, min(maximum, each.most) if each.most is not None else maximum
        # In one order everywhere, so that two transactions do not wait for each other's rows.
        rows = [
            (*key, bounded(amount, f"the counter {key[1]}"), maximum) for key, (amount, maximum) in sorted(sums.items())
        ]
        drawn = [
            {"program": program, "name": name, "day": day, "value": amount, "maximum": maximum}
            for program, name, day, amount, maximum in rows
            if amount > 0
        ]
        try:
            self._change(self._statements.draw, drawn, "a counter")
        except ConcurrentChangeError:
            self._check_sums(drawn)
            raise
        self._change(
            self._statements.give_back,
            [
                {"counter_program": program, "counter_name": name, "counter_day": day, "amount": amount}
                for program, name, day, amount, _ in rows
                if amount < 0
            ],
            "a counter",
        )

    def _check_sums(self, drawn: Iterable[Mapping[str, Any]]) -> None:
        """Raise `AmountOutOfRangeError` for a counter that these draws would bring beyond 64 bits."""
        for row in drawn:
            of = {name: row[name] for name in ("program", "name", "day")}
            value = self._connection.execute(self._statements.counter, of).scalar_one_or_none() or 0
            bounded(value + row["value"], f"the counter {row['name']}")

    def _write_records(self) -> None:
        """Write the last version of each record that the batch has saved."""
        last = {(each.kind.name, each.record.key): each for each in self._unit.versions}
        for kind in dict.fromkeys(name for name, _ in last):
            statements = self._statements.kinds[kind]
            saved = [(last[of], self._unit.records[of]) for of in last if of[0] == kind]
            self._write(
                statements.add,
                [
                    {
                        "key": each.record.key,
                        "program": each.program,
                        **record_row(each.kind, each.record, tracked.latest_at),
                        "version": 0,
                    }
                    for each, tracked in saved
                    if tracked.version is None
                ],
            )
            self._change(
                statements.change,
                [
                    {
                        "record": each.record.key,
                        "expected_version": tracked.version,
                        **{
                            f"new_{name}": value
                            for name, value in record_row(each.kind, each.record, tracked.latest_at).items()
                        },
                    }
                    for each, tracked in saved
                    if tracked.version is not None
                ],
                f"a record of {kind}",
            )

    def _document(self, intent: Intent) -> tuple[dict[str, Any], bytes | None]:
        """Return the document of an intent, without a serial, and the keyed hash of that serial.

        It is built once: an issue is written with its lot or coupon, and again in the receipt. An adjustment has the
        key of the issue that its lot is made of.
        """
        of = type(intent), intent.key
        known = self._documents.get(of)
        if known is None:
            if isinstance(intent, IssueCoupon):
                known = self._serials.hide(self._batch.record.program, intent)
            else:
                known = unstructure(intent), None
            self._documents[of] = known
        return known

    # -- the log -----------------------------------------------------------------------------------------------------

    def write_log(self) -> None:
        """Append the rows of the batch to the log, except the receipt."""
        for table, rows in self._rows.items():
            self._write(self._statements.append_to[table], rows)

    def _log_rows(self) -> dict[Table, list[dict[str, Any]]]:
        """Return the rows that the batch appends to the log, by table."""
        t, unit, batch = self._statements.tables, self._unit, self._batch.number
        return {
            t.entries: [entry_row(each, batch) for each in unit.entries],
            t.lot_changes: [lot_change_row(each, batch) for each in unit.lot_changes],
            t.extensions: [extension_row(each, batch) for each in unit.extensions],
            t.coupon_states: [
                {"batch": batch, "coupon": each.key, "at": microseconds(at), **coupon_state_row(each)}
                for at, each in unit.coupon_states
            ],
            t.draws: [draw_row(each, batch) for each in unit.draws],
            t.versions: [version_row(each, batch) for each in unit.versions],
        }

    def write_receipt(self, receipt: Receipt, terms: Mapping[str, str | None], chain: int) -> None:
        """Write the receipt at the end of a chain, which is locked; `terms` are those of a new sale."""
        notes = notes_of(receipt)
        row: dict[str, Any] = {
            "batch": self._batch.number,
            **terms,
            "intents": text_of_json([self._document(each)[0] for each in receipt.intents]),
            "trims": text_of_json(unstructure(receipt.trims)),
            "notes": text_of_json(notes) if any(notes.values()) else None,
            "personal": self._write_personal_parts(),
        }
        digest = content_digest(self._batch.row, row, self._rows)
        end = self._statements.prepared.execute(self._connection, self._statements.chain_end, {"chain": chain}).first()
        position, previous = (end.position, end.link) if end is not None else (0, FIRST_LINK)
        link = link_of(previous, digest)
        link_columns = {"chain": chain, "position": position + 1, "digest": digest, "link": link}
        self._write(self._statements.add_receipt, [{**row, **link_columns}])

    def _write_personal_parts(self) -> str | None:
        """Write the personal parts of the inputs beside the log; return their member and digest, None without parts.

        The parts of a later event belong to the member of its sale.
        """
        batch = self._batch
        if not batch.personal:
            return None
        member = member_in(batch.record.inputs) or member_of(self._unit.sale)
        salt, document = secrets.token_bytes(_SALT_BYTES), text_of_json(batch.personal)
        row = {
            "batch": batch.number,
            "program": batch.record.program,
            "member": member,
            "salt": salt,
            "document": document,
        }
        self._write(self._statements.add_personal, [row])
        return text_of_json({"member": member, "digest": personal_digest(salt, document)})
