"""The values that `st.from_type` draws: loaded from drawn documents, or made by the engine and a ledger."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, get_args

from hypothesis import strategies as st

from loyalty_rules.events import (
    Activity,
    Amendment,
    Confirmation,
    Contact,
    CouponCounts,
    DeliveredLine,
    Issued,
    IssuedCounts,
    Line,
    Member,
    RecipientCounts,
    Return,
    ReturnedLine,
    Snapshot,
    Tender,
    TierStanding,
    Transaction,
    Update,
)
from loyalty_rules.intents import Claim, Intent, LotDraw, Release, Share, Skipped
from loyalty_rules.ledger.receipts import RECEIPTS, Receipt, RedeemAllReceipt, ReleaseReceipt, ReviewReceipt, Trim
from loyalty_rules.ledger.records import Balance, Entry, ReportLot, ReportRows
from loyalty_rules.lifecycle.records import Account, CouponRecord, Lot, Refusal, Sale
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, Promotion
from loyalty_rules.testing.strategies import recorded
from loyalty_rules.testing.strategies.events import (
    activities,
    amendments,
    confirmations,
    lines,
    members,
    returns,
    snapshots,
    transactions,
    updates,
)
from loyalty_rules.testing.strategies.programs import coupon_actions, coupon_types, currency_actions, programs
from loyalty_rules.testing.strategies.scalars import Document, amounts, counts, instants

__all__ = ["values_of"]

A_PROMISE = "shop/T1/p1/a1"
SALE: Document = {"type": "transaction", "id": "T1", "occurred_at": "2025-01-01T12:00:00Z", "amount": "1"}
SHOP: Document = {"format": "loyalty-rules/1", "id": "shop", "time_zone": "UTC", "currencies": {"points": {}}}


def values_of(cls: type) -> st.SearchStrategy[Any]:
    """Return the strategy for one of the types of `registration`."""
    return _STRATEGIES[cls]()


def _program() -> st.SearchStrategy[Program]:
    return programs().map(load_program)


def _member(document: Document) -> Any:
    sale: Any = load_event({**SALE, "member": document})
    return sale.member


def _line(document: Document) -> Any:
    sale: Any = load_event({**SALE, "lines": [document]})
    return sale.lines[0]


def _action(document: Document, types: dict[str, Document]) -> Any:
    promotion = {"id": "p1", "actions": [document]}
    return load_program({**SHOP, "coupon_types": types, "promotions": [promotion]}).promotions[0].actions[0]


def _amounts() -> st.SearchStrategy[Any]:
    return amounts().map(Decimal)


def _counts() -> st.SearchStrategy[int]:
    return st.integers(0, 10)


def _issued_counts() -> st.SearchStrategy[IssuedCounts]:
    return st.builds(IssuedCounts, _amounts(), _counts())


def _issued() -> st.SearchStrategy[Issued]:
    return st.builds(Issued, _issued_counts(), _issued_counts())


def _contacts() -> st.SearchStrategy[Contact]:
    address = st.sampled_from([None, "a@example.org", True, False])
    allowed = st.sampled_from([None, True, False])
    return st.builds(Contact, address, allowed, allowed)


def _empty_receipts(cls: type[Receipt]) -> st.SearchStrategy[Receipt]:
    """Draw receipts without intents, of operations that recorded histories do not have."""
    return st.builds(cls, st.sampled_from(["recorded", "already_recorded"]), st.just("shop/E1#operation"))


_STRATEGIES: dict[type, Callable[[], st.SearchStrategy[Any]]] = {
    Transaction: lambda: transactions().map(load_event),
    Activity: lambda: activities().map(load_event),
    Return: lambda: transactions().flatmap(returns).map(load_event),
    Update: lambda: transactions().flatmap(updates).map(load_event),
    Amendment: lambda: transactions().flatmap(amendments).map(load_event),
    Confirmation: lambda: instants().flatmap(lambda at: confirmations(A_PROMISE, at)).map(load_event),
    Member: lambda: members().map(_member),
    Line: lambda: lines().map(_line),
    Snapshot: lambda: _program().flatmap(snapshots).map(load_snapshot),
    Program: _program,
    Promotion: lambda: _program().map(lambda program: program.promotions[0]),
    CurrencyAction: lambda: currency_actions().map(lambda action: _action(action, {})),
    CouponAction: lambda: st.builds(_action, coupon_actions(), st.fixed_dictionaries({"gift": coupon_types()})),
    Contact: _contacts,
    Tender: lambda: st.builds(Tender, st.sampled_from(["card", "cash", "gift_card"]), _amounts()),
    DeliveredLine: lambda: st.builds(DeliveredLine, st.sampled_from(["1", "2", "3"]), counts(0).map(Decimal)),
    ReturnedLine: lambda: st.builds(ReturnedLine, st.sampled_from(["1", "2", "3"]), counts(0).map(Decimal)),
    IssuedCounts: _issued_counts,
    Issued: _issued,
    RecipientCounts: lambda: st.builds(
        RecipientCounts, st.dictionaries(st.just("base/earn"), _issued()), st.dictionaries(st.just("daily"), _amounts())
    ),
    TierStanding: lambda: st.builds(
        TierStanding,
        st.sampled_from(["bronze", "silver", "gold"]),
        st.none() | st.dates(date(2025, 1, 1), date(2030, 1, 1)),
    ),
    CouponCounts: lambda: st.builds(CouponCounts, _counts(), _counts(), _counts()),
    Evaluation: recorded.evaluations,
    Skipped: recorded.skips,
    **{cls: partial(recorded.intents_of, cls) for cls in get_args(Intent)},
    Claim: recorded.claims,
    Share: recorded.shares,
    Release: recorded.releases,
    LotDraw: recorded.lot_draws,
    Account: recorded.accounts,
    Lot: recorded.lots,
    CouponRecord: recorded.coupon_records,
    Sale: recorded.sales,
    Refusal: recorded.refusals,
    Receipt: recorded.receipts,
    **{cls: partial(recorded.receipts_of, cls) for cls in RECEIPTS},
    **{cls: partial(_empty_receipts, cls) for cls in (RedeemAllReceipt, ReleaseReceipt, ReviewReceipt)},
    Trim: recorded.trims,
    Balance: recorded.balances,
    Entry: recorded.entries,
    ReportLot: recorded.report_lots,
    ReportRows: recorded.report_rows,
}
