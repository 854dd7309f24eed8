"""The values that the documents are loaded into: what `st.from_type` draws."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from loyalty_rules.events import Activity, Confirmation, Line, Member, Return, Snapshot, Transaction, Update
from loyalty_rules.loading import load_event, load_program, load_snapshot
from loyalty_rules.program import Program
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, Promotion
from loyalty_rules.testing.strategies.events import (
    activities,
    confirmations,
    lines,
    members,
    returns,
    snapshots,
    transactions,
    updates,
)
from loyalty_rules.testing.strategies.programs import coupon_actions, coupon_types, currency_actions, programs
from loyalty_rules.testing.strategies.scalars import Document, instants

__all__ = ["values_of"]

A_PROMISE = "shop/T1/p1/a1"
SALE: Document = {"type": "transaction", "id": "T1", "occurred_at": "2025-01-01T12:00:00Z", "amount": "1"}
SHOP: Document = {"format": "loyalty-rules/1", "id": "shop", "time_zone": "UTC", "currencies": {"points": {}}}


def values_of(cls: type) -> st.SearchStrategy[Any]:
    """Give the strategy for one of the types of `registration`."""
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


_STRATEGIES: dict[type, Callable[[], st.SearchStrategy[Any]]] = {
    Transaction: lambda: transactions().map(load_event),
    Activity: lambda: activities().map(load_event),
    Return: lambda: transactions().flatmap(returns).map(load_event),
    Update: lambda: transactions().flatmap(updates).map(load_event),
    Confirmation: lambda: instants().flatmap(lambda at: confirmations(A_PROMISE, at)).map(load_event),
    Member: lambda: members().map(_member),
    Line: lambda: lines().map(_line),
    Snapshot: lambda: _program().flatmap(snapshots).map(load_snapshot),
    Program: _program,
    Promotion: lambda: _program().map(lambda program: program.promotions[0]),
    CurrencyAction: lambda: currency_actions().map(lambda action: _action(action, {})),
    CouponAction: lambda: st.builds(_action, coupon_actions(), st.fixed_dictionaries({"gift": coupon_types()})),
}
