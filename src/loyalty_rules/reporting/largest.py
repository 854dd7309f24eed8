"""The receipts that differ most under two programs, each with both explanations."""

import heapq
import itertools
from collections.abc import Iterator
from decimal import Decimal

import attrs

from loyalty_rules.events import Activity, Event, Transaction
from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.keys import key_within_program
from loyalty_rules.ledger import SaleReceipt
from loyalty_rules.program import Program
from loyalty_rules.reporting.figures import value_of
from loyalty_rules.reporting.history import History
from loyalty_rules.values.amounts import MICRO, decimal_of, micros

__all__ = ["LargestChanges", "ReceiptChange"]

_SHOWN = 10


@attrs.frozen
class ReceiptChange:
    """A receipt that earns something else, with both explanations.

    `old` and `new` are the money of the units that it issues at its time, without later returns. A currency without a
    redeem rate and a coupon count as nothing in them.
    """

    event: str
    member: str | None
    old: Decimal
    new: Decimal
    old_explanation: str
    new_explanation: str


class LargestChanges:
    """The ten receipts with the largest change, of all that were added.

    The order is by the change in money, then by the change in units and coupons, then by the order of the receipts.
    """

    def __init__(self, old: History, new: History) -> None:
        self._old, self._new = old, new
        self._heap: list[tuple[tuple[int, int], int, Event, int, int]] = []
        self._numbers = itertools.count(0, -1)

    def add(self, event: Event, old: SaleReceipt | None, new: SaleReceipt | None) -> None:
        """Add an event that was recorded under both programs; ignore any other, and one without a change."""
        if old is None or new is None:
            return
        before, after = _money(self._old.program, old), _money(self._new.program, new)
        size = abs(after - before), _changed_units(old, new)
        if size > (0, 0):
            heapq.heappush(self._heap, (size, next(self._numbers), event, before, after))
            if len(self._heap) > _SHOWN:
                heapq.heappop(self._heap)

    def receipts(self) -> tuple[ReceiptChange, ...]:
        """Return the receipts, the largest change first."""
        return tuple(
            ReceiptChange(
                event.id,
                event.member.id if isinstance(event, (Transaction, Activity)) and event.member is not None else None,
                decimal_of(before),
                decimal_of(after),
                self._old.explanation(event.id),
                self._new.explanation(event.id),
            )
            for _, _, event, before, after in sorted(self._heap, reverse=True)
        )


def _money(program: Program, receipt: SaleReceipt) -> int:
    values = (
        value_of(program, each.currency, micros(each.amount))
        for each in receipt.intents
        if isinstance(each, IssueCurrency)
    )
    return sum(value for value in values if value is not None)


def _changed_units(old: SaleReceipt, new: SaleReceipt) -> int:
    before, after = dict(_units(old)), dict(_units(new))
    return sum(abs(after.get(key, 0) - before.get(key, 0)) for key in {*before, *after})


def _units(receipt: SaleReceipt) -> Iterator[tuple[tuple[str, str], int]]:
    for each in receipt.intents:
        if isinstance(each, IssueCurrency):
            yield (key_within_program(each.key), each.currency), micros(each.amount)
        elif isinstance(each, IssueCoupon):
            yield (key_within_program(each.key), each.coupon_type), MICRO
