"""The command `prove`: look for receipts that break a law. Needs the extra `testing`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from loyalty_rules.cli.commands.run import FINE, REFUSED
from loyalty_rules.cli.loading import Loading
from loyalty_rules.cli.streams import complain, say
from loyalty_rules.documents.sources import read_source
from loyalty_rules.errors import DocumentError, InvalidValueError
from loyalty_rules.program import Program

if TYPE_CHECKING:
    from loyalty_rules.testing.laws import Counterexample, Expectations

__all__ = ["add", "prove"]

BROKEN = 1


def add(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.set_defaults(command=prove)
    parser.add_argument("program", metavar="PROGRAM", help="the program, a .toml or .json file")
    parser.add_argument("--law", metavar="NAME", action="append", help="try this law alone; may be given again")
    parser.add_argument("--expect", metavar="FILE", help="what is meant, where a law can't know: a .toml or .json file")
    parser.add_argument(
        "--examples", metavar="N", type=int, default=1_000, help="how many for each law; 1000 if absent"
    )
    parser.add_argument("--seconds", metavar="N", type=float, help="for how long, in all, instead of so many examples")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="try other examples than those of seed 0")


def prove(arguments: argparse.Namespace) -> int:
    """Try the laws one after the other, and show the smallest receipts that break each."""
    try:
        import loyalty_rules.testing.laws  # noqa: F401
    except ImportError:
        complain(["prove needs the extra testing: pip install 'loyalty-rules[testing]'"])
        return REFUSED
    loading = Loading()
    program = loading.program(arguments.program)
    if program is None:
        complain(loading.complaints)
        return REFUSED
    try:
        expectations = _read_expectations(arguments.expect)
        proofs = _proofs(program, expectations, arguments)
    except DocumentError as error:
        complain(f"{arguments.expect}: {problem}" for problem in error.problems)
        return REFUSED
    except InvalidValueError as error:
        complain([str(error)])
        return REFUSED
    broken = [_told(name, counterexample, expectations) for name, counterexample in proofs]
    return BROKEN if any(broken) else FINE


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
        return Expectations.of(read_source(Path(name), "word on what is meant"))
    except InvalidValueError as error:
        raise error.under(name) from None


def _told(law: str, counterexample: "Counterexample | None", expectations: "Expectations") -> bool:
    """Print what became of a law as soon as it is known; say whether it is broken."""
    if counterexample is not None:
        say(f"{counterexample}\n")
        return True
    silent = expectations.is_silent_on(law)
    say(f"{law}: {'not tried, since --expect says nothing of it' if silent else 'nothing was found that breaks it'}")
    return False
