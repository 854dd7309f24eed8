"""XML as plain objects, and the documents that are refused."""

from __future__ import annotations

import pytest

from loyalty_rules.adapters.xml_documents import MAX_BYTES, MAX_DEPTH, read_xml
from loyalty_rules.errors import DocumentError


def test_elements_become_objects_without_namespaces() -> None:
    text = '<a:r xmlns:a="urn:a" a:kind="x"> <i n="1">5</i><i>6</i> <e/></a:r>'

    assert read_xml(text) == {"r": [{"@kind": "x", "i": [{"@n": "1", "#": "5"}, {"#": "6"}], "e": [{}]}]}
    assert read_xml(text.encode()) == read_xml(bytearray(text.encode())) == read_xml(text)


def test_bytes_have_the_encoding_that_they_declare_and_a_text_has_none() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><r>é</r>'

    assert read_xml(text.encode("latin-1")) == read_xml(text) == {"r": [{"#": "é"}]}


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>'
FILE = '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]><r>&f;</r>'


@pytest.mark.parametrize("text", [BOMB, FILE, '<!DOCTYPE r SYSTEM "http://127.0.0.1/r.dtd"><r/>', "<!DOCTYPE r><r/>"])
def test_a_document_type_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match=r"a document type \(DTD\) is not accepted"):
        read_xml(text)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<r>", "the text is not acceptable XML: no element found at line 1"),
        ("", "no element found"),
        ("<r>&undefined;</r>", "undefined entity"),
        (b"\xff\xfe\x00", "the text is not acceptable XML"),
        (b'<?xml version="1.0" encoding="no-such"?><r/>', "the text is not acceptable XML"),
        ("<a>" * (MAX_DEPTH + 1), f"expected at most {MAX_DEPTH} levels"),
        (" " * (MAX_BYTES + 1), "an XML text is at most 8,388,608 bytes"),
        ("<r>\ud800</r>", "it cannot be written as UTF-8"),
        (5, "expected XML text or bytes, found the number 5"),
    ],
)
def test_another_document_is_refused_with_a_reason(source: object, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        read_xml(source)  # type: ignore[arg-type]
