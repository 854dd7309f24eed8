"""No serial is written to the database, and the keys derive it again."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

import loyalty_rules as lr
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger import MemoryLedger, SQLLedger
from loyalty_rules.ledger.sql import SerialKeysNeededError
from loyalty_rules.ledger.sql.serials_at_rest import SerialsAtRest
from loyalty_rules.testing.ledgers.facts.till import (
    SERIALS,
    Till,
    coupon_type,
    hand_out,
    serial_of,
    shop,
)


def test_no_serial_is_written_to_the_file(till: Till, path: Path, ledger: SQLLedger) -> None:
    till.runs(shop(hand_out(quantity=3), coupon_types=coupon_type()))
    receipt = till.sell("T1")
    serials = [serial_of(receipt, number) for number in (1, 2, 3)]
    till.redeem(serials[0], "T2")
    ledger.close()
    kept = b"".join(each.read_bytes() for each in path.parent.iterdir())
    for serial in serials:
        for written in (serial, serial.replace("-", ""), serial.lower()):
            assert written.encode() not in kept
    assert serials[0][-4:].encode() in kept  # as the last four symbols alone


def test_without_the_keys_only_the_last_four_symbols_are_known(till: Till, path: Path) -> None:
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    serial = serial_of(till.sell("T1"))
    blind = SQLLedger.open(f"sqlite:///{path}")
    [coupon] = blind.coupons("acme", "anna")
    assert coupon.issue.serial == f"••••••-••••••-••{serial[-4:]}"
    assert blind.coupon("acme", serial) is None
    assert blind.check_invariants() == []
    with pytest.raises(SerialKeysNeededError, match="next-visit"):
        blind.process(till.program, till.bill("T2"), serials=SERIALS)
    assert till.sell("T2").status == "recorded"  # the sale that failed was not recorded
    blind.close()


@pytest.fixture
def issue() -> IssueCoupon:
    till = Till(MemoryLedger())
    till.runs(shop(hand_out(), coupon_types=coupon_type()))
    (intent,) = till.sell("T1").intents
    assert isinstance(intent, IssueCoupon)
    return intent


def test_a_hidden_serial_is_revealed_with_the_keys(issue: IssueCoupon) -> None:
    at_rest = SerialsAtRest(SERIALS)
    document, fingerprint = at_rest.hide("acme", issue)
    assert issue.serial is not None
    assert fingerprint == SERIALS.fingerprint(issue.serial)
    assert document["serial"] == {
        "key": "0",
        "attempt": 0,
        "last": issue.serial[-4:],
        "fingerprint": fingerprint.hex() if fingerprint is not None else "",
    }
    assert "till_message" not in document  # it contains the serial
    assert at_rest.reveal("acme", document) == issue


def test_a_hidden_serial_of_another_key_shows_its_last_four_symbols(issue: IssueCoupon) -> None:
    document, _ = SerialsAtRest(SERIALS).hide("acme", issue)
    other = lr.DerivedSerials.from_master(b"another master key, for the tests alone")
    for keys in (other, None):
        revealed = SerialsAtRest(keys).reveal("acme", document)
        assert revealed.serial == f"••••••-••••••-••{(issue.serial or '')[-4:]}"


def test_a_coupon_without_a_serial_is_written_as_it_is(issue: IssueCoupon) -> None:
    shared = attrs.evolve(issue, serial=None, code="SPRING")
    document, fingerprint = SerialsAtRest(None).hide("acme", shared)
    assert (document["serial"], document["code"], fingerprint) == (None, "SPRING", None)
    assert SerialsAtRest(None).reveal("acme", document) == shared


def test_a_serial_of_a_pool_is_found_by_the_hash_of_its_folded_form() -> None:
    at_rest = SerialsAtRest(SERIALS)
    assert (
        at_rest.fingerprints("PRINT-0001") == at_rest.fingerprints("print 0001") != at_rest.fingerprints("PRINT-0002")
    )
    assert SerialsAtRest(None).fingerprints("PRINT-0001") == []
