"""The lines of the keys and items of a TOML text, so that a problem can name the line of its path.

`tomllib` has no positions. This scanner reads a text that `tomllib` has accepted, and only finds where keys are.
"""

import re
import tomllib
from collections.abc import Mapping

from loyalty_rules.errors import path_step

__all__ = ["line_of", "lines_of"]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r'[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')[ \t]*')
_TEXT = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_SCALAR = re.compile(r"[^\n,\]}#]*")


def lines_of(text: str) -> Mapping[str, int]:
    """Return the line, from 1 on, of each path of a valid TOML text that a key, an item or a header begins."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_of(path: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of a path, or else of the nearest part around it; None if there is none."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path)


class _NotToml(Exception):
    pass


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[str, int] = {}
        self.items: dict[str, int] = {}  # the number of items of each array of tables
        self.counted, self.line = 0, 1

    def scan(self) -> dict[str, int]:
        """Walk through the text; return the lines before the first mistake if the text is no TOML."""
        table = "$"
        self.skip()
        while self.at < len(self.text):
            try:
                if self.text[self.at] == "[":
                    table = self.header()
                else:
                    self.pair(table)
            except (_NotToml, IndexError):
                break
            self.skip()
        return self.lines

    def skip(self) -> None:
        self.pass_over(_BLANK)

    def pass_over(self, pattern: re.Pattern[str]) -> None:
        """Go behind a pattern that may be empty."""
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found is not None else self.at

    def mark(self, path: str) -> None:
        """Note the line of a path; the first mention counts."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        self.lines.setdefault(path, self.line)

    def header(self) -> str:
        """Read `[table]` or `[[item]]`, and return the path of the table."""
        is_item = self.text.startswith("[[", self.at)
        start, self.at = self.at, self.at + 1 + is_item
        *around, name = self.keys()
        end, self.at = self.at + 1 + is_item, start
        path = "$"
        for key in around:
            path += path_step(key)
            self.mark(path)
            path += self.item_of(path)
        path += path_step(name)
        if is_item:
            self.mark(path)
            self.items[path] = self.items.get(path, -1) + 1
        path += self.item_of(path)
        self.mark(path)
        self.at = end
        return path

    def pair(self, table: str) -> None:
        """Read a key and its value."""
        start = self.at
        keys = self.keys()
        end, self.at = self.at + 1, start  # behind the equals sign
        path = table
        for key in keys:
            path += path_step(key)
            self.mark(path)
        self.at = end
        self.value(path)

    def keys(self) -> list[str]:
        """Read a dotted key."""
        keys = []
        while True:
            found = _KEY.match(self.text, self.at)
            if found is None:
                raise _NotToml
            self.at = found.end()
            keys.append(_plain(found[1]))
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def item_of(self, path: str) -> str:
        return f"[{self.items[path]}]" if path in self.items else ""

    def value(self, path: str) -> None:
        self.skip()
        found = _TEXT.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        elif self.text[self.at] == "[":
            self.several(path)
        elif self.text[self.at] == "{":
            self.inline(path)
        else:
            self.pass_over(_SCALAR)

    def several(self, path: str) -> None:
        """Read an array."""
        self.at += 1
        self.skip()
        index = 0
        while self.text[self.at] != "]":
            self.mark(f"{path}[{index}]")
            self.value(f"{path}[{index}]")
            self.skip_comma()
            index += 1
        self.at += 1

    def inline(self, path: str) -> None:
        """Read an inline table."""
        self.at += 1
        self.skip()
        while self.text[self.at] != "}":
            self.pair(path)
            self.skip_comma()
        self.at += 1

    def skip_comma(self) -> None:
        self.skip()
        if self.text[self.at] == ",":
            self.at += 1
            self.skip()


def _plain(key: str) -> str:
    """Return a key without its quotes."""
    return str(next(iter(tomllib.loads(f"{key} = 0")))) if key[0] in "\"'" else key
