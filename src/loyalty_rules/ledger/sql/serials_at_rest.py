"""Serials at rest: instead of a serial, the database has its keyed hash and the input it is derived from.

A serial is replaced by an object of four fields: the id of its key, the attempt that it was derived with, its last
four symbols, and its keyed hash. With the keys the serial is derived again; without them only the last four symbols
are known. A host's own serials, a pool of printed codes, are hashed alike, in folded form; no ledger parses them.
Source: ledger 3, semantics 9 (codes).
"""

from collections.abc import Mapping
from typing import Any

import attrs

from loyalty_rules.documents.structuring import restore, unstructure
from loyalty_rules.errors import LoyaltyError
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.coupon_serials import canonical_code, request_of, with_serial
from loyalty_rules.rules.texts import till_message, with_code
from loyalty_rules.serials import InvalidKeyError, MalformedSerialError, SerialKeys, key_id_of
from loyalty_rules.values.folding import folded

__all__ = ["SerialKeysNeededError", "SerialsAtRest"]

_MAX_ATTEMPTS = 100
_LEAST_TO_SHOW = 8  # of a shorter serial the last four symbols would say too much
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

    def fingerprints(self, code: str) -> list[bytes]:
        """Return the keyed hashes that the coupon of a serial may be found by; none if no key is known."""
        if self.keys is None:
            return []
        own = self.keys.fingerprint(code)
        printed = getattr(self.keys, "fingerprints_of_text", _no_fingerprints)(folded(code))
        return [*([own] if own is not None else []), *printed]

    def hide(self, program: str, issue: IssueCoupon) -> tuple[dict[str, Any], bytes | None]:
        """Return the document of a coupon without its serial, and the keyed hash; raises `SerialKeysNeededError`."""
        document: dict[str, Any] = unstructure(issue)
        if issue.serial is None:
            return document, None
        fingerprints = self.fingerprints(issue.serial)
        if not fingerprints:
            raise SerialKeysNeededError(issue.coupon_type)
        fingerprint, canonical = fingerprints[0], canonical_code(issue.serial)
        document["serial"] = {
            "key": _key_id_of(issue.serial),
            "attempt": self._attempt_of(program, issue),
            "last": canonical[-4:] if len(canonical) >= _LEAST_TO_SHOW else "",
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
        assert issue.serial is not None
        for attempt in range(_MAX_ATTEMPTS):
            derived = self._derive(_key_id_of(issue.serial), program, issue, attempt)
            if derived is None:
                return None
            if derived == issue.serial:
                return attempt
        return None

    def _derive(self, key_id: str, program: str, issue: IssueCoupon, attempt: int) -> str | None:
        """Return the serial of an attempt; None if these keys derive no such serials."""
        assert self.keys is not None
        try:
            return self.keys.serial_under(key_id, request_of(program, issue, attempt))
        except InvalidKeyError:
            return None

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
            serial = self._derive(hidden["key"], program, issue, hidden["attempt"])
            if serial is not None and bytes.fromhex(hidden["fingerprint"]) in self.fingerprints(serial):
                return serial
        return f"••••••-••••••-••{hidden['last']}"


def _key_id_of(serial: str) -> str:
    """Return the id of the key in a derived serial; an empty text for a host's own serial, which has none."""
    try:
        return key_id_of(serial)
    except MalformedSerialError:
        return ""


def _no_fingerprints(_text: str) -> list[bytes]:
    return []
