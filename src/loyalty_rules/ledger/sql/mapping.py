"""Records to rows and back: whole millionths, microseconds since 1970, ISO dates, JSON. Source: ledger 3."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
from sqlalchemy import Row

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.intents import (
    AdvanceTracker,
    CancelPromise,
    ExpireCoupon,
    ExpireCurrency,
    ExtendExpiry,
    Intent,
    IssueCoupon,
    IssueCurrency,
    RedeemCoupon,
    ReleasePromise,
    ReverseCurrency,
    SendMessage,
    SpendCurrency,
    UndoRedemption,
    UndoSpend,
    VoidCoupon,
)
from loyalty_rules.ledger.errors import AmountOutOfRangeError
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.protocol import Entry
from loyalty_rules.ledger.records import ExpiryVersion, LotHistory, Undoable
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.ledger.sql.tables import NO_DAY
from loyalty_rules.ledger.sql.unit_of_work import CounterDraw, LotChange
from loyalty_rules.lifecycle.records import BUCKETS, Account, CouponRecord, Lot
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = [
    "MAX_AMOUNT",
    "account_row",
    "batch_row",
    "bounded",
    "coupon_of",
    "coupon_state_row",
    "day_of",
    "day_text",
    "debt_row",
    "draw_row",
    "entry_of",
    "entry_row",
    "instant_of",
    "intents_of",
    "json_of",
    "lot_change_row",
    "lot_history_of",
    "lot_of",
    "lot_parts",
    "microseconds",
    "new_lot_row",
    "text_of_json",
    "undoable_of",
    "undoable_row",
    "with_history",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
MAX_AMOUNT = 2**63 - 1
"""The most millionths that 64 bits hold."""

_INTENTS: Mapping[str, type[Any]] = {
    each.type: each
    for each in (
        IssueCurrency,
        IssueCoupon,
        SendMessage,
        ExtendExpiry,
        AdvanceTracker,
        ReleasePromise,
        CancelPromise,
        ReverseCurrency,
        ExpireCurrency,
        SpendCurrency,
        UndoSpend,
        RedeemCoupon,
        UndoRedemption,
        VoidCoupon,
        ExpireCoupon,
    )
}


def bounded(amount: int, what: str) -> int:
    """Give an amount of millionths that 64 bits can hold; raises `AmountOutOfRangeError`, which names it."""
    if not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
        raise AmountOutOfRangeError(what)
    return amount


# -- time and documents ----------------------------------------------------------------------------------------------


def microseconds(at: datetime) -> int:
    """Give an instant as whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _microseconds(at: datetime | None) -> int | None:
    return microseconds(at) if at is not None else None


def instant_of(at: int) -> datetime:
    """Give the instant again, in UTC."""
    return _EPOCH + at * _MICROSECOND


def _instant_of(at: int | None) -> datetime | None:
    return instant_of(at) if at is not None else None


def day_text(day: date | None) -> str | None:
    """Give a date as ISO text."""
    return day.isoformat() if day is not None else None


def day_of(text: str | None) -> date | None:
    """Give the date again."""
    return date.fromisoformat(text) if text is not None else None


_COMPACT = json.JSONEncoder(separators=(",", ":")).encode


def text_of_json(document: Any) -> str:
    """Write a document, in ASCII: every database takes it as it is."""
    return _COMPACT(document)


def json_of(text: str) -> Any:
    """Read a document that this library wrote."""
    return json.loads(text)


# -- intents ---------------------------------------------------------------------------------------------------------


def intents_of(program: str, documents: list[dict[str, Any]], serials: SerialsAtRest) -> tuple[Intent, ...]:
    """Read intents again."""
    return tuple(_intent_of(program, each, serials) for each in documents)


def _intent_of(program: str, document: Mapping[str, Any], serials: SerialsAtRest) -> Intent:
    cls = _INTENTS[document["type"]]
    if cls is IssueCoupon:
        return serials.shown(program, document)
    intent: Intent = restore(document, cls)
    return intent


# -- lots ------------------------------------------------------------------------------------------------------------


def lot_of(row: Row[Any]) -> Lot:
    """Read a lot as it stands."""
    return Lot(
        restore(json_of(row.issue), IssueCurrency),
        row.number,
        decimal_of(row.issued),
        rolling=bool(row.rolling),
        **{field: decimal_of(getattr(row, field)) for field in BUCKETS.values()},
        taken_back=decimal_of(row.taken_back),
        issue_on=day_of(row.issue_on),
        expires_on=day_of(row.expires_on),
        expires_at=_instant_of(row.expires_at),
    )


def lot_parts(lot: Lot, latest_at: datetime) -> dict[str, Any]:
    """Write what changes of a lot."""
    amounts = {field: getattr(lot, field) for field in (*BUCKETS.values(), "taken_back")}
    return {
        **{name: bounded(micros(amount), f"an amount of {lot.key}") for name, amount in amounts.items()},
        "issue_on": day_text(lot.issue_on),
        "expires_on": day_text(lot.expires_on),
        "expires_at": _microseconds(lot.expires_at),
        "latest_at": microseconds(latest_at),
    }


def account_row(program: str, account: Account, currency: str) -> dict[str, Any]:
    """Write whose balance of what it is."""
    return {"program": program, "kind": account.kind, "account": account.id, "currency": currency}


def entry_row(entry: Entry, batch: int) -> dict[str, Any]:
    """Write a entry as an entry of a batch."""
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
    }


def entry_of(row: Row[Any]) -> Entry:
    """Read an entry, with the event and the phase of its batch."""
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
    )


def new_lot_row(
    lot: Lot, document: Mapping[str, Any], latest_at: datetime, program: str, store: str | None
) -> dict[str, Any]:
    """Write a new lot; `document` is its issue."""
    issue = lot.issue
    return {
        "key": issue.key,
        **account_row(program, lot.account, issue.currency),
        "event": issue.event,
        "store": store,
        "issue": text_of_json(document),
        "rolling": int(lot.rolling),
        "due_at": _microseconds(issue.due_at),
        "issued": bounded(micros(lot.issued), f"the amount of {lot.key}"),
        **lot_parts(lot, latest_at),
        "version": 0,
    }


def lot_history_of(row: Row[Any]) -> LotHistory:
    """Begin the history of a lot."""
    return LotHistory(restore(json_of(row.issue), IssueCurrency), row.program, row.number, bool(row.rolling))


def with_history(file: LotHistory, entries: Sequence[Entry], changes: Sequence[Row[Any]]) -> LotHistory:
    """Give the history of a lot from its entries and its other changes, in the order of record."""
    issue, terms = file.issue, []
    if issue.expires_at is not None:
        terms.append(ExpiryVersion(entries[0].at, issue.expires_on, issue.expires_at))
    released: tuple[datetime, date] | None = None
    claimed = []
    for row in changes:
        at, day = instant_of(row.at), day_of(row.day)
        if row.change == "expires":
            terms.append(ExpiryVersion(at, day, _instant_of(row.expires_at)))
        elif row.change == "released" and day is not None:
            released = at, day
        else:
            claimed.append((at, decimal_of(row.amount)))
    return attrs.evolve(
        file, entries=tuple(entries), expiry_versions=tuple(terms), released=released, claimed=tuple(claimed)
    )


def lot_change_row(change: LotChange, batch: int) -> dict[str, Any]:
    """Write what an entry can't tell of a lot."""
    return {
        "batch": batch,
        "lot": change.lot,
        "at": microseconds(change.at),
        "change": change.change,
        "day": day_text(change.day),
        "expires_at": _microseconds(change.expires_at),
        "amount": change.amount,
    }


def draw_row(draw: CounterDraw, batch: int) -> dict[str, Any]:
    """Write what was added to a counter."""
    return {
        "batch": batch,
        "program": draw.program,
        "name": draw.name,
        "day": day_text(draw.day) or NO_DAY,
        "amount": draw.amount,
        "most": draw.most if draw.most is not None and draw.most <= MAX_AMOUNT else None,
    }


def debt_row(debt: tuple[str, Account, str, datetime, int], batch: int) -> dict[str, Any]:
    """Write what an account owes more, or less."""
    program, account, currency, at, amount = debt
    return {
        "batch": batch,
        **account_row(program, account, currency),
        "at": microseconds(at),
        "amount": bounded(amount, f"a debt of {account.kind} {account.id}"),
    }


def undoable_row(program: str, citable: Undoable, batch: int) -> dict[str, Any]:
    """Write a spend or a redemption."""
    return {
        "key": citable.key,
        "batch": batch,
        "program": program,
        "event": citable.event,
        "document": text_of_json(unstructure(citable)),
    }


def undoable_of(row: Row[Any]) -> Undoable:
    """Read a spend or a redemption."""
    document = json_of(row.document)
    citable: Undoable = restore(document, _INTENTS[document["type"]])
    return citable


def batch_row(given: IdempotencyRecord) -> dict[str, Any]:
    """Write what a batch is recognised by."""
    return {
        "program": given.program,
        "event": given.event,
        "phase": given.phase,
        "of": given.of,
        "inputs": text_of_json(given.inputs),
        "at": microseconds(given.at),
        "recorded_at": microseconds(given.recorded_at),
    }


# -- coupons ---------------------------------------------------------------------------------------------------------


def coupon_of(row: Row[Any], serials: SerialsAtRest, state: Row[Any] | None = None) -> CouponRecord:
    """Read a coupon in the state of its row, or in an earlier one."""
    now = state if state is not None else row
    return CouponRecord(
        serials.shown(row.program, json_of(row.issue)),
        now.state,
        decimal_of(now.remaining) if now.remaining is not None else None,
        now.redeemed_by,
        _instant_of(now.redeemed_at),
        _instant_of(now.voided_at),
    )


def coupon_state_row(coupon: CouponRecord) -> dict[str, Any]:
    """Write the state of a coupon."""
    remaining = coupon.remaining
    return {
        "state": coupon.state,
        "remaining": bounded(micros(remaining), f"what {coupon.key} has left") if remaining is not None else None,
        "redeemed_by": coupon.redeemed_by,
        "redeemed_at": _microseconds(coupon.redeemed_at),
        "voided_at": _microseconds(coupon.voided_at),
    }
