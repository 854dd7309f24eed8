"""The finding of the linter."""

import attrs

__all__ = ["Finding"]


@attrs.frozen
class Finding:
    """A likely mistake in a valid program. The program can still be evaluated.

    `path` is a JSON path as in a `Problem`, and `code` is stable from release to release. `found` describes the
    mistake, `why` its consequence, `do` the remedy.
    """

    path: str
    code: str
    found: str
    why: str
    do: str

    def __str__(self) -> str:
        return f"{self.path}: {self.found} [{self.code}]\n  why: {self.why}\n  do: {self.do}"
