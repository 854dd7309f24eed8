"""The journal fulfils the contract, also if it is read again after every line; and tests of its file."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from journal_ledger import JournalDiffersError, JournalLedger

import loyalty_rules as lr
from loyalty_rules.ledger import Ledger, Receipt
from loyalty_rules.ledger.reports import issuance
from loyalty_rules.lifecycle import Account
from loyalty_rules.serials import DerivedSerials
from loyalty_rules.testing.ledgers.contract import LedgerContract
from loyalty_rules.testing.ledgers.state_machine import ledger_state_machine


class TestJournalLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with JournalLedger(tmp_path / "journal.jsonl") as ledger:
            yield ledger


class ForgetfulLedger(JournalLedger):
    """A journal that reads its file again after each transaction."""

    def _do(self, *arguments: Any, **more: Any) -> Any:
        receipts = super()._do(*arguments, **more)
        if self._depth == 0:
            self.reload()
        return receipts


class TestReadAnewAfterEveryOperation(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with ForgetfulLedger(tmp_path / "journal.jsonl") as ledger:
            yield ledger


opened: list[JournalLedger] = []


def fresh() -> JournalLedger:
    """Return a ledger whose file is unlinked, so that it disappears when it is closed."""
    with tempfile.TemporaryDirectory() as folder:
        opened.append(ForgetfulLedger(Path(folder) / "journal.jsonl"))
    return opened[-1]


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    for ledger in opened:
        ledger.close()


TestInAnyOrder = ledger_state_machine(fresh, max_examples=3, stateful_step_count=30).TestCase


# -- the file -------------------------------------------------------------------------------------------------------

PROGRAM = lr.load_program(
    {
        "format": "loyalty-rules/1",
        "id": "acme",
        "time_zone": "UTC",
        "currencies": {"points": {"redeem": {"points": "100", "value": "1.00"}}},
        "coupon_types": {"gift": {"benefit": {"type": "amount_off", "amount": "5"}}},
        "promotions": [
            {
                "id": "p",
                "actions": [
                    {
                        "type": "issue_currency",
                        "id": "earn",
                        "currency": "points",
                        "proration": {"type": "multiplier", "percent": "100"},
                        "expiry": {"type": "never"},
                    },
                    {"type": "issue_coupon", "id": "gift", "coupon_type": "gift"},
                ],
            }
        ],
    }
)
SERIALS = DerivedSerials.from_master(b"a master key for the tests alone")
AT = datetime(2025, 1, 15, 10, tzinfo=UTC)
ANNA = Account("member", "anna")


def sell(ledger: JournalLedger, event: str, amount: str = "100") -> Receipt:
    document = {"type": "transaction", "id": event, "occurred_at": AT.isoformat(), "amount": amount}
    sale = lr.load_event({**document, "member": {"id": "anna"}})
    return ledger.process(PROGRAM, sale, serials=SERIALS)


def points(ledger: JournalLedger) -> Decimal:
    return ledger.balance("acme", ANNA, "points", AT).available


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_every_answered_operation_is_there_when_the_journal_is_opened_again(path: Path) -> None:
    with JournalLedger(path) as ledger:
        first = sell(ledger, "T1")
        ledger.spend(PROGRAM, ANNA, "anna", "points", Decimal(30), event="P1", at=AT)
        before = ledger.statement("acme", ANNA, AT), issuance(PROGRAM, ledger.report_rows("acme", AT))
    with JournalLedger(path) as ledger:
        assert (ledger.statement("acme", ANNA, AT), issuance(PROGRAM, ledger.report_rows("acme", AT))) == before
        again = sell(ledger, "T1")
        assert (again.status, again.intents) == ("already_recorded", first.intents)  # the serial is the same, too
        assert points(ledger) == 70


def test_a_line_that_a_crash_cut_off_is_dropped(path: Path) -> None:
    with JournalLedger(path) as ledger:
        sell(ledger, "T1")
        one = path.stat().st_size
        sell(ledger, "T2")
    whole = path.read_bytes()
    for cut in (one + 1, (one + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with JournalLedger(path) as ledger:
            assert points(ledger) == 100
            assert sell(ledger, "T2").status == "recorded"
            assert points(ledger) == 200
        assert path.read_bytes() == whole


def test_an_operation_that_cannot_be_written_is_rolled_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError("no space left on device")

    with JournalLedger(path) as ledger:
        sell(ledger, "T1")
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="no space left"):
                sell(ledger, "T2")
        assert points(ledger) == 100
        assert path.read_bytes() == before
        assert sell(ledger, "T2").status == "recorded"


def test_several_operations_of_one_transaction_are_one_line(path: Path) -> None:
    with JournalLedger(path) as ledger, ledger.transaction() as together:
        sell(together, "T1")
        sell(together, "T2")
    assert len(path.read_bytes().splitlines()) == 1


def test_a_refusal_and_a_retry_write_nothing(path: Path) -> None:
    with JournalLedger(path) as ledger:
        sell(ledger, "T1")
        before = path.read_bytes()
        sell(ledger, "T1")
        assert ledger.spend(PROGRAM, ANNA, "anna", "points", Decimal(101), event="P1", at=AT).status == "refused"
        ledger.settle(PROGRAM, AT)
        assert path.read_bytes() == before


def test_a_journal_with_other_receipts_than_recorded_does_not_open(path: Path) -> None:
    with JournalLedger(path) as ledger:
        sell(ledger, "T1", "100")
    path.write_bytes(path.read_bytes().replace(b'"amount": "100"', b'"amount": "900"', 1))
    with pytest.raises(JournalDiffersError, match="line 1: Sell has another receipt than recorded"):
        JournalLedger(path)


def test_only_one_process_at_a_time_can_open_the_file(path: Path) -> None:
    with JournalLedger(path), pytest.raises(BlockingIOError):
        JournalLedger(path)
    JournalLedger(path).close()
