"""Taking back: the units that a sale is due, drawn from lots, counted as taken, or short. Source: semantics 11."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from loyalty_rules.events import Amendment, Return
from loyalty_rules.intents import LotDraw, ReverseCurrency
from loyalty_rules.keys import event_key, reversal_key
from loyalty_rules.lifecycle.claims import released_claims
from loyalty_rules.lifecycle.records import Lot, Sale
from loyalty_rules.lifecycle.remaining_award import action_of, amendment_of
from loyalty_rules.lifecycle.spending import draw, in_order_of_spending
from loyalty_rules.values.amounts import decimal_of, micros

__all__ = ["held_units", "newest_first", "newly_released_units", "own_lots", "released_units", "reversals"]


def own_lots(sale: Sale, lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots that a sale and its amendments issued, in the order of issue."""
    own = (lot for lot in lots if lot.issue.event == sale.event.id and lot.origin is None)
    return sorted(own, key=lambda lot: lot.order)


def held_units(lot: Lot) -> int:
    """Return the units of an issue that no return has taken yet, in millionths."""
    return micros(lot.issued) - micros(lot.taken_back)


def counted_units(sale: Sale, lot: Lot) -> int:
    """Return the units of an issue that returns so far have counted as taken, in millionths."""
    return sum(
        micros(each.amount) - micros(each.shortfall) - sum(micros(drawn.amount) for drawn in each.draws)
        for each in sale.reversals
        if each.issue == lot.key
    )


def released_units(sale: Sale, lot: Lot) -> int:
    """Return the units of an issue that count against no cap any more, in millionths.

    Returns have claimed them, or their promise has ended; units of both kinds are counted once.
    """
    ended = micros(lot.ended)
    return micros(lot.taken_back) + ended - min(counted_units(sale, lot), ended)


def newly_released_units(sale: Sale, lot: Lot, reversal: ReverseCurrency) -> int:
    """Return the units of a reversal without those whose promise had ended before, in millionths.

    `sale` has the reversals before this one.
    """
    drawn = sum(micros(each.amount) for each in reversal.draws)
    counted = micros(reversal.amount) - micros(reversal.shortfall) - drawn
    ended = micros(lot.ended)
    return micros(reversal.amount) - min(counted, ended - min(counted_units(sale, lot), ended))


def newest_first(lots: Sequence[Lot], due: int) -> dict[str, int]:
    """Return the units due of each of an action's lots, in millionths; the newest gives first."""
    dues: dict[str, int] = {}
    for lot in reversed(lots):
        dues[lot.key] = min(held_units(lot), due)
        due -= dues[lot.key]
    return dues


def reversals(
    sale: Sale, event: Return | Amendment, dues: Iterable[tuple[Lot, int]], lots: Iterable[Lot]
) -> Iterator[ReverseCurrency]:
    """Yield the reversal of each lot with units due, in their order.

    Every issue loses its own units before any takes those of other lots; no reversal draws units that another drew.
    """
    takings = [_Taking(sale, lot, units, event.occurred_at) for lot, units in dues if units > 0]
    current = {lot.key: lot for lot in lots}
    for taking in takings:
        taking.take_own(current)
    for taking in takings:
        taking.take_others(current)
    for taking in takings:
        yield taking.reversal(event.id)


class _Taking:
    """The units that a return takes back of one issue: drawn from lots, counted as taken, or a shortfall.

    In this order: the promise and the live lot of the issue; its units that have expired, lapsed or been cancelled,
    which count as taken, once; the account's other live lots, soonest expiry first. All units of a closed account count
    as taken.
    """

    def __init__(self, sale: Sale, lot: Lot, due: int, at: datetime) -> None:
        self._sale = sale
        self._lot = lot
        self._due = due
        self._missing = due if not lot.is_closed else 0
        self._at = at
        self._draws: list[LotDraw] = []
        self._counted = due if lot.is_closed else 0

    def take_own(self, lots: dict[str, Lot]) -> None:
        """Draw from the promise and the live lots of the issue, then count its units that are gone."""
        if self._lot.is_closed:
            return
        promised = min(self._missing, micros(self._lot.promised))
        if promised:
            self._draw(lots, [LotDraw(self._lot.key, decimal_of(promised), "promised")])
        self._draw_live(lots, [each for each in self._parts(lots) if each.account == self._lot.account])
        self._counted = min(self._missing, self._gone(lots))
        self._missing -= self._counted

    def _parts(self, lots: Mapping[str, Lot]) -> list[Lot]:
        """Return the lots with units of the issue: its own, and those that its units moved on to."""
        return [each for each in lots.values() if each.issue_key == self._lot.key]

    def _gone(self, lots: Mapping[str, Lot]) -> int:
        """Return the units of the issue that nobody has any more, less those that earlier returns counted."""
        gone = sum(
            micros(each.expired) + micros(each.voided) + (0 if each.is_live(self._at) else micros(each.outstanding))
            for each in self._parts(lots)
        )
        # A late return may find units live that a later one has counted.
        return max(gone - counted_units(self._sale, self._lot), 0)

    def take_others(self, lots: dict[str, Lot]) -> None:
        """Draw from the account's other live lots of the currency, then from units that moved to other accounts."""
        account, currency = self._lot.account, self._lot.issue.currency
        self._draw_live(
            lots, [each for each in lots.values() if each.account == account and each.issue.currency == currency]
        )
        self._draw_live(lots, self._parts(lots))

    def _draw_live(self, lots: dict[str, Lot], sources: Sequence[Lot]) -> None:
        self._draw(lots, draw(in_order_of_spending(sources, self._at), decimal_of(self._missing)))

    def _draw(self, lots: dict[str, Lot], draws: Iterable[LotDraw]) -> None:
        for each in draws:
            self._draws.append(each)
            self._missing -= micros(each.amount)
            lots[each.lot] = lots[each.lot].moved(each.taken_from, "reversed", each.amount)

    def reversal(self, event: str) -> ReverseCurrency:
        """Return the intent; claims of units that a promise lost at its end are not released again."""
        issue, key = self._lot.issue, event_key(self._sale.program.id, event)
        reversal = ReverseCurrency(
            reversal_key(key, action_of(issue), amendment_of(issue)),
            self._lot.key,
            event,
            issue.member,
            issue.group,
            issue.currency,
            amount=decimal_of(self._due),
            draws=tuple(self._draws),
            shortfall=decimal_of(self._missing),
            carried=self._sale.program.shortfall == "carry",
            claims=(),
        )
        released = newly_released_units(self._sale, self._lot, reversal)
        if not released:
            return reversal
        before = released_units(self._sale, self._lot)
        return attrs.evolve(reversal, claims=released_claims(self._lot, decimal_of(released), before))
