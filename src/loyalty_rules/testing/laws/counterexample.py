"""Counterexamples of laws: a sentence, and the smallest receipts found."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["Counterexample", "LawBroken"]


@attrs.frozen
class Counterexample:
    """Receipts that break a law.

    `sentence` describes the violation in one line. `receipts` are documents to paste; `slips` are the same as printed
    receipts, with their intents.
    """

    law: str
    sentence: str
    receipts: tuple[Mapping[str, Any], ...]
    slips: tuple[str, ...] = ()

    def __str__(self) -> str:
        documents = [json.dumps(each, ensure_ascii=False) for each in self.receipts]
        return "\n\n".join([f"{self.law}: {self.sentence}", *self.slips, "\n".join(["as documents:", *documents])])


class LawBroken(AssertionError):
    """A program breaks laws: `counterexamples` has one for each broken law."""

    def __init__(self, program: str, counterexamples: tuple[Counterexample, ...]) -> None:
        self.program = program
        self.counterexamples = counterexamples
        super().__init__(program, counterexamples)

    def __str__(self) -> str:
        count = len(self.counterexamples)
        heading = f"the program {self.program} breaks {'a law' if count == 1 else f'{count} laws'}"
        return "\n\n".join([heading, *map(str, self.counterexamples)])
