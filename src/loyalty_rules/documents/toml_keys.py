"""The dotted keys of a TOML text, found without reading it: the reader's time is quadratic in their length.

Strings and comments are skipped by patterns that never go back, so that the time is that of one pass.
"""

import re

__all__ = ["MAX_PARTS", "longest_dotted_key"]

MAX_PARTS = 100

_TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']++|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]++|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+"
    r"|[^\"'\#.\n=\[\]{},]++"
    r"|.",
    re.DOTALL,
)
_ENDS_OF_KEYS = frozenset("\n=[]{},#")


def longest_dotted_key(text: str) -> int:
    """Return the number of parts of the longest dotted key of a text, as far as it has more than `MAX_PARTS`."""
    if all(line.count(".") < MAX_PARTS for line in text.split("\n")):
        return 0
    longest = parts = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first == ".":
            parts += 1
            longest = max(longest, parts + 1)
        elif first in _ENDS_OF_KEYS:
            parts = 0
    return longest
