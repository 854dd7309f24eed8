"""Serials in a store: a keyed hash to look one up by, and what it was derived from; never the serial. Source: ledger 3.

What is written instead of a serial is an object: the id of its key, the attempt that it was derived with, its last
four symbols and its keyed hash. With the keys the serial is derived again; without them four symbols are all there is.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import IssueCoupon, till_message
from loyalty_rules.ledger.coupon_serials import request_of, with_serial
from loyalty_rules.serials import SerialKeys, key_id_of, parse_serial

__all__ = ["SerialKeysNeededError", "SerialsAtRest"]

_MAX_ATTEMPTS = 100


class SerialKeysNeededError(LoyaltyError):
    """A coupon with a serial is to be kept, and the ledger has no key for it: `coupon_type` names its type."""

    def __init__(self, coupon_type: str) -> None:
        self.coupon_type = coupon_type
        super().__init__(coupon_type)

    def __str__(self) -> str:
        return (
            f"a coupon of type {self.coupon_type!r} has a serial, of which this ledger keeps but a keyed hash: open it "
            "with the keys that its serials are derived from, SQLLedger(…, serials=DerivedSerials.from_master(master))"
        )


@attrs.frozen
class SerialsAtRest:
    """Hides the serials of coupons before they are written, and derives them again when they are read."""

    keys: SerialKeys | None

    def fingerprint(self, code: str) -> bytes | None:
        """Give what a serial is looked up by; None for what is no serial, or of no key that is held."""
        return self.keys.fingerprint(code) if self.keys is not None else None

    def hidden(self, program: str, issue: IssueCoupon) -> tuple[dict[str, Any], bytes | None]:
        """Write a coupon without its serial; give its fingerprint, too."""
        document: dict[str, Any] = unstructure(issue)
        if issue.serial is None:
            return document, None
        fingerprint = self.fingerprint(issue.serial)
        if fingerprint is None:
            raise SerialKeysNeededError(issue.coupon_type)
        document["serial"] = {
            "key": key_id_of(issue.serial),
            "attempt": self._attempt(program, issue),
            "last": parse_serial(issue.serial)[-4:],
            "fingerprint": fingerprint.hex(),
        }
        del document["till_message"]
        return document, fingerprint

    def _attempt(self, program: str, issue: IssueCoupon) -> int | None:
        """Find the attempt that a serial was derived with; None where these keys did not make it."""
        attempts = (each for each in range(_MAX_ATTEMPTS) if self._derived(program, issue, each) == issue.serial)
        return next(attempts, None)

    def _derived(self, program: str, issue: IssueCoupon, attempt: int) -> str:
        assert self.keys is not None
        assert issue.serial is not None
        return self.keys.serial_under(key_id_of(issue.serial), request_of(program, issue, attempt))

    def shown(self, program: str, document: Mapping[str, Any]) -> IssueCoupon:
        """Read a coupon back: with its serial where the keys are held, else with its last four symbols."""
        hidden = document["serial"]
        if hidden is None:
            return restore(document, IssueCoupon)
        issue = restore({**document, "serial": None, "till_message": till_message(None)}, IssueCoupon)
        return with_serial(issue, self._again(program, issue, hidden))

    def _again(self, program: str, issue: IssueCoupon, hidden: Mapping[str, Any]) -> str:
        if self.keys is not None and hidden["attempt"] is not None:
            serial = self.keys.serial_under(hidden["key"], request_of(program, issue, hidden["attempt"]))
            if self.fingerprint(serial) == bytes.fromhex(hidden["fingerprint"]):
                return serial
        return f"••••••-••••••-••{hidden['last']}"
