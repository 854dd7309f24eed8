"""Holds: units that are set aside for a payment, and their end by a capture, a release or time. Source: semantics 12.

A hold stands before its instant `until`, and ends once. Held units can be captured beyond the last day of their lot.
When they are let go they settle shortfalls as the units of an undone spend do, and only the rest is available.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from loyalty_rules.intents import CaptureHold, HoldCurrency, LotDraw, ReleaseHold, SpendCurrency
from loyalty_rules.keys import capture_key, hold_end_key, hold_key, hold_release_key, spend_key
from loyalty_rules.lifecycle.bill import Bill
from loyalty_rules.lifecycle.records import Account, Hold, Lot, Refusal, Shortfall
from loyalty_rules.lifecycle.spending import spend, worth
from loyalty_rules.lifecycle.undoing import after_settling, last_drawn, returned_units
from loyalty_rules.program import Program
from loyalty_rules.values.amounts import decimal_of, micros, text_of

__all__ = ["after_ended_holds", "capture", "end", "hold", "release"]


def hold(
    program: Program, account: Account, member: str, currency: str, event: str, lots: Iterable[Lot], amount: Decimal,
    until: datetime, at: datetime, bill: Bill | None = None, *, has_rate: bool = True,
) -> HoldCurrency | Refusal:  # fmt: skip
    """Decide a hold of an amount from an account's `lots`; it is refused for each reason to refuse such a spend."""
    decided = spend(program, account, member, currency, event, lots, amount, at, bill, has_rate=has_rate)
    if isinstance(decided, Refusal):
        return decided
    return HoldCurrency(
        hold_key(program.id, event, currency),
        event,
        decided.member,
        decided.group,
        currency,
        decided.amount,
        until,
        decided.draws,
    )


def capture(
    program: Program,
    held: Hold,
    event: str,
    lots: Mapping[str, Lot],
    shortfalls: Iterable[Shortfall],
    at: datetime,
    amount: Decimal | None = None,
) -> tuple[CaptureHold | SpendCurrency | ReleaseHold, ...] | Refusal:
    """Spend the units of a hold, or an `amount` of them, for the transaction `event`; the rest is released at once.

    Refusals: `hold_ended`, `not_positive`, `more_than_held`, `too_early`, all that apply.
    """
    intent = held.intent
    reasons = dict(_against_end(held, at))
    if amount is not None and micros(amount) <= 0:
        reasons["not_positive"] = f"{text_of(amount)} is not an amount to capture"
    if amount is not None and micros(amount) > micros(intent.amount):
        reasons["more_than_held"] = f"{text_of(amount)} is more than the {text_of(intent.amount)} held"
    if reasons:
        return Refusal(tuple(reasons), "; ".join(reasons.values()))
    captured = micros(amount) if amount is not None else micros(intent.amount)
    rest = micros(intent.amount) - captured
    currency = program.currency(intent.currency)
    rate = currency.redeem if currency is not None else None
    units = decimal_of(captured)
    spent = SpendCurrency(
        spend_key(program.id, event, intent.currency),
        event,
        held.account.id if intent.group is None else intent.member,  # another member since a merge
        intent.group,
        intent.currency,
        units,
        worth(rate, units) if rate is not None else None,
        tuple(_first_drawn(intent.draws, captured)),
    )
    captures = CaptureHold(capture_key(program.id, event, held.key), held.key, event, units)
    if not rest:
        return captures, spent
    key = hold_release_key(program.id, event, held.key)
    return captures, spent, _let_go(held, key, lots, shortfalls, at, rest)


def _first_drawn(draws: Iterable[LotDraw], units: int) -> Iterator[LotDraw]:
    """Yield the first units of some draws, in millionths, as drawn from held units."""
    for draw in draws:
        taken = min(units, micros(draw.amount))
        units -= taken
        if taken > 0:
            yield LotDraw(draw.lot, decimal_of(taken), "held")


def release(
    held: Hold, key: str, lots: Mapping[str, Lot], shortfalls: Iterable[Shortfall], at: datetime
) -> ReleaseHold | Refusal:
    """Release the units of a hold. Refusals: `hold_ended`, `too_early`, all that apply."""
    reasons = dict(_against_end(held, at))
    if reasons:
        return Refusal(tuple(reasons), "; ".join(reasons.values()))
    return _let_go(held, key, lots, shortfalls, at, micros(held.intent.amount))


def end(held: Hold, lots: Mapping[str, Lot], shortfalls: Iterable[Shortfall]) -> ReleaseHold:
    """Release the units of a hold by time alone, as of its instant `until`."""
    return _let_go(held, hold_end_key(held.key), lots, shortfalls, held.intent.until, micros(held.intent.amount))


def _against_end(held: Hold, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield each reason to refuse the capture or the release of a hold, with its sentence."""
    if not held.is_open(at):
        yield "hold_ended", f"{held.key} has ended"
    if at < held.at:
        yield "too_early", f"it is dated before the hold {held.key}"


def _let_go(
    held: Hold, key: str, lots: Mapping[str, Lot], shortfalls: Iterable[Shortfall], at: datetime, units: int
) -> ReleaseHold:
    """Release the last units of a hold at an instant, in millionths."""
    back = returned_units(last_drawn(held.intent.draws, 0, units), lots, shortfalls, held.at, at)
    return ReleaseHold(key, held.key, at, back.available, back.expired, back.settled)


def after_ended_holds(
    holds: Iterable[Hold], lots: Sequence[Lot], shortfalls: Sequence[Shortfall], at: datetime
) -> tuple[list[Lot], list[Shortfall], list[ReleaseHold]]:
    """Return the lots and the shortfalls of one balance after its holds that are over by an instant have ended.

    The last value are the releases, in the order of their instants.
    """
    current, owed, releases = {lot.key: lot for lot in lots}, [*shortfalls], []
    for each in sorted(holds, key=lambda one: one.intent.until):
        if each.ended_at is None and each.intent.until <= at:
            released = end(each, current, owed)
            owed = after_settling(owed, released.settled)
            for source, target, units in released.moves():
                current[source] = current[source].moved("held", target, units)
            releases.append(released)
    return [*current.values()], owed, releases
