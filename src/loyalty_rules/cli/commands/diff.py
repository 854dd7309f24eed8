"""The command `diff`: what another version of a program would have cost, over the receipts of the past."""

import argparse
import json
import re
from decimal import Decimal

import attrs

from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.diff_tables import cost_text, diff_text
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.progress import bar, terminal
from loyalty_rules.cli.receipts import read_receipts, total_bytes
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.loading import dump
from loyalty_rules.reporting import ProgramDiff, diff
from loyalty_rules.values.amounts import MICRO, micros, text_of

__all__ = ["Limit", "add_parser", "compare"]

_LIMIT = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?(%?)", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%?", re.ASCII)


@attrs.frozen
class Limit:
    """The largest change of the cost that passes, up or down: an amount of money, or a percentage of the old cost."""

    amount: Decimal
    is_percentage: bool

    def holds(self, difference: ProgramDiff) -> bool:
        """Return whether the change is within the limit; of a sample, the estimate for all members is compared."""
        if self.is_percentage:
            change, whole = abs(micros(difference.cost_change)), micros(difference.old_cost)
            return change * 100 * MICRO <= micros(self.amount) * whole
        estimate = difference.estimate
        return abs(difference.cost_change if estimate is None else estimate.total) <= self.amount

    def __str__(self) -> str:
        return text_of(self.amount) + (" %" if self.is_percentage else "")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "diff",
        help="compare two versions of a program over receipts of the past, in units and in money",
        description="Record the same receipts under two programs, each in a ledger of its own in memory, and compare "
        "units and money by promotion, month, store, tier and member. No file and no ledger is changed.",
        epilog="example: loyalty-rules diff program.toml draft.toml receipts.jsonl.gz --at-most '2 %%'",
    )
    parser.set_defaults(command=compare)
    parser.add_argument("old", metavar="OLD", help="the present program, a .toml or .json file")
    parser.add_argument("new", metavar="NEW", help="the draft of its next version")
    parser.add_argument(
        "receipts", metavar="RECEIPTS", nargs="+", help="events, one JSON document a line, plain or gzip; - is stdin"
    )
    parser.add_argument(
        "--at-most",
        metavar="LIMIT",
        type=_limit,
        help="the largest change of the cost, up or down, that ends with status 0: an amount of the program's money, "
        "or a percentage ('2 %%'); beyond it the status is 1",
    )
    parser.add_argument(
        "--members",
        metavar="PERCENT",
        type=_percent,
        help="take only this percentage of the members, each with all receipts, and estimate the change of the cost",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of tables")


def _limit(text: str) -> Limit:
    match = _LIMIT.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(
            f"expected an amount or a percentage, such as 500 or '2 %', found {text[:60]!a}"
        )
    return Limit(Decimal(match[1]), bool(match[2]))


def _percent(text: str) -> Decimal:
    match = _PERCENT.fullmatch(text.strip())
    if match is None or not 0 < Decimal(match[1]) <= 100:
        raise argparse.ArgumentTypeError(f"expected a percentage above 0 and at most 100, found {text[:60]!a}")
    return Decimal(match[1])


def compare(arguments: argparse.Namespace) -> int:
    """Print the difference of two programs over a history of receipts, and return the exit status."""
    loading = Loading()
    old, new = loading.program(arguments.old), loading.program(arguments.new)
    if old is None or new is None:
        complain(loading.complaints)
        return INVALID
    console = terminal()
    with bar(console, "reading", total_bytes(arguments.receipts)) as advance:
        receipts = read_receipts(arguments.receipts, advance)
    if receipts.unreadable:
        return INVALID
    with bar(console, "comparing", len(receipts.events)) as advance:
        difference = diff(old, new, receipts.events, members=arguments.members, advance=advance)
    print_text(json.dumps(_document(difference), indent=2) if arguments.json else diff_text(difference, old.money))
    limit: Limit | None = arguments.at_most
    if limit is not None and not limit.holds(difference):
        complain([f"loyalty-rules: {cost_text(difference, old.money)}; the limit is {limit}"])
        return FINDINGS
    return FINDINGS if receipts.malformed else SUCCESS


def _document(difference: ProgramDiff) -> dict[str, object]:
    document: dict[str, object] = dump(difference)
    return {**document, "cost_change": text_of(difference.cost_change)}
