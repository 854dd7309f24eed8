"""UCP: evaluations as the loyalty extension of the Universal Commerce Protocol, `dev.ucp.common.loyalty`.

An agent shows a buyer in a cart or at the checkout how much the purchase earns. Amounts are whole numbers of the minor
unit of a reward currency, whose `decimal_places` stands beside it. Pending units count: they are earned if the
purchase is completed. Units that other members get by the same purchase do not.
Source: semantics 3 and 14, documents (evaluation).
"""

import re
from collections.abc import Mapping
from typing import Any

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.intents import IssueCurrency
from loyalty_rules.program import Evaluation
from loyalty_rules.values.amounts import MICRO, micros

__all__ = ["earning_forecast", "loyalty", "membership", "rewards"]

_REVERSE_DOMAIN = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9_])?)+")


def earning_forecast(evaluation: Evaluation, currency: str) -> dict[str, Any]:
    """Return the units of a currency that the event's member earns, in minor units, with a row for each action.

    The minor unit is that of `rewards`. Raises `InvalidValueError` for a currency that the program does not have.
    """
    places = _places(evaluation, currency)
    titles = {promotion.id: promotion.title for promotion in evaluation.basis.program.promotions}
    rows = [
        {
            "id": f"{intent.promotion}/{intent.action}",
            "amount": _minor_units(intent, places),
            "description": titles.get(intent.promotion) or intent.promotion,
        }
        for intent in _own_issues(evaluation, currency)
    ]
    return {"amount": sum(row["amount"] for row in rows), "breakdown": rows}


def rewards(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return every reward currency of the program with its forecast."""
    return [
        {
            "currency": {
                "name": currency.title or currency.id,
                "code": currency.id,
                "decimal_places": _places(evaluation, currency.id),
            },
            "earning_forecast": earning_forecast(evaluation, currency.id),
        }
        for currency in evaluation.basis.program.currencies
    ]


def membership(
    evaluation: Evaluation,
    *,
    membership_id: str,
    name: str,
    provisional: bool,
    display_id: str | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the membership of the event's member: the levels before the event, and the rewards of the event.

    `names` are the names of levels for people. `provisional` is true as long as the buyer's claim to be a member is not
    verified. Raises `InvalidValueError` for a `display_id` of such a member, which the protocol forbids.
    """
    if provisional and display_id is not None:
        raise InvalidValueError(
            "display_id", "misplaced", "a membership that is not verified has no display_id; leave it out"
        )
    found: dict[str, Any] = {
        "id": membership_id,
        "name": name,
        "provisional": provisional,
        "rewards": rewards(evaluation),
    }
    if display_id is not None:
        found["display_id"] = display_id
    if tiers := _tiers(evaluation, names or {}):
        found["tiers"] = tiers
    return found


def loyalty(claim: str, membership: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of `loyalty` in a cart or a checkout: a membership under the claim that it answers.

    The claim is a name such as `com.example.loyalty`. Raises `InvalidValueError` for another one.
    """
    if not isinstance(claim, str) or len(claim) > 256 or _REVERSE_DOMAIN.fullmatch(claim) is None:
        raise InvalidValueError(
            "claim", "not_a_name", f"expected a name such as 'com.example.loyalty', found {describe(claim)}"
        )
    return {claim: dict(membership)}


def _own_issues(evaluation: Evaluation, currency: str) -> list[IssueCurrency]:
    """Return the issues and promises to the event's own member or its group."""
    member = evaluation.basis.event.member
    return [
        intent
        for intent in evaluation.intents
        if isinstance(intent, IssueCurrency)
        and intent.currency == currency
        and member is not None
        and intent.member == member.id
    ]


def _places(evaluation: Evaluation, currency: str) -> int:
    """Return the decimals of a currency; more of them if an amount of this evaluation has more."""
    known = {each.id: each.decimals for each in evaluation.basis.program.currencies}
    if currency not in known:
        raise InvalidValueError(
            "currency", "not_a_choice", f"the program has {', '.join(known) or 'none'}; found {describe(currency)}"
        )
    amounts = [micros(intent.amount) for intent in _own_issues(evaluation, currency)]
    fine = (places for places in range(known[currency], 7) if all(not each % 10 ** (6 - places) for each in amounts))
    return next(fine)


def _minor_units(intent: IssueCurrency, places: int) -> int:
    unit: int = MICRO // 10**places
    return micros(intent.amount) // unit


def _tiers(evaluation: Evaluation, names: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the level of the member in each tier before the event; without a standing it is the first level."""
    basis = evaluation.basis
    if basis.event.member is None:
        return []
    levels = [
        basis.snapshot.tiers[tier.id].level if tier.id in basis.snapshot.tiers else tier.levels[0]
        for tier in basis.program.tiers
    ]
    return [{"id": level, "name": names.get(level, level)} for level in levels]
