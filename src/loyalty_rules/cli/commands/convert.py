"""The command `convert`: print the orders and receipts of another system as events."""

import argparse
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from loyalty_rules.adapters import Conversion, odoo, poslog, saleor, shopify, square, stripe, woocommerce
from loyalty_rules.cli.arguments import Subparsers
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.line_files import open_lines, shown
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.documents.sources import MAX_BYTES, read_json
from loyalty_rules.errors import DocumentError, InvalidValueError
from loyalty_rules.events import Transaction
from loyalty_rules.loading import dump
from loyalty_rules.values.dates import read_zone

__all__ = ["SYSTEMS", "add_parser", "convert"]

SYSTEMS: Mapping[str, Callable[..., Conversion]] = {
    "shopify": shopify.convert,
    "square": square.convert,
    "woocommerce": woocommerce.convert,
    "saleor": saleor.convert,
    "stripe": stripe.convert,
    "poslog": poslog.convert,
    "odoo": odoo.convert,
}
"""The systems whose documents can be converted."""

_XML = frozenset({"poslog"})
_PRICES: Mapping[str, bool | None] = {"as-shown": None, "with-tax": True, "without-tax": False}


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser(
        "convert",
        help="print orders of another system as events",
        description="Convert orders, refunds and receipts of another system, and print one event a line. A JSON file "
        "holds one document, or one a line; a POSLog file is XML. Parts that no event can hold are listed on standard "
        "error. Exit status: 0 if everything was carried, 1 if something was not, 2 if a file cannot be used.",
        epilog="example: loyalty-rules convert shopify orders.json > events.jsonl",
    )
    parser.set_defaults(command=convert)
    parser.add_argument("system", metavar="SYSTEM", choices=tuple(SYSTEMS), help=", ".join(SYSTEMS))
    parser.add_argument("files", metavar="FILE", nargs="+", help="orders, plain or gzip; - reads standard input")
    parser.add_argument(
        "--zone",
        metavar="ZONE",
        help="the time zone of the shop, such as Europe/Berlin: for local times, and as the offset of events "
        "(default: UTC; POSLog has local times and needs it)",
    )
    parser.add_argument(
        "--prices",
        choices=tuple(_PRICES),
        default="as-shown",
        help="whether the values of lines include tax (default: as the shop shows its prices)",
    )


def convert(arguments: argparse.Namespace) -> int:
    """Print the events of some files, and return the exit status."""
    if arguments.zone is None and arguments.system in _XML:
        complain([f"{arguments.system} has local times: give --zone, such as --zone Europe/Berlin"])
        return INVALID
    zone = arguments.zone or "UTC"
    try:
        read_zone(zone)
    except InvalidValueError as error:
        complain([f"--zone: {error.message}"])
        return INVALID
    known: list[Transaction] = []
    statuses = [
        _convert_file(arguments.system, name, zone, _PRICES[arguments.prices], known) for name in arguments.files
    ]
    return max(statuses)


def _convert_file(system: str, name: str, zone: str, tax_in_prices: bool | None, known: list[Transaction]) -> int:
    """Print the events of one file; `known` are the sales of the files before, and gets those of this one."""
    malformed: list[DocumentError] = []
    try:
        with open_lines(name, _uncounted) as lines:
            source = _text(lines) if system in _XML else _documents(lines, malformed.append)
            conversion = SYSTEMS[system](source, zone=zone, tax_in_prices=tax_in_prices, known=known)
    except DocumentError as error:
        complain(f"{shown(name)}: {problem}" for problem in error.problems)
        return INVALID
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        complain([f"{shown(name)}: can't be read: {reason}"])
        return INVALID
    known += [event for event in conversion.events if isinstance(event, Transaction)]
    for event in conversion.events:
        print_text(json.dumps(dump(event)))
    complain(f"{shown(name)}: {missing}" for missing in conversion.not_carried)
    complain(f"{shown(name)}: {problem}" for error in malformed for problem in error.problems)
    return FINDINGS if conversion.not_carried or malformed else SUCCESS


def _uncounted(_: int) -> None:
    """Ignore the number of bytes that were read: this command shows no progress."""


def _text(lines: Iterable[bytes]) -> bytes:
    """Return the whole text; one beyond the limit is cut off just behind it, so that its reader refuses it."""
    text = bytearray()
    for line in lines:
        text += line
        if len(text) > MAX_BYTES:
            break
    return bytes(text)


def _documents(lines: Iterator[bytes], refuse: Callable[[DocumentError], None]) -> Any:
    """Return the one document of a file, or an iterator over its lines if the first line is a document of its own.

    A later line that is not JSON is refused and left out.
    """
    first = next((line for line in lines if not line.isspace()), b"")
    try:
        document = read_json(first, "document")
    except DocumentError:
        return read_json(_text(chain([first], lines)), "document")
    second = next((line for line in lines if not line.isspace()), None)
    if second is None:
        return document
    return chain([document], _each(chain([second], lines), refuse))


def _each(lines: Iterable[bytes], refuse: Callable[[DocumentError], None]) -> Iterator[Any]:
    for line in lines:
        if line.isspace():
            continue
        try:
            yield read_json(line, "document")
        except DocumentError as error:
            refuse(error)
