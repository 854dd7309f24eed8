"""The protocol for asyncio has the methods of the protocol for threads; `test_methods` compares their signatures."""

from __future__ import annotations

import inspect

from loyalty_rules.ledger.async_protocol import AsyncLedger
from loyalty_rules.ledger.protocol import Ledger


def public(cls: type) -> set[str]:
    return {name for name, each in vars(cls).items() if inspect.isfunction(each) and not name.startswith("_")}


def test_each_method_of_a_ledger_is_there_awaited() -> None:
    assert public(Ledger) - public(AsyncLedger) == {"transaction"}
    assert all(inspect.iscoroutinefunction(getattr(AsyncLedger, name)) for name in public(AsyncLedger))
