"""The command `prove`: search for receipts that break a law. Needs the extra `testing`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from loyalty_rules.cli.arguments import Subparsers, add_program
from loyalty_rules.cli.exit_status import FINDINGS, INVALID, SUCCESS
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.streams import complain, print_text
from loyalty_rules.documents.sources import read_source
from loyalty_rules.errors import DocumentError, InvalidValueError
from loyalty_rules.program import Program

if TYPE_CHECKING:
    from loyalty_rules.testing.laws import Counterexample, Expectations

__all__ = ["add_parser", "prove"]


def add_parser(subparsers: Subparsers) -> None:
    """Declare the arguments of the command."""
    parser = subparsers.add_parser("prove", help="search for receipts that break a law")
    parser.set_defaults(command=prove)
    add_program(parser)
    parser.add_argument("--law", metavar="NAME", action="append", help="check this law only; may be repeated")
    parser.add_argument("--expect", metavar="FILE", help="your expectations, such as budgets: a .toml or .json file")
    parser.add_argument(
        "--examples", metavar="N", type=int, default=1_000, help="the number of examples for each law; default: 1000"
    )
    parser.add_argument(
        "--seconds", metavar="N", type=float, help="seconds for all laws together, instead of --examples"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="the seed of the examples; default: 0")


def prove(arguments: argparse.Namespace) -> int:
    """Check each law, print the smallest receipts that break it, and return the exit status."""
    try:
        import loyalty_rules.testing.laws  # noqa: F401
    except ImportError:
        complain(["prove needs the extra testing: pip install 'loyalty-rules[testing]'"])
        return INVALID
    loading = Loading()
    program = loading.program(arguments.program)
    if program is None:
        complain(loading.complaints)
        return INVALID
    try:
        expectations = _read_expectations(arguments.expect)
        proofs = _proofs(program, expectations, arguments)
    except DocumentError as error:
        complain(f"{arguments.expect}: {problem}" for problem in error.problems)
        return INVALID
    except InvalidValueError as error:
        complain([str(error)])
        return INVALID
    broken = [_report(name, counterexample, expectations) for name, counterexample in proofs]
    return FINDINGS if any(broken) else SUCCESS


def _proofs(
    program: Program, expectations: "Expectations", arguments: argparse.Namespace
) -> "Iterator[tuple[str, Counterexample | None]]":
    from loyalty_rules.testing.laws import LAWS
    from loyalty_rules.testing.laws import prove as prove_laws

    return prove_laws(
        program,
        expectations,
        laws=arguments.law or LAWS,
        examples=arguments.examples,
        seconds=arguments.seconds,
        seed=arguments.seed,
    )


def _read_expectations(name: str | None) -> "Expectations":
    from loyalty_rules.testing.laws import Expectations

    if name is None:
        return Expectations()
    try:
        return Expectations.of(read_source(Path(name), "expectations"))
    except InvalidValueError as error:
        raise error.under(name) from None


def _report(law: str, counterexample: "Counterexample | None", expectations: "Expectations") -> bool:
    """Print the outcome of a law, and return whether the law is broken."""
    if counterexample is not None:
        print_text(f"{counterexample}\n")
        return True
    skipped = expectations.has_none_for(law)
    print_text(f"{law}: {'skipped, no expectation given' if skipped else 'no counterexample found'}")
    return False
