"""What the serial of an issued coupon is derived from, so that it can be derived again. Source: ledger 3 and 5."""

import attrs

from loyalty_rules.intents import IssueCoupon, till_message
from loyalty_rules.keys import ordinal_in
from loyalty_rules.serials import SerialRequest

__all__ = ["request_of", "with_serial"]


def request_of(program: str, issue: IssueCoupon, attempt: int = 0) -> SerialRequest:
    """Give what a coupon's serial is derived from; `attempt` counts the serials that were found to be taken."""
    ordinal = ordinal_in(issue.key)
    return SerialRequest(program, issue.coupon_type, issue.event, issue.promotion, issue.action, ordinal, attempt)


def with_serial(issue: IssueCoupon, serial: str | None) -> IssueCoupon:
    """Give a coupon another serial; the till prints it."""
    return attrs.evolve(issue, serial=serial, till_message=till_message(serial))
