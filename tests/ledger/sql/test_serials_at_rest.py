"""No serial is written to the database, and the keys derive it again."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import SerialKeysNeededError
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
