"""The end of a nightly run: a record that everything due before an instant is recorded. Source: semantics 15."""

from datetime import datetime

import attrs

from loyalty_rules.keys import nightly_key, nightly_phase
from loyalty_rules.ledger.idempotency import IdempotencyRecord
from loyalty_rules.ledger.kinds import NIGHTLY_RUNS
from loyalty_rules.ledger.operations.operation import Decision, Operation, host_identity
from loyalty_rules.ledger.receipts import NightlyReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import NightlyRun, Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import instant_text, read_instant

__all__ = ["EndNight"]


@attrs.frozen(field_transformer=checked)
class EndNight(Operation[NightlyReceipt]):
    """The end of the nightly run of a program that has done everything due before `until`."""

    program: Program
    until: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[NightlyReceipt]:
        """Return the class of the receipt."""
        return NightlyReceipt

    def identity(self, storage: Storage) -> IdempotencyRecord:  # noqa: ARG002
        """Return the identity: the end of the run."""
        until = instant_text(self.until)
        return host_identity(self.program, f"nightly/{until}", nightly_phase(), {"until": until}, self.until)

    def decide(self, storage: Storage) -> Decision:
        """Note the end of the run, unless a later one has ended already."""
        last = storage.record(NIGHTLY_RUNS, nightly_key(self.program.id))
        if last is not None and last.until > self.until:
            return Refusal(("too_early",), f"a later run has ended already, until {instant_text(last.until)}")
        run = NightlyRun(nightly_key(self.program.id), self.until)
        storage.save_record(NIGHTLY_RUNS, self.program.id, run, self.until)
        return ()
