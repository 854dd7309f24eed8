"""XML documents as plain objects: bounded in size, depth and elements, without document types and entities.

An element becomes an object: its attributes as `@name`, its text as `#`, and its children as lists under their names.
Names have no namespace. A document type is refused, since entities can expand to gigabytes or name files.
"""

from typing import Any
from xml.parsers import expat

from loyalty_rules.errors import DocumentError, Problem, describe

__all__ = ["read_xml"]

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 500_000
_KIND = "XML document"


class _Unacceptable(Exception):
    """A document with a document type, or one beyond the limits."""


class _Tree:
    """The elements of a document while it is read."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.open: list[dict[str, Any]] = [self.root]
        self.texts: list[list[str]] = [[]]
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if len(self.open) > MAX_DEPTH or self.elements > MAX_ELEMENTS:
            raise _Unacceptable(f"expected at most {MAX_DEPTH} levels and {MAX_ELEMENTS:,} elements")
        element: dict[str, Any] = {f"@{_local(key)}": value for key, value in attributes.items()}
        self.open[-1].setdefault(_local(name), []).append(element)
        self.open.append(element)
        self.texts.append([])

    def end(self, _name: str) -> None:
        text = "".join(self.texts.pop()).strip()
        element = self.open.pop()
        if text:
            element["#"] = text

    def text(self, text: str) -> None:
        self.texts[-1].append(text)

    def document_type(self, *_: object) -> None:
        raise _Unacceptable("a document type (DTD) is not accepted")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def read_xml(source: str | bytes | bytearray) -> dict[str, Any]:
    """Return an XML document as a plain object with the root element in it. Raises `DocumentError`."""
    if not isinstance(source, (str, bytes, bytearray)):
        raise DocumentError(
            [Problem("$", "wrong_type", f"expected XML text or bytes, found {describe(source)}")], _KIND
        )
    try:
        data = source.encode() if isinstance(source, str) else bytes(source)
    except UnicodeEncodeError:
        raise _not_xml("it cannot be written as UTF-8") from None
    if len(data) > MAX_BYTES:
        message = f"an XML text is at most {MAX_BYTES:,} bytes, found {len(data):,}"
        raise DocumentError([Problem("$", "too_large", message)], _KIND)
    tree = _Tree()
    parser = expat.ParserCreate("utf-8" if isinstance(source, str) else None, " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = tree.document_type
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(data, True)
    except _Unacceptable as error:
        raise _not_xml(str(error)) from None
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset + 1}"
        raise _not_xml(f"{expat.ErrorString(error.code)} at {where}") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise _not_xml(str(error)[:100]) from None
    return tree.root


def _not_xml(reason: str) -> DocumentError:
    return DocumentError([Problem("$", "not_xml", f"the text is not acceptable XML: {reason}")], _KIND)
