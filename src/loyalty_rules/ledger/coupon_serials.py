"""Serials of issued coupons: their canonical form, and the request from which each is derived. Source: ledger 3, 5."""

import attrs

from loyalty_rules.intents import IssueCoupon
from loyalty_rules.keys import event_in, ordinal_in
from loyalty_rules.rules.texts import with_code
from loyalty_rules.serials import MalformedSerialError, SerialRequest, parse_serial
from loyalty_rules.values.folding import folded

__all__ = ["canonical_code", "request_of", "with_serial"]


def request_of(program: str, issue: IssueCoupon, attempt: int = 0) -> SerialRequest:
    """Return the request from which a coupon's serial is derived; `attempt` counts the serials that were taken."""
    event, ordinal = event_in(issue.key), ordinal_in(issue.key)  # an amendment has keys of its own
    return SerialRequest(program, issue.coupon_type, event, issue.promotion, issue.action, ordinal, attempt)


def with_serial(issue: IssueCoupon, serial: str) -> IssueCoupon:
    """Return the coupon with another serial, also in the text that the till prints."""
    message = with_code(issue.till_message, issue.serial, serial) if issue.serial else issue.till_message
    return attrs.evolve(issue, serial=serial, till_message=message)


def canonical_code(code: str) -> str:
    """Return the form of a code for look-ups: the canonical form of a derived serial, any other code folded.

    A host's own serials are texts like shared codes: no ledger parses them. Source: semantics 9 (codes).
    """
    try:
        return parse_serial(code)
    except MalformedSerialError:
        return folded(code)
