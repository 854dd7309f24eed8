"""Receipts in text: an event and its intents, which a failing test shows instead of a dump of objects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loyalty_rules.intents import (
    CancelPromise,
    Intent,
    IssueCoupon,
    IssueCurrency,
    RedeemCoupon,
    ReverseCurrency,
    Skipped,
    SpendCurrency,
    VoidCoupon,
)
from loyalty_rules.keys import action_key, action_key_in
from loyalty_rules.values.amounts import text_of

__all__ = ["intent_rows", "money", "till_receipt"]

WIDTH = 48
_PARTS = ("tax", "shipping", "tip")
_SHOWN = (IssueCurrency, IssueCoupon, ReverseCurrency, CancelPromise, VoidCoupon, SpendCurrency, RedeemCoupon)


def till_receipt(event: Mapping[str, Any], intents: Iterable[Intent] = (), skipped: Iterable[Skipped] = ()) -> str:
    """Return an event (as a document) and its intents as a receipt, in lines of about 48 characters."""
    return "\n".join([*_head(event), *_bill(event), *intent_rows(intents), *map(_skipped, skipped)])


def intent_rows(intents: Iterable[Intent]) -> list[str]:
    """Return the issues and reversals as rows of a receipt, without the intents that customers do not see."""
    return [_row_of(intent) for intent in intents if isinstance(intent, _SHOWN)]


def money(text: str) -> str:
    """Return an amount as on a bill: whole, or with at least two decimals."""
    whole, point, fraction = str(text).partition(".")
    return f"{whole}.{fraction:0<2}" if point else whole


def _head(event: Mapping[str, Any]) -> Iterator[str]:
    member = (event.get("member") or {}).get("id", "nobody known")
    about = f"of {event['of']}" if "of" in event else member
    kind = event["type"] if event["type"] != "transaction" else "sale"
    yield _row(f"{event['id']}  {kind}  {event['occurred_at']}", about)
    for name in ("store", "brand", "channel", "status", "currency", "exchange_rate"):
        if event.get(name) is not None:
            yield _row(f"  {name}", str(event[name]))
    for family in ("custom_fields", "extended_fields"):
        for name, value in (event.get(family) or {}).items():
            yield _row(f"  {family}.{name}", str(value))


def _bill(event: Mapping[str, Any]) -> Iterator[str]:
    for line in event.get("lines") or ():
        named = " ".join(str(line[name]) for name in ("sku", "category", "brand") if line.get(name) is not None)
        value = line.get("value") if line.get("value") is not None else line.get("unit_price", "")
        yield _row(f"  {line['quantity']} × line {line['id']} {named}".rstrip(), money(str(value)))
    for name in _PARTS:
        if event.get(name) is not None:
            yield _row(f"  {name}", money(str(event[name])))
    for tender in event.get("tenders") or ():
        yield _row(f"  paid by {tender['type']}", money(str(tender["amount"])))
    if event.get("amount") is not None:
        yield _row("  amount", money(str(event["amount"])))


def _row_of(intent: Any) -> str:
    match intent:
        case IssueCurrency():
            promised = " promised" if intent.state == "promised" else ""
            return _row(
                f"+ {text_of(intent.amount)} {intent.currency}{promised}", action_key(intent.promotion, intent.action)
            )
        case IssueCoupon():
            return _row(f"+ coupon {intent.coupon_type}", action_key(intent.promotion, intent.action))
        case ReverseCurrency():
            return _row(f"- {text_of(intent.amount)} {intent.currency}", action_key_in(intent.issue))
        case CancelPromise():
            return _row(f"- {text_of(intent.amount)} promised", action_key_in(intent.promise))
        case SpendCurrency():
            return _row(f"- {text_of(intent.amount)} {intent.currency} spent", "")
        case RedeemCoupon():
            return _row(f"- {text_of(intent.discount)} off by a coupon", action_key_in(intent.coupon))
        case _:
            return _row("- coupon", action_key_in(intent.coupon))


def _skipped(skip: Skipped) -> str:
    return _row(f"  nothing: {skip.reason}", action_key(skip.promotion, skip.action))


def _row(left: str, right: str) -> str:
    return f"{left:<{max(WIDTH - len(right), len(left) + 2)}}{right}".rstrip()
