"""Update: a new state of a sale releases the promises that wait for it."""

from datetime import datetime

import attrs

from loyalty_rules.events import Update
from loyalty_rules.ledger.operations.lookups import locked_sale, open_sale
from loyalty_rules.ledger.operations.operation import Decision, EventOperation, unknown_sale
from loyalty_rules.ledger.receipts import UpdateReceipt
from loyalty_rules.ledger.storage import Storage
from loyalty_rules.lifecycle import promises
from loyalty_rules.lifecycle.records import Refusal
from loyalty_rules.program import Program
from loyalty_rules.values.checked import checked
from loyalty_rules.values.dates import read_instant

__all__ = ["UpdateSale"]


@attrs.frozen(field_transformer=checked)
class UpdateSale(EventOperation[UpdateReceipt]):
    """An update, decided under the frozen terms of its sale."""

    program: Program
    event: Update
    recorded_at: datetime = attrs.field(converter=read_instant)

    def receipt_class(self) -> type[UpdateReceipt]:
        """Return the class of the receipt."""
        return UpdateReceipt

    def decide(self, storage: Storage) -> Decision:
        """Release the promises of the sale whose condition the new state satisfies."""
        sale = open_sale(storage, self.program, locked_sale(storage, self.program, self.event.of))
        if sale is None:
            return unknown_sale(self.event.of)
        decided = promises.update(sale, storage.lots_of_sale(self.program.id, self.event.of), self.event)
        if not isinstance(decided, Refusal):
            storage.save_sale(attrs.evolve(sale, updates=(*sale.updates, self.event)))
        return decided
