"""The mapping of records to rows and back: whole millionths, microseconds, ISO dates, JSON. Source: ledger 3."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import attrs
from sqlalchemy import Row

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.intents import Intent, IssueCoupon, IssueCurrency, ReverseCurrency
from loyalty_rules.ledger.errors import AmountOutOfRangeError
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import Kind, RecordT
from loyalty_rules.ledger.personal import joined
from loyalty_rules.ledger.records import Entry, ExpiryVersion, LotHistory
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.ledger.sql.unit_of_work import CounterDraw, LotChange, NewExtension, RecordVersion
from loyalty_rules.lifecycle.records import BUCKETS, Account, CouponRecord, Lot
from loyalty_rules.lifecycle.rolling_expiry import Extension
from loyalty_rules.values.amounts import decimal_of, micros
from loyalty_rules.values.folding import folded

__all__ = [
    "MAX_AMOUNT",
    "account_row",
    "amount_of",
    "batch_row",
    "bounded",
    "coupon_of",
    "coupon_state_row",
    "day_of",
    "day_text",
    "draw_row",
    "entry_of",
    "entry_row",
    "extension_of_row",
    "extension_row",
    "inputs_of",
    "instant_of",
    "intents_of",
    "issue_of",
    "json_of",
    "lot_change_row",
    "lot_history_of",
    "lot_of",
    "lot_state_row",
    "microseconds",
    "new_coupon_row",
    "new_lot_row",
    "record_of",
    "record_row",
    "reversals_of",
    "text_of_json",
    "version_row",
    "with_history",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MAX_AMOUNT = 2**63 - 1
"""The maximum of an amount in millionths: a signed integer of 64 bits."""

_INTENTS: Mapping[str, type[Any]] = {each.type: each for each in get_args(Intent)}


def bounded(amount: int, name: str) -> int:
    """Return an amount of millionths; raises `AmountOutOfRangeError`, with a name for it, if 64 bits are too few."""
    if not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
        raise AmountOutOfRangeError(name)
    return amount


# -- time and documents ----------------------------------------------------------------------------------------------


def microseconds(at: datetime) -> int:
    """Convert an instant to whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _microseconds(at: datetime | None) -> int | None:
    return microseconds(at) if at is not None else None


def instant_of(at: int) -> datetime:
    """Convert microseconds since 1970 to an instant in UTC."""
    return _EPOCH + at * _MICROSECOND


def _instant_of(at: int | None) -> datetime | None:
    return instant_of(at) if at is not None else None


def day_text(day: date | None) -> str | None:
    """Convert a date to ISO text."""
    return day.isoformat() if day is not None else None


def day_of(text: str | None) -> date | None:
    """Convert ISO text to a date."""
    return date.fromisoformat(text) if text is not None else None


_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


def text_of_json(document: Any) -> str:
    """Encode a document as JSON, in ASCII so that every database stores it unchanged."""
    return _COMPACT(document)


def json_of(text: str) -> Any:
    """Decode a document that `text_of_json` encoded."""
    return json.loads(text)


# -- intents ---------------------------------------------------------------------------------------------------------


def intents_of(program: str, documents: list[dict[str, Any]], serials: SerialsAtRest) -> tuple[Intent, ...]:
    """Convert the documents of a receipt to intents."""
    return tuple(_intent_of(program, each, serials) for each in documents)


def reversals_of(documents: list[dict[str, Any]]) -> list[ReverseCurrency]:
    """Convert the reversals among the documents of a receipt."""
    return [restore(each, ReverseCurrency) for each in documents if each["type"] == ReverseCurrency.type]


def _intent_of(program: str, document: Mapping[str, Any], serials: SerialsAtRest) -> Intent:
    cls = _INTENTS[document["type"]]
    if cls is IssueCoupon:
        return serials.reveal(program, document)
    intent: Intent = restore(document, cls)
    return intent


# -- lots ------------------------------------------------------------------------------------------------------------


def issue_of(row: Row[Any]) -> IssueCurrency:
    """Return the issue of the row of a lot; it never changes."""
    issue: IssueCurrency = restore(json_of(row.issue), IssueCurrency)
    return issue


def lot_of(row: Row[Any], issue: IssueCurrency) -> Lot:
    """Convert a row to a lot of an issue; a merge may have moved it to another member than that of its issue."""
    if row.kind == "member" and row.account != issue.member:
        issue = attrs.evolve(issue, member=row.account)
    buckets: dict[str, Any] = {field: decimal_of(getattr(row, field)) for field in BUCKETS.values()}
    return Lot(
        issue,
        row.number,
        decimal_of(row.issued),
        rolling=bool(row.rolling),
        **buckets,
        taken_back=decimal_of(row.taken_back),
        issue_on=day_of(row.issue_on),
        expires_on=day_of(row.expires_on),
        expires_at=_instant_of(row.expires_at),
        origin=row.origin,
        store=row.store,
        tier=row.tier,
        channel=row.channel,
        available_at=_instant_of(row.available_at),
        last_on=day_of(row.last_on),
        last_at=_instant_of(row.last_at),
    )


def lot_state_row(lot: Lot, latest_at: datetime, batch: int) -> dict[str, Any]:
    """Convert a lot to the columns that operations change."""
    amounts = {field: getattr(lot, field) for field in (*BUCKETS.values(), "taken_back")}
    return {
        "account": lot.account.id,
        **{name: bounded(micros(amount), f"an amount of {lot.key}") for name, amount in amounts.items()},
        "issue_on": day_text(lot.issue_on),
        "expires_on": day_text(lot.expires_on),
        "expires_at": _microseconds(lot.expires_at),
        "available_at": _microseconds(lot.available_at),
        "last_on": day_text(lot.last_on),
        "last_at": _microseconds(lot.last_at),
        "latest_at": microseconds(latest_at),
        "batch": batch,
    }


def account_row(program: str, account: Account, currency: str) -> dict[str, Any]:
    """Convert an account and a currency to the columns that name a balance."""
    return {"program": program, "kind": account.kind, "account": account.id, "currency": currency}


def entry_row(entry: Entry, batch: int) -> dict[str, Any]:
    """Convert an entry to a row of a batch."""
    return {
        "batch": batch,
        **account_row(entry.program, entry.account, entry.currency),
        "lot": entry.lot,
        "source": entry.source,
        "target": entry.target,
        "amount": bounded(micros(entry.amount), f"an amount of {entry.lot}"),
        "at": microseconds(entry.at),
        "recorded_at": microseconds(entry.recorded_at),
        "reason": entry.reason,
        "by": entry.by,
    }


def entry_of(row: Row[Any]) -> Entry:
    """Convert a row to an entry; the row has the event and the phase of its batch."""
    return Entry(
        IdempotencyRecord.key_of(row.program, row.event, row.phase),
        row.program,
        Account(row.kind, row.account),
        row.currency,
        row.lot,
        row.source,
        row.target,
        decimal_of(row.amount),
        instant_of(row.at),
        instant_of(row.recorded_at),
        row.reason,
        row.by,
    )


def new_lot_row(
    lot: Lot, document: Mapping[str, Any], issued_at: datetime, latest_at: datetime, program: str, batch: int
) -> dict[str, Any]:
    """Convert a new lot to a row; `document` is its issue, `issued_at` the instant of its first entry."""
    issue = lot.issue
    return {
        "key": issue.key,
        **account_row(program, lot.account, issue.currency),
        "event": issue.event,
        "store": lot.store,
        "tier": lot.tier,
        "channel": lot.channel,
        "origin": lot.origin,
        "promotion": document["promotion"] or None,
        "issued_to": document["member"] or None,
        "issued_at": microseconds(issued_at),
        "issue": text_of_json(document),
        "rolling": int(lot.rolling),
        "due_at": _microseconds(issue.due_at),
        "issued": bounded(micros(lot.issued), f"the amount of {lot.key}"),
        **lot_state_row(lot, latest_at, batch),
        "version": 0,
    }


def lot_history_of(row: Row[Any]) -> LotHistory:
    """Return the history of a lot, without its entries and changes yet."""
    issue = issue_of(row)
    place = {"store": row.store, "tier": row.tier, "channel": row.channel}
    return LotHistory(issue, row.program, row.number, bool(row.rolling), origin=row.origin, **place)


def with_history(history: LotHistory, entries: Sequence[Row[Any]], changes: Sequence[Row[Any]]) -> LotHistory:
    """Return the history of a lot with its entries and its other changes, in the order of record."""
    issue, expiries, expiry_places = history.issue, [], []
    if issue.expires_at is not None:
        expiries.append(ExpiryVersion(instant_of(entries[0].at), issue.expires_on, issue.expires_at))
        expiry_places.append(entries[0].place)
    released: tuple[datetime, date] | None = None
    claimed, members, member_places, last_days = [], [], [], []
    for row in changes:
        at, day = instant_of(row.at), day_of(row.day)
        if row.change == "expires":
            expiries.append(ExpiryVersion(at, day, _instant_of(row.expires_at)))
            expiry_places.append(row.place)
        elif row.change == "last_day" and day is not None:
            last_days.append((at, day, instant_of(row.expires_at)))
        elif row.change == "released" and day is not None:
            released = at, day
        elif row.change == "member":
            members.append((at, row.member))
            member_places.append(row.place)
        else:
            claimed.append((at, decimal_of(row.amount)))
    return attrs.evolve(
        history,
        entries=tuple(entry_of(row) for row in entries),
        expiry_versions=tuple(expiries),
        released=released,
        claimed=tuple(claimed),
        members=tuple(members),
        last_days=tuple(last_days),
        entry_places=tuple(row.place for row in entries),
        expiry_places=tuple(expiry_places),
        member_places=tuple(member_places),
    )


def extension_row(extension: NewExtension, batch: int) -> dict[str, Any]:
    """Convert an extension to a row of a batch."""
    return {
        "batch": batch,
        **account_row(extension.program, extension.account, extension.currency),
        "scope": extension.scope,
        "at": microseconds(extension.expiry.since),
        "day": day_text(extension.expiry.expires_on),
        "expires_at": _microseconds(extension.expiry.expires_at),
    }


def extension_of_row(row: Row[Any]) -> Extension:
    """Convert a row to an extension; the row has the place of its batch."""
    return Extension(row.place, row.scope, instant_of(row.at), date.fromisoformat(row.day), instant_of(row.expires_at))


def lot_change_row(change: LotChange, batch: int) -> dict[str, Any]:
    """Convert a change of a lot to a row of a batch."""
    return {
        "batch": batch,
        "lot": change.lot,
        "at": microseconds(change.at),
        "change": change.change,
        "day": day_text(change.day),
        "expires_at": _microseconds(change.expires_at),
        "amount": change.amount,
        "previous": change.previous,
        "member": change.member,
    }


def draw_row(draw: CounterDraw, batch: int) -> dict[str, Any]:
    """Convert a draw on a counter to a row of a batch."""
    return {
        "batch": batch,
        "program": draw.program,
        "name": draw.name,
        "day": day_text(draw.day) or NO_DAY,
        "amount": draw.amount,
        "most": draw.most if draw.most is not None and draw.most <= MAX_AMOUNT else None,
    }


def record_of(kind: Kind[RecordT], document: str) -> RecordT:
    """Convert the document of a record to the record of its kind."""
    return restore(json_of(document), kind.record)


def record_row(kind: Kind[Any], record: Any, latest_at: datetime) -> dict[str, Any]:
    """Convert a record to the columns that a new version changes: its look-ups, its document, its last instant."""
    return {
        **{name: value_of(record) for name, value_of in kind.found_by.items()},
        "document": text_of_json(unstructure(record)),
        "latest_at": microseconds(latest_at),
    }


def version_row(version: RecordVersion, batch: int) -> dict[str, Any]:
    """Convert the version of a record to a row of a batch."""
    return {
        "batch": batch,
        "kind": version.kind.name,
        "key": version.record.key,
        "at": microseconds(version.at),
        "document": text_of_json(unstructure(version.record)),
    }


def batch_row(record: IdempotencyRecord, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the idempotency record of a batch to a row; `inputs` are those without their personal parts."""
    return {
        "program": record.program,
        "event": record.event,
        "phase": record.phase,
        "of": record.of,
        "inputs": text_of_json(inputs),
        "at": microseconds(record.at),
        "recorded_at": microseconds(record.recorded_at),
    }


def inputs_of(row: Row[Any]) -> Mapping[str, Any]:
    """Return the inputs of a batch with its personal parts; the row has these in the column `personal_parts`."""
    inputs = json_of(row.inputs)
    return joined(inputs, json_of(row.personal_parts)) if row.personal_parts is not None else inputs


# -- coupons ---------------------------------------------------------------------------------------------------------


def coupon_of(row: Row[Any], serials: SerialsAtRest, state: Row[Any] | None = None) -> CouponRecord:
    """Convert a row to a coupon, in the state of that row or in the earlier `state`."""
    current = state if state is not None else row
    return CouponRecord(
        serials.reveal(row.program, json_of(row.issue)),
        current.state,
        amount_of(current.remaining),
        current.redeemed_by,
        _instant_of(current.redeemed_at),
        _instant_of(current.voided_at),
        member=current.member,
        expires_on=day_of(current.expires_on),
        expires_at=_instant_of(current.expires_at),
        topped_up=decimal_of(current.topped_up),
        tier=row.tier,
        channel=row.channel,
        redemption=current.redemption,
        redeemed_by_member=current.redeemed_by_member,
        redeemed_at_store=current.redeemed_at_store,
        uses_left=current.uses_left,
        left_in_all=amount_of(current.left_in_all),
        most=amount_of(current.most),
        taken=decimal_of(current.taken),
    )


def amount_of(amount: int | None) -> Decimal | None:
    """Convert millionths to an amount; None stays None."""
    return decimal_of(amount) if amount is not None else None


def new_coupon_row(
    program: str,
    issue: IssueCoupon,
    document: Mapping[str, Any],
    fingerprint: bytes | None,
    state: Mapping[str, Any],
    latest_at: int,
    tier: str | None,
    channel: str | None,
) -> dict[str, Any]:
    """Convert a new coupon to a row; `document` is its issue without the serial, `state` the columns of its state."""
    return {
        "key": issue.key,
        "program": program,
        "event": issue.event,
        "coupon_type": issue.coupon_type,
        "promotion": issue.promotion,
        "store": issue.store,
        "tier": tier,
        "channel": channel,
        "issued_to": issue.member,
        "issued_at": microseconds(issue.issued_at),
        "code": folded(issue.code) if issue.code is not None else None,
        "fingerprint": fingerprint,
        "issue": text_of_json(document),
        "valid_from": microseconds(issue.valid_from),
        **state,
        "latest_at": latest_at,
        "version": 0,
    }


def coupon_state_row(coupon: CouponRecord) -> dict[str, Any]:
    """Convert a coupon to the columns of its state."""
    return {
        "state": coupon.state,
        "remaining": _bounded(coupon.remaining, f"the remaining value of {coupon.key}"),
        "redeemed_by": coupon.redeemed_by,
        "redeemed_at": _microseconds(coupon.redeemed_at),
        "voided_at": _microseconds(coupon.voided_at),
        "member": coupon.member,
        "expires_on": day_text(coupon.expires_on),
        "expires_at": _microseconds(coupon.expires_at),
        "topped_up": bounded(micros(coupon.topped_up), f"the additions to {coupon.key}"),
        "redemption": coupon.redemption,
        "redeemed_by_member": coupon.redeemed_by_member,
        "redeemed_at_store": coupon.redeemed_at_store,
        "uses_left": coupon.uses_left,
        "left_in_all": _bounded(coupon.left_in_all, f"the discounts that are left of {coupon.key}"),
        "most": _bounded(coupon.most, f"the maximum of {coupon.key}"),
        "taken": bounded(micros(coupon.taken), f"the discounts of {coupon.key}"),
    }


def _bounded(amount: Decimal | None, name: str) -> int | None:
    return bounded(micros(amount), name) if amount is not None else None
