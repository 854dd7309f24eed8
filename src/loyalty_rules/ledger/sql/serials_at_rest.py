"""Serials at rest: instead of a serial, the database has its keyed hash and the input it is derived from.

A serial is replaced by an object of four fields: the id of its key, the attempt that it was derived with, its last
four symbols, and its keyed hash. With the keys the serial is derived again; without them only the last four symbols
are known. Source: ledger 3.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.coupon_serials import request_of, with_serial
from loyalty_rules.rules.texts import till_message, with_code
from loyalty_rules.serials import SerialKeys, key_id_of, parse_serial

__all__ = ["SerialKeysNeededError", "SerialsAtRest"]

_MAX_ATTEMPTS = 100
_HIDDEN = "\x00"
"""The text in the place of a serial in a message at rest."""


class SerialKeysNeededError(LoyaltyError):
    """A coupon with a serial that the ledger has no key for: `coupon_type` is the id of its type."""

    def __init__(self, coupon_type: str) -> None:
        self.coupon_type = coupon_type
        super().__init__(coupon_type)

    def __str__(self) -> str:
        return (
            f"a coupon of type {self.coupon_type!r} has a serial, and this ledger has no keys to hash it with: open "
            "the ledger with the keys that derive its serials, SQLLedger(…, serials=DerivedSerials.from_master(master))"
        )


@attrs.frozen
class SerialsAtRest:
    """The two directions of a coupon: its serial is hidden before it is written, and derived again when it is read."""

    keys: SerialKeys | None

    def fingerprint(self, code: str) -> bytes | None:
        """Return the keyed hash of a serial; None if the code is not a serial or its key is missing."""
        return self.keys.fingerprint(code) if self.keys is not None else None

    def hide(self, program: str, issue: IssueCoupon) -> tuple[dict[str, Any], bytes | None]:
        """Return the document of a coupon without its serial, and the keyed hash; raises `SerialKeysNeededError`."""
        document: dict[str, Any] = unstructure(issue)
        if issue.serial is None:
            return document, None
        fingerprint = self.fingerprint(issue.serial)
        if fingerprint is None:
            raise SerialKeysNeededError(issue.coupon_type)
        document["serial"] = {
            "key": key_id_of(issue.serial),
            "attempt": self._attempt_of(program, issue),
            "last": parse_serial(issue.serial)[-4:],
            "fingerprint": fingerprint.hex(),
        }
        # The message contains the serial: it is written without it, and not at all if it is the usual one.
        if issue.till_message == till_message(None, issue.serial):
            del document["till_message"]
        else:
            document["till_message"] = with_code(issue.till_message, issue.serial, _HIDDEN)
        return document, fingerprint

    def _attempt_of(self, program: str, issue: IssueCoupon) -> int | None:
        """Return the attempt that a serial was derived with; None if these keys did not derive it."""
        attempts = (each for each in range(_MAX_ATTEMPTS) if self._derive(program, issue, each) == issue.serial)
        return next(attempts, None)

    def _derive(self, program: str, issue: IssueCoupon, attempt: int) -> str:
        assert self.keys is not None
        assert issue.serial is not None
        return self.keys.serial_under(key_id_of(issue.serial), request_of(program, issue, attempt))

    def reveal(self, program: str, document: Mapping[str, Any]) -> IssueCoupon:
        """Return the coupon of a document: with its serial if the keys are known, else with its last four symbols."""
        hidden = document["serial"]
        if hidden is None:
            return restore(document, IssueCoupon)
        usual = till_message(None, _HIDDEN)
        issue = restore({"till_message": usual, **document, "serial": _HIDDEN}, IssueCoupon)
        return with_serial(issue, self._serial_of(program, issue, hidden))

    def _serial_of(self, program: str, issue: IssueCoupon, hidden: Mapping[str, Any]) -> str:
        if self.keys is not None and hidden["attempt"] is not None:
            serial = self.keys.serial_under(hidden["key"], request_of(program, issue, hidden["attempt"]))
            if self.fingerprint(serial) == bytes.fromhex(hidden["fingerprint"]):
                return serial
        return f"••••••-••••••-••{hidden['last']}"
