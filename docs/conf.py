"""The documentation site: `sphinx-build -W docs build/site`. The reference is made from the docstrings."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import attrs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

import loyalty_rules

DOCS = Path(__file__).parent

project = "loyalty-rules"
author = "The loyalty-rules authors"
version = release = loyalty_rules.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = "loyalty-rules"
root_doc = "index"
exclude_patterns = ["README.md"]
myst_heading_anchors = 3
highlight_language = "none"
html_copy_source = False
html_show_sphinx = False
smartquotes = False
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "all"
add_module_names = False
html_show_copyright = False
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
# A console block shows JSON and prose beside commands: the highlighter retries without an error.
suppress_warnings = ["misc.highlighting_failure"]

# -- the pages of the reference ----------------------------------------------------------------------------------------

REFERENCE = {
    "loyalty_rules": "The library",
    "loyalty_rules.engine.explanation": "Explanations",
    "loyalty_rules.rules": "The parts of a program",
    "loyalty_rules.ledger": "Ledgers",
    "loyalty_rules.ledger.sql": "Ledgers in a database",
    "loyalty_rules.ledger.sql.asyncio": "Ledgers for asyncio",
    "loyalty_rules.ledger.reports": "Reports",
    "loyalty_rules.reporting": "Backtests and differences of programs",
    "loyalty_rules.reports.issuance": "Issuance",
    "loyalty_rules.reports.cohorts": "Rates by cohort",
    "loyalty_rules.reports.journal": "The accounting journal",
    "loyalty_rules.reports.allocation": "The price of points",
    "loyalty_rules.lifecycle": "Decisions after the sale",
    "loyalty_rules.adapters": "Conversions from other systems",
    "loyalty_rules.adapters.shopify": "Shopify",
    "loyalty_rules.adapters.square": "Square",
    "loyalty_rules.adapters.woocommerce": "WooCommerce",
    "loyalty_rules.adapters.saleor": "Saleor",
    "loyalty_rules.adapters.stripe": "Stripe",
    "loyalty_rules.adapters.poslog": "POSLog",
    "loyalty_rules.adapters.odoo": "Odoo",
    "loyalty_rules.adapters.ucp": "The Universal Commerce Protocol",
    "loyalty_rules.engine.needs": "Gaps to more",
    "loyalty_rules.lifecycle.progress": "Progress",
    "loyalty_rules.lifecycle.explaining": "Explanations of recorded events",
    "loyalty_rules.serials": "Serials of coupons",
    "loyalty_rules.linting": "The linter",
    "loyalty_rules.schema": "JSON Schemas",
    "loyalty_rules.testing": "Worked cases",
    "loyalty_rules.testing.laws": "Laws",
    "loyalty_rules.testing.strategies": "Strategies for Hypothesis",
    "loyalty_rules.testing.ledgers.contract": "The contract of a ledger",
    "loyalty_rules.testing.ledgers.state_machine": "The state machine of a ledger",
}
"""The public modules, in the order of the reference. A name stands on the first page whose module exports it."""


def classes_of(annotation: Any) -> Iterator[type]:
    """Yield the attrs classes in an annotation, in any depth."""
    if attrs.has(annotation):
        yield annotation
    for each in get_args(annotation):
        yield from classes_of(each)


def parts_of_a_program() -> list[tuple[str, str]]:
    """Return the module and the name of each class that a program is made of, in the order of the program."""
    waiting, found = [loyalty_rules.Program], dict.fromkeys([loyalty_rules.Program])
    for cls in waiting:
        for field in attrs.fields(attrs.resolve_types(cls)):
            new = [each for each in classes_of(field.type) if each not in found]
            found.update(dict.fromkeys(new))
            waiting += dict.fromkeys(new)
    return [(cls.__module__, cls.__name__) for cls in found]


def names_of(module: str) -> list[tuple[str, str]]:
    """Return the module and the name of each public value on the page of a module."""
    if module == "loyalty_rules.rules":
        return parts_of_a_program()
    return [(module, name) for name in importlib.import_module(module).__all__]


def identity_of(module: str, name: str) -> tuple[str, str]:
    """Return the module and the name of the definition of a public value."""
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, type) or callable(value):
        return getattr(value, "__module__", module), getattr(value, "__qualname__", name)
    return module, name


def entry(module: str, name: str) -> str:
    """Return the directive of a public value."""
    value = getattr(importlib.import_module(module), name)
    if isinstance(value, type):
        return f".. autoclass:: {module}.{name}\n   :members:\n"
    if callable(value) and hasattr(value, "__code__"):
        return f".. autofunction:: {module}.{name}\n"
    return f".. autodata:: {module}.{name}\n   :no-value:\n"


def write_reference(app: Sphinx) -> None:
    """Write the pages of the reference into docs/api."""
    folder = DOCS / "api"
    folder.mkdir(exist_ok=True)
    documented: set[tuple[str, str]] = set()
    pages = {"index": "API reference\n=============\n\n.. toctree::\n   :maxdepth: 1\n\n"}
    for module, title in REFERENCE.items():
        page = (
            f"{title}\n{'=' * len(title)}\n\nThe module ``{module}``.\n\n.. automodule:: {module}\n   :no-members:\n\n"
        )
        for place, name in names_of(module):
            if name != "__version__" and identity_of(place, name) not in documented:
                documented.add(identity_of(place, name))
                page += entry(place, name) + "\n"
        pages["index"] += f"   {module}\n"
        pages[module] = page
    for name, page in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()


# -- docstrings --------------------------------------------------------------------------------------------------------


def headings_of(page: str) -> dict[str, str]:
    """Return the anchors of a page by the number of the heading, or by its text in lower case."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    found = {}
    for heading in re.findall(r"^#{2,3} (.*)$", text, re.MULTILINE):
        number = re.match(r"(\d+)[.a-z]", heading)
        found.setdefault(number[1] if number else heading.lower(), slug_of(heading))
    return found


def slug_of(heading: str) -> str:
    """Return the anchor of a heading as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


PAGES = {"semantics": "rules", "documents": "rules-documents", "ledger": "rules-ledger"}
HEADINGS = {book: headings_of(page) for book, page in PAGES.items()}
_PROMISES = "2"
"""The section of the rules of ledgers that has the promises P1 to P8."""


def link(book: str, shown: str, key: str | None) -> str:
    """Return a link to a section of the rules, or to the whole page. Raises `ExtensionError` if it does not exist."""
    if key is not None and key not in HEADINGS[book]:
        raise ExtensionError(f"there is no section {key!r} in docs/{PAGES[book]}.md, for {shown!r}")
    anchor = f"#{HEADINGS[book][key]}" if key is not None else ""
    return f"`{shown} <../{PAGES[book]}.html{anchor}>`__"


def linked(source: str) -> str:
    """Return a `Source: …` sentence with a link for each section that it cites."""
    book, parts = "", []
    for word in re.split(
        r"((?:semantics|documents|ledger)\b|\bP?\d+\b|\([^)]*\)|, (?:intent keys|Python names))", source
    ):
        if word in PAGES:
            book = word
            parts.append(link(book, word, None))
        elif book and re.fullmatch(r"\d+", word):
            parts.append(link(book, word, word))
        elif book and re.fullmatch(r"P\d+", word):
            parts.append(link("ledger", word, _PROMISES))
        elif book == "documents" and word.startswith(("(", ", ")):
            names = re.split(r"([(),]\s*)", word)
            parts.append("".join(link(book, each, each.lower()) if re.match(r"\w", each) else each for each in names))
        else:
            parts.append(word)
    return "".join(parts)


_CODE = re.compile(r"(?<![`:])`([^`\n]+)`(?![`_])")
_SOURCE = re.compile(r"Source: [^\n]*(?:\n(?! *\n)[^\n]*)*")


def to_rst(lines: list[str]) -> list[str]:
    """Return a docstring as reStructuredText: code in backticks, indented examples, tables, links to the rules."""
    text = "\n".join(lines).replace("\\", "\\\\").replace("*", "\\*").replace("|", "\\|")
    text = _CODE.sub(lambda found: f"``{found[1].replace(chr(92), '')}``", text)
    text = _SOURCE.sub(lambda found: linked(found[0]), text)
    paragraphs = re.split(r"\n\s*\n", text)
    for number, paragraph in enumerate(paragraphs):
        first = paragraph.lstrip("\n")
        if first.startswith("    "):
            code = first.replace("\\", "")
            paragraphs[number] = f".. code-block:: python\n\n{code}"
        elif first.startswith("\\|"):
            paragraphs[number] = ".. code-block:: none\n\n" + re.sub("^", "   ", first.replace("\\", ""), flags=re.M)
    return "\n\n".join(paragraphs).split("\n")


def convert_docstring(app: Sphinx, kind: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Convert a docstring before autodoc parses it."""
    lines[:] = [] if lines and lines[0] in _BUILTIN else to_rst(lines)


_BUILTIN = {(cls.__doc__ or "").splitlines()[0] for cls in (dict, tuple, list, str, int, frozenset)}
"""The docstrings of built-in classes, which autodoc shows for a constant without one of its own."""


def name_sections(app: Sphinx, doctree: nodes.document) -> None:
    """Give each heading the anchor that GitHub gives it, so that links work here and there."""
    for section in doctree.findall(nodes.section):
        slug = slug_of(section[0].astext())
        if slug not in section["ids"] and slug not in doctree.ids:
            section["ids"].append(slug)


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the table of contents to the first page, from its own headings and links."""
    if page == root_doc:
        parts = re.split(r"^\*\*(.*)\*\*$", source[0], flags=re.MULTILINE)[1:]
        groups = {
            caption: list(dict.fromkeys(re.findall(r"\]\(([\w-]+)\.md\)", text)))
            for caption, text in zip(parts[::2], parts[1::2], strict=True)
        }
        groups[list(groups)[-1]].append("api/index")
        for caption, pages in groups.items():
            entries = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", write_reference)
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", convert_docstring)
    app.connect("doctree-read", name_sections)


sys.setrecursionlimit(10_000)
