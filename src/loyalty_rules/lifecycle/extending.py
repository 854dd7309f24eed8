"""Extensions that a spend causes, and the last day beyond which no extension moves a lot. Source: semantics 5."""

from datetime import date, datetime

from loyalty_rules.intents import ExtendExpiry, SpendCurrency
from loyalty_rules.keys import extension_key
from loyalty_rules.lifecycle.records import Lot, Sale
from loyalty_rules.program import Program
from loyalty_rules.rules.expiry import bind_extension, expires_by
from loyalty_rules.rules.promotions import CurrencyAction
from loyalty_rules.rules.skips import Skip
from loyalty_rules.values.dates import in_zone

__all__ = ["extension_of_spend", "last_day_of"]


def extension_of_spend(program: Program, spend: SpendCurrency, at: datetime) -> ExtendExpiry | None:
    """Return the extension of the units that a spend leaves; None if its currency has none, or its date is past."""
    rate = next(each.redeem for each in program.currencies if each.id == spend.currency)
    if rate is None or rate.extends is None:
        return None
    extends, plan = rate.extends, program.plan
    try:
        expires_on = bind_extension(extends.after, extends.through)(in_zone(at, plan.zone).date())
    except Skip:
        return None
    expires_at = plan.end_of(expires_on)
    if expires_at <= at:
        return None
    return ExtendExpiry(
        extension_key(spend.key),
        spend.member,
        spend.group,
        spend.currency,
        extends.scope,
        expires_on,
        expires_at,
    )


def last_day_of(lot: Lot, sale: Sale | None) -> date | None:
    """Return the date beyond which no extension moves a lot; None if its terms have no maximum.

    A promise has it from its release on, by the terms of its sale.
    """
    if lot.issue.expires_by is not None or lot.issue.release is None or sale is None:
        return lot.issue.expires_by
    action = sale.action_of(lot.issue).action
    return expires_by(action.expiry, lot.issue_on) if isinstance(action, CurrencyAction) else None
