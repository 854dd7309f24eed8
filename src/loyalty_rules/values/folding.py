"""The folded form of codes: two codes are equal if their folded forms are. Source: semantics 9 (codes)."""

import unicodedata

__all__ = ["folded"]


def folded(code: str) -> str:
    """Return a code in folded form: Unicode NFC, case-folded, without blanks and hyphens.

    `DANKEFÜR100`, `dankefür100` and `danke für-100` are one code; `0`, `007` and `7` are three.
    """
    plain = unicodedata.normalize("NFC", code).casefold()
    kept = "".join(each for each in plain if not each.isspace() and each != "-")
    # Case folding and the blanks that were dropped may have left letters that compose.
    return unicodedata.normalize("NFC", kept)
