"""One finding of the linter: where, what was found, why it matters, what to do."""

import attrs

__all__ = ["Finding"]


@attrs.frozen
class Finding:
    """Something in a valid program that is probably a mistake.

    `path` is a JSON path as in a `Problem`, `code` is stable from release to release; `found` says what is there,
    `why` what comes of it, `do` what would be right. Nothing of it keeps a program from being evaluated.
    """

    path: str
    code: str
    found: str
    why: str
    do: str

    def __str__(self) -> str:
        return f"{self.path}: {self.found} [{self.code}]\n  why: {self.why}\n  do: {self.do}"
