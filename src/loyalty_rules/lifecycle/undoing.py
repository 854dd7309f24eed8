"""Undoing a spend: its units come back, settle shortfalls and debts, and only the rest is available again.

Units come back lot by lot, those drawn last first, so that an undo in parts comes to the same as at once. Source:
semantics 11, 12.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from loyalty_rules.intents import LotDraw, Settlement, SpendCurrency, UndoSpend
from loyalty_rules.keys import undo_key
from loyalty_rules.lifecycle.records import Lot, Payment, Refusal, Shortfall
from loyalty_rules.values.amounts import decimal_of, micros, text_of

__all__ = ["ReturnedUnits", "after_settling", "last_drawn", "returned_units", "undo_spend"]


def undo_spend(
    payment: Payment,
    lots: Mapping[str, Lot],
    shortfalls: Iterable[Shortfall],
    at: datetime,
    amount: Decimal | None = None,
    key: str | None = None,
) -> UndoSpend | Refusal:
    """Undo a spend, or an `amount` of it, at an instant; `key` is the key of the intent.

    `lots` are those that the spend drew on, `shortfalls` those of its account in its currency. Units of lots that have
    expired are listed, but not revived; they count as undone. Refusals: `already_undone`, `not_positive`,
    `more_than_spent`, `too_early`, all that apply.
    """
    spent = payment.intent
    assert isinstance(spent, SpendCurrency)
    reasons = dict(_against_undo(payment, spent, at, amount))
    if reasons:
        return Refusal(tuple(reasons), "; ".join(reasons.values()))
    undone = micros(payment.undone)
    part = micros(amount) if amount is not None else micros(spent.amount) - undone
    back = returned_units(last_drawn(spent.draws, undone, part), lots, shortfalls, payment.at, at)
    return UndoSpend(
        key if key is not None else undo_key(spent.key), spent.key, back.available, back.expired, back.settled
    )


def _against_undo(
    payment: Payment, spent: SpendCurrency, at: datetime, amount: Decimal | None
) -> Iterator[tuple[str, str]]:
    """Yield each reason to refuse an undo, with its sentence."""
    left = micros(spent.amount) - micros(payment.undone)
    if left <= 0:
        yield "already_undone", f"{spent.key} has been undone already"
    if amount is not None and micros(amount) <= 0:
        yield "not_positive", f"{text_of(amount)} is not an amount to undo"
    if amount is not None and left > 0 and micros(amount) > left:
        yield "more_than_spent", f"{text_of(amount)} is more than the {text_of(decimal_of(left))} that are still spent"
    if at < payment.at:
        yield "too_early", f"the undo is dated before the spend {spent.key}"


def last_drawn(draws: Iterable[LotDraw], skipped: int, units: int) -> list[LotDraw]:
    """Return the last units of some draws, the last draw first, after so many that are skipped, in millionths."""
    last = []
    for draw in reversed([*draws]):
        drawn = micros(draw.amount)
        passed = min(skipped, drawn)
        taken = min(units, drawn - passed)
        skipped, units = skipped - passed, units - taken
        if taken > 0:
            last.append(LotDraw(draw.lot, decimal_of(taken)))
    return last


@attrs.frozen
class ReturnedUnits:
    """Units that come back: to be spent again, gone with the last day of their lot, or reversed for a shortfall."""

    available: tuple[LotDraw, ...]
    expired: tuple[LotDraw, ...]
    settled: tuple[Settlement, ...]


def returned_units(
    draws: Iterable[LotDraw], lots: Mapping[str, Lot], shortfalls: Iterable[Shortfall], since: datetime, at: datetime
) -> ReturnedUnits:
    """Decide about units that were set aside at `since` and come back at `at`, one draw after the other.

    They settle the shortfalls of their own lot, even if they have expired; then the others of the account that arose
    since, written off or carried; then the debts from before. Shortfalls are settled in the order in which they arose.
    """
    books = _OpenShortfalls(shortfalls, since)
    available, expired, settled = list[LotDraw](), list[LotDraw](), list[Settlement]()
    for draw in draws:
        lot = lots[draw.lot]
        has_expired = lot.expires_at is not None and at >= lot.expires_at
        left = micros(draw.amount)
        for each in books.settled_by(lot, left, has_expired=has_expired):
            settled.append(each)
            left -= micros(each.amount)
        if left:
            (expired if has_expired else available).append(LotDraw(lot.key, decimal_of(left)))
    return ReturnedUnits(tuple(available), tuple(expired), tuple(settled))


class _OpenShortfalls:
    """The open shortfalls of an account in a currency, while units come back lot by lot."""

    def __init__(self, shortfalls: Iterable[Shortfall], since: datetime) -> None:
        self._shortfalls = sorted(shortfalls, key=lambda each: each.at)
        self._open = {each.key: micros(each.open) for each in self._shortfalls}
        self._since = since

    def settled_by(self, lot: Lot, units: int, *, has_expired: bool) -> Iterator[Settlement]:
        """Yield the settlements of up to so many millionths of a lot."""
        for each in self._own(lot) if has_expired else (*self._own(lot), *self._arisen_since(), *self._debts()):
            settled = min(units, self._open[each.key])
            if settled > 0:
                units -= settled
                self._open[each.key] -= settled
                yield Settlement(lot.key, each.key, decimal_of(settled))

    def _own(self, lot: Lot) -> list[Shortfall]:
        return [each for each in self._shortfalls if each.lot in (lot.key, lot.issue_key)]

    def _arisen_since(self) -> list[Shortfall]:
        return [each for each in self._shortfalls if each.at >= self._since]

    def _debts(self) -> list[Shortfall]:
        return [each for each in self._shortfalls if each.carried]


def after_settling(shortfalls: Iterable[Shortfall], settled: Iterable[Settlement]) -> list[Shortfall]:
    """Return the shortfalls after some settlements."""
    paid: dict[str, int] = {}
    for each in settled:
        paid[each.shortfall] = paid.get(each.shortfall, 0) + micros(each.amount)
    return [attrs.evolve(each, open=decimal_of(micros(each.open) - paid.get(each.key, 0))) for each in shortfalls]
