"""Balances, spends, extensions and recipients that do less than they seem to. Source: semantics 3, 5, 12 and 13."""

from collections.abc import Iterator
from datetime import date

from loyalty_rules.linting.finding import Finding
from loyalty_rules.paths import ActionPlace, actions_of, keyed
from loyalty_rules.program import Program
from loyalty_rules.rules.base_values import Balance
from loyalty_rules.rules.expiry import EXPIRIES, Never, RegistrationAnniversary, Rolling
from loyalty_rules.rules.promotions import CurrencyAction, ExtensionAction, FieldRecipient, SpendAction
from loyalty_rules.values.dates import Period

__all__ = ["accounts"]

_ANY_DAY = date(2001, 1, 1)
"""A day from which two periods are compared; in a common year, so that a year is 365 days."""


def accounts(program: Program) -> Iterator[Finding]:
    """Yield rules about accounts that are probably mistakes."""
    for place in actions_of(program):
        yield from _not_spent(place)
        yield from _pays_for_nothing(place)
        yield from _hard_end(place)
        yield from _recipient(place)
    yield from _nothing_to_extend(program)


def _not_spent(place: ActionPlace) -> Iterator[Finding]:
    """Yield awards over a balance that their promotion does not spend: each event awards them again."""
    base = place.base
    if not isinstance(base, Balance) or isinstance(place.action, SpendAction):
        return
    spent = {action.currency for action in place.promotion.actions if isinstance(action, SpendAction)}
    if base.currency not in spent:
        yield Finding(
            f"{place.proration_path}.of",
            "balance_not_spent",
            f"the amount depends on the balance of {base.currency}, which the promotion does not spend",
            "the balance stays: every further event awards the same again",
            f"add a spend_currency action of {base.currency} to the promotion",
        )


def _pays_for_nothing(place: ActionPlace) -> Iterator[Finding]:
    action = place.action
    if not isinstance(action, SpendAction):
        return
    others = [each for each in place.promotion.actions if not isinstance(each, SpendAction)]
    if not others or action.for_ == ():
        yield Finding(
            f"{place.path}.for" if others else place.path,
            "pays_for_nothing",
            "the spend pays for no action",
            "members lose their units and get nothing",
            "add the action that it pays for" if not others else "name the actions, or leave `for` out for all",
        )


def _hard_end(place: ActionPlace) -> Iterator[Finding]:
    expiry = getattr(place.action, "expiry", None)
    if isinstance(expiry, Rolling) and expiry.most is not None and _days(expiry.most) <= _days(expiry.after):
        yield Finding(
            f"{place.path}.expiry.most",
            "never_extended",
            "the units live at most as long as a single extension would give them",
            "no later event extends them: `after` and `rolling` change nothing",
            "write a longer `most`, or a fixed_period",
        )


def _days(period: Period) -> int:
    day = period.after(_ANY_DAY)
    return (day - _ANY_DAY).days if day is not None else 10**6


def _recipient(place: ActionPlace) -> Iterator[Finding]:
    """Yield channels of a message, and expiries, that the event does not know of another member."""
    action = place.action
    if not isinstance(action, CurrencyAction) or not isinstance(action.recipient, FieldRecipient):
        return
    if action.recipient.field == "member.id":
        yield Finding(
            f"{place.path}.recipient.field",
            "issues_nothing",
            "the field names the event's own member",
            "every event is skipped with same_member",
            "name the field with the other member's id, or write recipient = 'member'",
        )
    if action.communication is not None and (action.communication.mandatory or action.communication.priority):
        yield Finding(
            f"{place.path}.communication",
            "channels_unused",
            "the recipient is another member, whose contacts the event does not have",
            "the message goes out without channels: your application chooses them",
            "leave `mandatory` and `priority` out",
        )
    read = [path for path in EXPIRIES[type(action.expiry)].reads(action.expiry) if path.startswith("member.")]
    waits = isinstance(action.expiry, RegistrationAnniversary) and action.timing.type in (
        "external",
        "transaction_update",
    )
    if read and not waits:
        yield Finding(
            f"{place.path}.expiry",
            "issues_nothing",
            f"the expiry reads {read[0]} of another member, which the event does not have",
            "every event is skipped with missing_field",
            "write an expiry that counts from the event or the issue",
        )


def _nothing_to_extend(program: Program) -> Iterator[Finding]:
    """Yield extensions of a currency of which every issue lives for ever, or that nothing issues."""
    ends = {
        place.action.currency
        for place in actions_of(program)
        if isinstance(place.action, CurrencyAction) and not isinstance(place.action.expiry, Never)
    }
    extensions = [
        (place.path, place.action.currency)
        for place in actions_of(program)
        if isinstance(place.action, ExtensionAction)
    ]
    extensions += [
        (f"{path}.redeem.extends", currency.id)
        for path, currency in keyed("currencies", program.currencies)
        if currency.redeem is not None and currency.redeem.extends is not None
    ]
    for path, currency in extensions:
        if currency not in ends:
            yield Finding(
                path,
                "nothing_to_extend",
                f"no action issues {currency} with an expiry",
                "an extension never changes the day of units that live for ever",
                "name the intended currency, or remove the extension",
            )
