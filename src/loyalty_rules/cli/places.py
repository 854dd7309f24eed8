"""The place of a problem or a finding in a file: the file's name, the line of TOML, the promotion and action."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loyalty_rules.cli.toml_lines import line_of, lines_of
from loyalty_rules.documents.sources import read_source
from loyalty_rules.errors import DocumentError

__all__ = ["Places"]

_PROMOTION = re.compile(r"\$\.promotions\[(\d+)\](?:\.actions\[(\d+)\])?")


class Places:
    """The places of the paths of one file: `shop.toml:12: $.promotions[0].actions[1].currency (base/earn)`.

    A file that cannot be read has its name alone. The file is read again, which only a program with problems or
    findings needs.
    """

    def __init__(self, name: str, source: Any) -> None:
        self.name = name
        self.lines: Mapping[str, int] = {}
        self.document: Mapping[str, Any] = {}
        try:
            self.document = read_source(source, "document")
            if isinstance(source, Path) and source.suffix == ".toml":
                self.lines = lines_of(source.read_text(encoding="utf-8-sig"))
        except (DocumentError, OSError, ValueError):
            return

    def of(self, path: str) -> str:
        """Return the place of a path in words."""
        line = line_of(path, self.lines)
        where = f"{self.name}:{line}" if line is not None else self.name
        named = self.named(path)
        return f"{where}: {path} ({named})" if named else f"{where}: {path}"

    def named(self, path: str) -> str:
        """Return the ids of the promotion and the action that contain a path; empty if they have none."""
        found = _PROMOTION.match(path)
        if found is None:
            return ""
        promotion = _item(self.document.get("promotions"), found[1])
        action = _item(promotion.get("actions"), found[2]) if found[2] is not None else {}
        ids = (each.get("id") for each in (promotion, action))
        return "/".join(each for each in ids if isinstance(each, str))


def _item(several: Any, index: str) -> Mapping[str, Any]:
    item = several[int(index)] if isinstance(several, list) and int(index) < len(several) else None
    return item if isinstance(item, Mapping) else {}
