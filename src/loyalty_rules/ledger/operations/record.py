"""Record: record an evaluation that the host made, with the snapshot of its decision."""

from datetime import datetime

import attrs

from loyalty_rules.errors import MissingSerialsError
from loyalty_rules.events import Activity, Transaction
from loyalty_rules.intents import IssueCoupon
from loyalty_rules.ledger.coupon_serials import request_of
from loyalty_rules.ledger.operations.arguments import read_serials
from loyalty_rules.ledger.operations.lookups import open_event, sale_locks
from loyalty_rules.ledger.operations.operation import Decision
from loyalty_rules.ledger.operations.sale import SaleOperation
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle.records import Sale
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.serials import SerialGenerator, SerialRequest
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["Record"]


@attrs.frozen(field_transformer=checked)
class Record(SaleOperation):
    """An evaluation; its claims are checked again, since the counters may have moved since its snapshot."""

    evaluation: Evaluation
    recorded_at: datetime = attrs.field(converter=read_instant)
    serials: SerialGenerator | None = attrs.field(default=None, converter=attrs.converters.optional(read_serials))

    @property
    def program(self) -> Program:
        """The program of the evaluation."""
        return self.evaluation.basis.program

    @property
    def event(self) -> Transaction | Activity:
        """The event of the evaluation."""
        return self.evaluation.basis.event

    def decide(self, storage: Storage) -> Decision:
        """Return the intents of the evaluation."""
        basis = self.evaluation.basis
        event = open_event(storage, basis.program, basis.event)
        storage.save_sale(Sale(basis.program, event, basis.snapshot))
        if event is basis.event:
            return self.noted(self.evaluation)
        storage.lock(sale_locks(basis.program, event, ()))  # a merge has brought the member into another one
        serials = _Given(self.evaluation, self.serials)
        return self.noted(basis.program.evaluate(event, basis.snapshot, serials=serials))


class _Given:
    """The serials that the coupons of an evaluation have already; a generator gives those of others."""

    def __init__(self, evaluation: Evaluation, others: SerialGenerator | None) -> None:
        self._others = others
        coupons = (each for each in evaluation.intents if isinstance(each, IssueCoupon))
        self._serials = {request_of(evaluation.program, each): each.serial for each in coupons}

    def serial(self, request: SerialRequest) -> str:
        """Return the serial of a coupon."""
        serial = self._serials.get(request)
        if serial is not None:
            return serial
        if self._others is None:
            raise MissingSerialsError(request.coupon_type)
        return self._others.serial(request)
