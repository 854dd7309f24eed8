"""Laws that a team runs on its own program: properties of any receipts under any rules.

    def test_our_program_keeps_the_laws():
        assert_laws(lr.load_program("program.toml"))

Each law is a function from a program to the smallest receipts that break it, or None. `Expectations` add the facts
that only the team knows. Needs the extra `testing`. In a shell: `loyalty-rules prove PROGRAM`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from loyalty_rules.errors import InvalidValueError, shorten
from loyalty_rules.program import Program
from loyalty_rules.testing.laws.baskets import more, splitting
from loyalty_rules.testing.laws.ceilings import budgets, caps
from loyalty_rules.testing.laws.counterexample import Counterexample, LawBroken
from loyalty_rules.testing.laws.cycling import cycling
from loyalty_rules.testing.laws.expectations import ANYTHING, Expectations
from loyalty_rules.testing.laws.reaching import overlapping, reachable, reasons
from loyalty_rules.testing.laws.returning import returning
from loyalty_rules.testing.laws.searching import EXAMPLES, Effort

__all__ = [
    "LAWS",
    "Counterexample",
    "Effort",
    "Expectations",
    "Law",
    "LawBroken",
    "assert_laws",
    "budgets",
    "caps",
    "cycling",
    "more",
    "overlapping",
    "prove",
    "reachable",
    "reasons",
    "returning",
    "splitting",
]

Law: TypeAlias = Callable[[Program, Expectations, Effort], Counterexample | None]

LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "splitting": splitting,
        "more": more,
        "returning": returning,
        "cycling": cycling,
        "caps": caps,
        "budgets": budgets,
        "reachable": reachable,
        "overlapping": overlapping,
        "reasons": reasons,
    }
)
"""Every law by its name, in the order of trial."""


def assert_laws(
    program: Program,
    expectations: Expectations = ANYTHING,
    *,
    laws: Iterable[str] = tuple(LAWS),
    examples: int = EXAMPLES,
    seconds: float | None = None,
    seed: int = 0,
) -> None:
    """Raise `LawBroken` with a counterexample for each law that the program breaks.

    Each law is tried on at most `examples` receipts or histories, the same ones every time. With `seconds` (at most a
    day) all laws together are tried for that time; shrinking takes extra time. Another `seed` tries other receipts.
    Raises `InvalidValueError` for an unknown law, an unknown name in `expectations`, and an effort out of its range.
    """
    proofs = prove(program, expectations, laws=laws, examples=examples, seconds=seconds, seed=seed)
    broken = tuple(found for _, found in proofs if found is not None)
    if broken:
        raise LawBroken(program.id, broken)


def prove(
    program: Program,
    expectations: Expectations = ANYTHING,
    *,
    laws: Iterable[str] = tuple(LAWS),
    examples: int = EXAMPLES,
    seconds: float | None = None,
    seed: int = 0,
) -> Iterator[tuple[str, Counterexample | None]]:
    """Try laws as `assert_laws` does, and yield each with its counterexample, or None, as soon as it is known."""
    names = list(laws)
    for name in names:
        if name not in LAWS:
            raise InvalidValueError("laws", "not_a_choice", f"expected one of {', '.join(LAWS)}; found {shorten(name)}")
    expectations.check(program)
    effort = Effort(examples, seconds, seed)
    effort.check()
    share = effort.shared_by(len(names))
    return ((name, LAWS[name](program, expectations, share)) for name in names)
