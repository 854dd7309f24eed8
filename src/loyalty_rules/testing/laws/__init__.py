"""Laws that a team runs on its own program: what must hold of any receipts, whatever the rules say.

    def test_our_program_keeps_the_laws():
        assert_laws(lr.load_program("program.toml"))

Each law is a function from a program to the smallest receipts that break it, or None. What a law alone can't know
is said by `Expectations`. Needs the extra `testing`; the same from a shell: `loyalty-rules prove PROGRAM`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from loyalty_rules.errors import InvalidValueError, shorten
from loyalty_rules.program import Program
from loyalty_rules.testing.laws.baskets import more, splitting
from loyalty_rules.testing.laws.ceilings import budgets, caps
from loyalty_rules.testing.laws.counterexample import Counterexample, LawBroken
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
        "caps": caps,
        "budgets": budgets,
        "reachable": reachable,
        "overlapping": overlapping,
        "reasons": reasons,
    }
)
"""Every law by its name, in the order in which they are tried."""


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

    Each law is tried on at most `examples` receipts or histories, the same ones every time; or, where `seconds` is
    given (at most a day), all laws together for so long, shrinking on top. Another `seed` tries others. Raises
    `InvalidValueError` for a law or a name in `expectations` that there is not, and for an effort out of its range.
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
    """Try laws as `assert_laws` does, and give each with what breaks it, as soon as that is known."""
    names = list(laws)
    for name in names:
        if name not in LAWS:
            raise InvalidValueError(
                "laws", "not_a_choice", f"there is no law {shorten(name)}; there is {', '.join(LAWS)}"
            )
    expectations.check(program)
    effort = Effort(examples, seconds, seed)
    effort.check()
    share = effort.shared_by(len(names))
    return ((name, LAWS[name](program, expectations, share)) for name in names)
