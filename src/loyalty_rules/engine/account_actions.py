"""The actions of a program that issue to a member's own account or spend from it, and those that a spend pays for.

Source: semantics 3 (balance), 12.
"""

from collections.abc import Sequence
from typing import TypeGuard

import attrs

from loyalty_rules.errors import InvalidValueError
from loyalty_rules.events import Member
from loyalty_rules.keys import action_key, split_action_key
from loyalty_rules.rules.comparisons import Subject
from loyalty_rules.rules.facts import Facts
from loyalty_rules.rules.promotions import CouponAction, CurrencyAction, ExtensionAction, Promotion, SpendAction
from loyalty_rules.rules.skips import Skip
from loyalty_rules.rules.timing import Immediate
from loyalty_rules.values.identifiers import read_name

__all__ = ["AccountActions", "group_of", "payers_of", "recipient_in"]


@attrs.frozen(eq=False)
class AccountActions:
    """The actions that change the available balance of a member's own account in an evaluation, as PROMOTION/ACTION.

    `issued` issue a currency to it at once, `spent` spend one; both are pairs of an action and its currency.
    """

    issued: tuple[tuple[str, str], ...]
    spent: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, promotions: Sequence[Promotion]) -> "AccountActions":
        """Collect the actions of promotions."""
        issued, spent = [], []
        for promotion in promotions:
            for action in promotion.actions:
                key = action_key(promotion.id, action.id)
                if isinstance(action, SpendAction):
                    spent.append((key, action.currency))
                elif _adds_to_balance(action):
                    issued.append((key, action.currency))
        return cls(tuple(issued), tuple(spent))

    def issues(self, currency: str) -> tuple[str, ...]:
        """Return the actions that issue a currency."""
        return tuple(key for key, issued in self.issued if issued == currency)

    def spends(self, currency: str, promotion: str | None = None) -> tuple[str, ...]:
        """Return the actions that spend a currency, without those of a promotion: its bases do not see its own."""
        return tuple(key for key, spent in self.spent if spent == currency and split_action_key(key)[0] != promotion)


def _adds_to_balance(action: CurrencyAction | CouponAction | ExtensionAction) -> TypeGuard[CurrencyAction]:
    return isinstance(action, CurrencyAction) and action.recipient == "member" and isinstance(action.timing, Immediate)


def payers_of(promotion: Promotion) -> dict[str, tuple[str, ...]]:
    """Return the keys of the actions whose spends pay for an action, by the id of that action."""
    payers: dict[str, tuple[str, ...]] = {}
    for spend in promotion.actions:
        if isinstance(spend, SpendAction):
            others = [each.id for each in promotion.actions if not isinstance(each, SpendAction)]
            for paid in others if spend.for_ is None else spend.for_:
                payers[paid] = (*payers.get(paid, ()), action_key(promotion.id, spend.id))
    return payers


def recipient_in(subject: Subject, facts: Facts) -> str | None:
    """Return the id of the recipient that a field of an event names; None if it names no other member."""
    try:
        name = read_name(subject.get(facts))
    except InvalidValueError:
        return None
    return name if facts.member is None or facts.member.id != name else None


def group_of(member: Member) -> str:
    """Return the group whose account receives the issue; raise `Skip` if the member has no group."""
    if member.group is None:
        raise Skip("no_group", f"member {member.id} has no group")
    return member.group
