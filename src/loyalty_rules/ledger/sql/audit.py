"""The audit of a ledger: whether the hash chains of the log are unbroken, and whether the state is the sum of the log.

It only reads. Source: ledger P6 and the invariants of ledger 2.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, Table, case, func, or_, select, union_all
from sqlalchemy.sql import ColumnElement

from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import ForgetMember
from loyalty_rules.keys import TRACKER_COUNTERS, tracker_in
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import KINDS, PAYMENTS, Kind
from loyalty_rules.ledger.paid_bills import codes_of_two_types, overpaid
from loyalty_rules.ledger.sql.hash_chain import (
    FIRST_LINK,
    RECEIPT_CONTENT,
    chain_of,
    content_digest,
    link_of,
    personal_digest,
)
from loyalty_rules.ledger.sql.mapping import MAX_AMOUNT, json_of, record_of, text_of_json
from loyalty_rules.ledger.sql.sums import differs_from_sum, is_negative_sum
from loyalty_rules.ledger.sql.tables import NO_DAY, Tables
from loyalty_rules.lifecycle.records import BUCKETS, NEW_UNITS, Payment
from loyalty_rules.loading import dump, load_program

__all__ = ["broken_chains", "ends_of_chains", "violated_invariants"]

_CHUNK_SIZE = 500


# -- the chains ------------------------------------------------------------------------------------------------------


def ends_of_chains(connection: Connection, tables: Tables) -> dict[int, tuple[int, bytes]]:
    """Return the position and the link at the end of each chain."""
    r = tables.receipts
    ends = select(r.c.chain, func.max(r.c.position).label("position")).group_by(r.c.chain).subquery()
    last = select(r.c.chain, r.c.position, r.c.link).join(
        ends, (r.c.chain == ends.c.chain) & (r.c.position == ends.c.position)
    )
    return {row.chain: (row.position, row.link) for row in connection.execute(last)}


def broken_chains(connection: Connection, tables: Tables) -> Iterator[str]:
    """Hash the log again; yield a sentence for each batch or chain that has changed since it was recorded."""
    yield from _incomplete_batches(connection, tables)
    yield from _changed_personal_parts(connection, tables)
    yield from _changed_programs(connection, tables)
    chain, position, previous, number = -1, 0, FIRST_LINK, 0
    for row, rows in _batches(connection, tables):
        if row.chain != chain:
            chain, position, previous, number = row.chain, 0, FIRST_LINK, 0
        key = IdempotencyRecord.key_of(row.program, row.event, row.phase)
        if chain_of(key) != chain:
            yield f"batch {key} is not in its chain, {chain_of(key)}"
        if row.position != position + 1:
            yield f"chain {chain} goes from {position} to {row.position}: the batches between are missing"
        content: Any = row._mapping
        digest = content_digest(content, content, rows)
        if digest != row.digest:
            yield f"batch {key} is not as it was recorded"
        if link_of(previous, row.digest) != row.link:
            yield f"batch {key} does not follow the batch before it in chain {chain}"
        if row.number <= number:
            yield f"batch {key} is not numbered in the order of chain {chain}"
        position, previous, number = row.position, row.link, row.number


def _incomplete_batches(connection: Connection, t: Tables) -> Iterator[str]:
    """Yield a sentence for each receipt, and each table with rows, whose batch is gone."""
    batches = select(t.batches.c.id)
    lost = select(t.receipts.c.number).where(t.receipts.c.batch.not_in(batches)).order_by(t.receipts.c.number)
    for number in connection.execute(lost).scalars():
        yield f"receipt {number} belongs to a batch that is missing"
    for table in t.written:
        if connection.execute(select(table.c.number).where(table.c.batch.not_in(batches)).limit(1)).first() is not None:
            yield f"{table.name} has rows of a batch that is missing"


def _changed_programs(connection: Connection, t: Tables) -> Iterator[str]:
    """Yield a sentence for each program that is missing, or whose version is not the hash of its document."""
    version = t.receipts.c.version
    missing = select(version).where(version.is_not(None), version.not_in(select(t.programs.c.version))).distinct()
    for version in connection.execute(missing).scalars():
        yield f"the program of version {version} is missing"
    for row in connection.execute(select(t.programs).order_by(t.programs.c.version)):
        try:
            program = load_program(json_of(row.document))
            is_unchanged = (program.version, program.id) == (row.version, row.program)
            is_unchanged = is_unchanged and row.document == text_of_json(dump(program))
        except (LoyaltyError, ValueError):
            is_unchanged = False
        if not is_unchanged:
            yield f"the program of version {row.version} is not as it was recorded"


def _changed_personal_parts(connection: Connection, t: Tables) -> Iterator[str]:
    """Yield a sentence for each batch whose personal parts are missing or changed, unless `forget` has erased them."""
    b, r, p = t.batches, t.receipts, t.personal
    every = select(b.c.program, b.c.event, b.c.phase, r.c.number, r.c.personal).join(r)
    every = every.add_columns(p.c.batch, p.c.program.label("of"), p.c.member, p.c.salt, p.c.document)
    every = every.outerjoin(p, p.c.batch == b.c.id).order_by(r.c.number).limit(_CHUNK_SIZE)
    every = every.where(or_(r.c.personal.is_not(None), p.c.batch.is_not(None)))
    forgotten, after = _forgotten_members(connection, t), -MAX_AMOUNT
    while rows := connection.execute(every.where(r.c.number > after)).all():
        for row in rows:
            recorded = _recorded_digest(row.personal)
            is_erased = (row.program, recorded.get("member")) in forgotten
            if is_erased != (row.batch is None) or not (is_erased or _has_own_parts(row, recorded)):
                key = IdempotencyRecord.key_of(row.program, row.event, row.phase)
                yield f"the personal parts of batch {key} are not as they were recorded"
        after = rows[-1].number
    lost = select(p.c.batch).where(p.c.batch.not_in(select(r.c.batch)))
    for batch in connection.execute(lost).scalars():
        yield f"the personal parts of batch {batch} belong to no receipt"


def _has_own_parts(row: Any, recorded: Mapping[str, Any]) -> bool:
    """Return whether a batch has the personal parts whose digest its receipt has."""
    found = {"member": row.member, "digest": personal_digest(row.salt, row.document)}
    return bool(recorded == found and row.of == row.program)


def _recorded_digest(document: str | None) -> Mapping[str, Any]:
    """Return the member and the digest that a receipt has; neither of them if there is none or it is forged."""
    with contextlib.suppress(ValueError):
        recorded = json_of(document) if document is not None else None
        if isinstance(recorded, dict) and isinstance(recorded.get("member"), (str, type(None))):
            return recorded
    return {}


def _forgotten_members(connection: Connection, t: Tables) -> set[tuple[str, str]]:
    """Return the members, each with its program, whose personal parts `forget` has erased, by the log."""
    b, r = t.batches, t.receipts
    forgets = select(b.c.program, r.c.intents).join(r).where(b.c.phase == "forget")
    return {
        (row.program, member)
        for row in connection.execute(forgets)
        for intent in json_of(row.intents)
        if intent["type"] == ForgetMember.type
        for member in intent["members"]
    }


def _batches(connection: Connection, tables: Tables) -> Iterator[tuple[Any, dict[Table, list[Any]]]]:
    """Yield every batch with its receipt, chain by chain, and the rows that it wrote to the log."""
    b, r = tables.batches, tables.receipts
    every = (
        select(b, *(r.c[name] for name in (*RECEIPT_CONTENT, "number", "chain", "position", "digest", "link")))
        .join(r)
        .order_by(r.c.chain, r.c.position)
    )
    for chain in sorted(ends_of_chains(connection, tables)):
        after = -MAX_AMOUNT
        while batches := connection.execute(
            every.where(r.c.chain == chain, r.c.position > after).limit(_CHUNK_SIZE)
        ).all():
            written = {table: _by_batch(connection, table, [row.id for row in batches]) for table in tables.written}
            for row in batches:
                yield row, {table: of_batch.get(row.id, []) for table, of_batch in written.items()}
            after = batches[-1].position


def _by_batch(connection: Connection, table: Table, batches: Sequence[int]) -> dict[int, list[Any]]:
    rows = connection.execute(select(table).where(table.c.batch.in_(batches)).order_by(table.c.batch, table.c.number))
    return {batch: [row._mapping for row in group] for batch, group in groupby(rows, lambda row: row.batch)}


# -- the invariants --------------------------------------------------------------------------------------------------


def violated_invariants(connection: Connection, tables: Tables) -> Iterator[str]:
    """Yield a sentence for each row of the state that is not the sum of the log or violates an invariant."""
    yield from _sales_with_negative_contributions(connection, tables)
    for statement, sentence in _violations(tables):
        yield from _read(partial(_sentences, connection, statement, sentence), "the sums of entries")
    for kind in KINDS:
        yield from _changed_records(connection, tables, kind)
    yield from _read(lambda: overpaid(_payments(connection, tables)), "the payments")
    yield from _read(lambda: codes_of_two_types(_shared_codes(connection, tables)), "the shared codes")


def _sentences(connection: Connection, statement: Select[Any], sentence: str) -> Iterator[str]:
    return (sentence.format(**row._mapping) for row in connection.execute(statement).all())


def _read(check: Callable[[], Iterable[str]], rows: str) -> Iterator[str]:
    """Yield the sentences of a check, or one if it cannot read its rows."""
    try:
        yield from check()
    except Exception:  # noqa: BLE001  (a forged document may cause any error)
        yield f"{rows} cannot be read"


def _payments(connection: Connection, t: Tables) -> Iterator[tuple[str, Payment]]:
    """Yield the spends and redemptions in the order of record, each with its program."""
    v, table = t.versions, t.kinds[PAYMENTS.name]
    first = select(v.c.key, func.min(v.c.number).label("first")).where(v.c.kind == PAYMENTS.name).group_by(v.c.key)
    recorded = first.subquery()
    rows = select(table.c.program, table.c.document).join(recorded, recorded.c.key == table.c.key)
    for row in connection.execute(rows.order_by(recorded.c.first)):
        yield row.program, record_of(PAYMENTS, row.document)


def _shared_codes(connection: Connection, t: Tables) -> Iterator[tuple[str, str, str, str]]:
    """Yield the program, its version, the folded code and the type of each coupon of a sale with a shared code."""
    c, b, r = t.coupons, t.batches, t.receipts
    rows = (
        select(c.c.program, c.c.code, c.c.issue, r.c.version)
        .join(b, (b.c.program == c.c.program) & (b.c.event == c.c.event))
        .join(r)
        .where(c.c.code.is_not(None), r.c.version.is_not(None))
        .order_by(c.c.number)
    )
    for row in connection.execute(rows):
        yield row.program, row.version, row.code, json_of(row.issue)["coupon_type"]


def _sales_with_negative_contributions(connection: Connection, t: Tables) -> Iterator[str]:
    """Yield a sentence for each sale that has taken more from a tracker than it added, also for another member."""
    below_zero = (
        select(t.batches.c.program, t.batches.c.of)
        .select_from(t.draws)
        .join(t.batches)
        .where(t.draws.c.name.startswith(TRACKER_COUNTERS), t.batches.c.of.is_not(None))
        .group_by(t.batches.c.program, t.batches.c.of, t.draws.c.name)
        .having(is_negative_sum(t.draws.c.amount))
    )
    for sale in connection.execute(below_zero.distinct()).all():
        draws = (
            select(t.draws.c.name, t.draws.c.amount)
            .join(t.batches)
            .where(t.batches.c.program == sale.program, t.batches.c.of == sale.of)
            .where(t.draws.c.name.startswith(TRACKER_COUNTERS))
        )
        sums: dict[str, int] = {}
        for row in connection.execute(draws):  # a merge has moved the counter to another member meanwhile
            tracker = tracker_in(row.name)
            sums[tracker] = sums.get(tracker, 0) + row.amount
        for tracker, value in sums.items():
            if value < 0:
                yield f"sale {sale.of} has a negative contribution to {tracker}"


def _violations(t: Tables) -> Iterator[tuple[Select[Any], str]]:
    """Yield a select of the rows that violate an invariant, with the sentence about each of them."""
    yield _lots_that_do_not_add_up(t), "lot {key} is not the sum of its entries"
    yield _lots_with_other_claims(t), "lot {key} has a claimed amount that is not the sum of the claims of its returns"
    yield (
        select(t.lots.c.key).where(
            t.lots.c.promised > 0, t.lots.c.outstanding + t.lots.c.held + t.lots.c.spent + t.lots.c.expired > 0
        ),
        "lot {key} has promised and issued amounts at the same time",
    )
    yield (
        select(t.entries.c.lot).distinct().where(t.entries.c.lot.not_in(select(t.lots.c.key))),
        "lot {lot} has entries but is missing",
    )
    yield _lots_below_zero(t), "lot {lot} has fewer than 0 units {bucket} as of an instant"
    yield _counters_that_do_not_add_up(t), "counter {name} of {program} is not the sum of its draws"
    yield _counters_over_their_limit(t), "counter {name} of {program} is over its limit"
    yield _coupons_in_other_states(t), "coupon {key} is not in its last recorded state"
    yield (
        select(t.coupons.c.key).where((t.coupons.c.state == "redeemed") & t.coupons.c.redemption.is_(None)),
        "coupon {key} is redeemed without a redemption",
    )
    yield (
        select(t.batches.c.event, t.batches.c.phase).outerjoin(t.receipts).where(t.receipts.c.batch.is_(None)),
        "the batch of {event} ({phase}) has no receipt",
    )


def _changed_records(connection: Connection, t: Tables, kind: Kind[Any]) -> Iterator[str]:
    """Yield a sentence for each record of a kind that is missing, impossible, or not its last recorded version."""
    v, table = t.versions, t.kinds[kind.name]
    last = select(v.c.key, func.max(v.c.number).label("last")).where(v.c.kind == kind.name).group_by(v.c.key).subquery()
    recorded = select(v.c.key, v.c.document).join(last, last.c.last == v.c.number).subquery()
    missing = select(recorded.c.key).where(recorded.c.key.not_in(select(table.c.key)))
    for row in connection.execute(missing):
        yield f"{kind.name}: the record {row.key} is missing"
    current = select(table, recorded.c.document.label("recorded")).outerjoin(recorded, recorded.c.key == table.c.key)
    for row in connection.execute(current.order_by(table.c.number)):
        if row.document != row.recorded:
            yield f"{kind.name}: the record {row.key} is not its last recorded version"
            continue
        try:
            record = record_of(kind, row.document)
        except Exception:  # noqa: BLE001  (a forged document may cause any error)
            yield f"{kind.name}: the record {row.key} cannot be read"
            continue
        if any(row._mapping[name] != value_of(record) for name, value_of in kind.found_by.items()):
            yield f"{kind.name}: the record {row.key} is found by other values than its own"
        if not kind.is_valid(record):
            yield f"{kind.name}: the record {row.key} is impossible: {row.document}"


def _sum_of_entries(t: Tables, bucket: str) -> ColumnElement[Any]:
    """Return the sum of the entries into a bucket, less those out of it; units that are new come from no bucket."""
    into = case((t.entries.c.target == bucket, t.entries.c.amount), else_=0)
    if bucket in NEW_UNITS:
        return func.sum(into)
    return func.sum(into - case((t.entries.c.source == bucket, t.entries.c.amount), else_=0))


def _lots_that_do_not_add_up(t: Tables) -> Select[Any]:
    unequal = [t.lots.c[field] != func.coalesce(_sum_of_entries(t, bucket), 0) for bucket, field in BUCKETS.items()]
    issued = func.sum(case((t.entries.c.source.in_(NEW_UNITS), t.entries.c.amount), else_=0))
    return (
        select(t.lots.c.key)
        .select_from(t.lots)
        .outerjoin(t.entries, t.entries.c.lot == t.lots.c.key)
        .group_by(t.lots.c.number)
        .having(or_(t.lots.c.issued != func.coalesce(issued, 0), *unequal))
    )


def _lots_below_zero(t: Tables) -> Select[Any]:
    """Return a select of the buckets of which more was taken than there was, as of any instant of their entries."""
    e = t.entries.c
    into = select(e.lot, e.target.label("bucket"), e.at, e.amount)
    out_of = select(e.lot, e.source.label("bucket"), e.at, (-e.amount).label("amount"))
    moves = union_all(into, out_of.where(e.source.not_in(NEW_UNITS))).subquery()
    of = (moves.c.lot, moves.c.bucket)
    left = func.sum(moves.c.amount).over(partition_by=of, order_by=moves.c.at)
    sums = select(*of, left.label("left")).subquery()
    return select(sums.c.lot, sums.c.bucket).where(sums.c.left < 0).distinct()


def _lots_with_other_claims(t: Tables) -> Select[Any]:
    claimed = case((t.lot_changes.c.change == "taken_back", t.lot_changes.c.amount), else_=0)
    return (
        select(t.lots.c.key)
        .select_from(t.lots)
        .outerjoin(t.lot_changes, t.lot_changes.c.lot == t.lots.c.key)
        .group_by(t.lots.c.number)
        .having(t.lots.c.taken_back != func.coalesce(func.sum(claimed), 0))
    )


def _drawn_on(t: Tables) -> ColumnElement[bool]:
    draws, counters = t.draws.c, t.counters.c
    return (draws.program == counters.program) & (draws.name == counters.name) & (draws.day == counters.day)


def _counters_that_do_not_add_up(t: Tables) -> Select[Any]:
    counters, draws = t.counters, t.draws
    return (
        select(counters.c.program, counters.c.name)
        .select_from(counters)
        .outerjoin(draws, _drawn_on(t))
        .group_by(counters.c.program, counters.c.name, counters.c.day)
        .having(differs_from_sum(counters.c.value, draws.c.amount))
    )


def _counters_over_their_limit(t: Tables) -> Select[Any]:
    counters, draws = t.counters, t.draws
    return (
        select(counters.c.program, counters.c.name)
        .select_from(counters)
        .join(draws, _drawn_on(t))
        .where(counters.c.day == NO_DAY)
        .group_by(counters.c.program, counters.c.name, counters.c.day)
        .having(counters.c.value > func.max(draws.c.most))
    )


def _coupons_in_other_states(t: Tables) -> Select[Any]:
    coupons, states = t.coupons, t.coupon_states
    earlier = states.alias()
    last = select(func.max(earlier.c.number)).where(earlier.c.coupon == coupons.c.key).correlate(coupons)
    return (
        select(coupons.c.key)
        .select_from(coupons)
        .outerjoin(states, states.c.number == last.scalar_subquery())
        .where(
            (states.c.state.is_(None))
            | (states.c.state != coupons.c.state)
            | (func.coalesce(states.c.remaining, -1) != func.coalesce(coupons.c.remaining, -1))
            | (func.coalesce(states.c.member, "") != func.coalesce(coupons.c.member, ""))
            | (func.coalesce(states.c.expires_at, -1) != func.coalesce(coupons.c.expires_at, -1))
            | (func.coalesce(states.c.redemption, "") != func.coalesce(coupons.c.redemption, ""))
            | (func.coalesce(states.c.uses_left, -1) != func.coalesce(coupons.c.uses_left, -1))
            | (states.c.taken != coupons.c.taken)
            | (func.coalesce(states.c.left_in_all, -1) != func.coalesce(coupons.c.left_in_all, -1))
        )
    )
