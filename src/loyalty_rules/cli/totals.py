"""Totals of a run: events by outcome, amounts by promotion and currency, skips by reason; and their tables."""

from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

from loyalty_rules.cli.tables import Table
from loyalty_rules.intents import IssueCoupon, IssueCurrency
from loyalty_rules.ledger import SaleReceipt
from loyalty_rules.program import Evaluation, Program
from loyalty_rules.values.amounts import micros, micros_text

__all__ = ["Amounts", "Totals", "total_tables"]


@attrs.define
class Amounts:
    """The issues of one promotion in one currency, before any return; amounts are in millionths."""

    issues: int = 0
    issued: int = 0
    promised: int = 0


@attrs.define
class Totals:
    """Counts of a run. `amounts` are by promotion and currency, `not_evaluated` by type of event.

    `undecided` counts events whose counters outgrew a snapshot. With a ledger, `later` counts returns, updates and
    confirmations, `refused` the reasons of refusals, and `conflicts` events whose id was recorded with other content.
    """

    evaluated: int = 0
    without_effect: int = 0
    seen_before: int = 0
    undecided: int = 0
    conflicts: int = 0
    refused: Counter[str] = attrs.field(factory=Counter)
    later: Counter[str] = attrs.field(factory=Counter)
    not_evaluated: Counter[str] = attrs.field(factory=Counter)
    amounts: dict[tuple[str, str], Amounts] = attrs.field(factory=dict)
    coupons: Counter[str] = attrs.field(factory=Counter)
    skipped: Counter[str] = attrs.field(factory=Counter)

    def count(self, decided: Evaluation | SaleReceipt) -> None:
        """Add the evaluation or the receipt of one sale or activity."""
        self.evaluated += 1
        self.without_effect += not decided.intents
        self.skipped.update(each.reason for each in decided.skipped)
        for intent in decided.intents:
            if isinstance(intent, IssueCurrency):
                self._count_currency(intent)
            elif isinstance(intent, IssueCoupon):
                self.coupons[intent.coupon_type] += 1

    def _count_currency(self, intent: IssueCurrency) -> None:
        amounts = self.amounts.setdefault((intent.promotion, intent.currency), Amounts())
        amounts.issues += 1
        if intent.state == "issued":
            amounts.issued += micros(intent.amount)
        else:
            amounts.promised += micros(intent.amount)


def total_tables(totals: Totals, malformed: int, program: Program, seconds: float) -> list[Table]:
    """Build the tables of a run: events, amounts by promotion, coupons by type, skips by reason."""
    tables = [_events(totals, malformed, seconds)]
    if totals.amounts:
        tables.append(_amounts(totals.amounts, [promotion.id for promotion in program.promotions]))
    if totals.coupons:
        tables.append(Table(("coupons", "number"), _counted(totals.coupons)))
    if totals.skipped:
        tables.append(Table(("skipped", "times"), _counted(totals.skipped)))
    return tables


def _events(totals: Totals, malformed: int, seconds: float) -> Table:
    others = totals.not_evaluated.total() + totals.later.total() + totals.conflicts
    read = totals.evaluated + totals.seen_before + totals.undecided + others + malformed
    counts = {
        "evaluated": totals.evaluated,
        "of these without effect": totals.without_effect,
        "seen before": totals.seen_before,
        "malformed": malformed,
        **{f"recorded: {kind}": count for kind, count in sorted(totals.later.items())},
        **{f"refused: {reason}": count for reason, count in sorted(totals.refused.items())},
        **({"conflict: id recorded with other content": totals.conflicts} if totals.conflicts else {}),
        **{f"not evaluated: {reason}": count for reason, count in sorted(totals.not_evaluated.items())},
        **({"not evaluated: counters past 15 digits": totals.undecided} if totals.undecided else {}),
    }
    rows = [(name, f"{count:,}") for name, count in counts.items()]
    return Table(("events", "number"), [*rows, ("a second", f"{read / max(seconds, 1e-9):,.0f}")])


def _amounts(amounts: Mapping[tuple[str, str], Amounts], promotions: Sequence[str]) -> Table:
    """Build the table of amounts by promotion, in the order of the program, with their sums by currency."""
    in_order = sorted(amounts, key=lambda each: (promotions.index(each[0]), each[1]))
    rows = [_amounts_row(promotion, currency, [amounts[promotion, currency]]) for promotion, currency in in_order]
    for currency in sorted({currency for _, currency in amounts}):
        of_currency = [each for (_, other), each in amounts.items() if other == currency]
        rows.append(_amounts_row("together", currency, of_currency))
    return Table(("promotion", "currency", "issues", "issued", "promised"), rows, texts=2)


def _amounts_row(name: str, currency: str, amounts: Sequence[Amounts]) -> tuple[str, ...]:
    return (
        name,
        currency,
        f"{sum(each.issues for each in amounts):,}",
        _number(sum(each.issued for each in amounts)),
        _number(sum(each.promised for each in amounts)),
    )


def _counted(counts: Mapping[str, int]) -> list[tuple[str, ...]]:
    return [(name, f"{count:,}") for name, count in sorted(counts.items())]


def _number(amount: int) -> str:
    """Format millionths with commas between the thousands."""
    whole, point, fraction = micros_text(amount).partition(".")
    return f"{int(whole):,}{point}{fraction}"
