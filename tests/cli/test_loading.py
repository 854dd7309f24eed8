"""Documents and keys of a command: problems are collected with the name of their file."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import loyalty_rules as lr
from loyalty_rules.cli.loading import Loading, missing_key, source_of
from shop import earn, fixed, program, sale

from .running import Write


def test_valid_documents_are_loaded_without_complaints(write: Write) -> None:
    loading = Loading()

    loaded = loading.program(write("program.json", program(earn(fixed("5")))))
    event = loading.event(write("event.json", sale()))

    assert loaded is not None
    assert loaded.id == "acme"
    assert event is not None
    assert event.id == "T-1"
    assert loading.complaints == []


def test_every_problem_is_a_complaint_that_begins_with_the_name_of_the_file(write: Write) -> None:
    loading = Loading()
    name = write("program.json", {**program(), "time_zone": "Mars", "id": None})

    assert loading.program(name) is None
    assert loading.event("absent.json") is None

    assert [each.split(": ")[:2] for each in loading.complaints] == [
        [name, "$.id"],
        [name, "$.time_zone"],
        ["absent.json", "$"],
    ]


def test_a_snapshot_and_a_key_are_optional() -> None:
    loading = Loading()

    assert (loading.snapshot(None), loading.serials(None), loading.complaints) == (None, None, [])


def test_a_key_of_32_bytes_derives_serials(write: Write) -> None:
    loading = Loading()

    assert isinstance(loading.serials(write("key", b"\x00\xff" * 16)), lr.DerivedSerials)
    assert loading.complaints == []


def test_a_missing_and_a_short_key_are_complaints(write: Write) -> None:
    loading, short = Loading(), write("key", "short")

    assert loading.serials("absent.key") is None
    assert loading.serials(short) is None

    assert loading.complaints == [
        "absent.key: can't be read: No such file or directory",
        f"{short}: a master key has at least 32 bytes; this one has 5",
    ]


def test_a_dash_is_the_text_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("{}"))

    assert source_of("-") == b"{}"
    assert source_of("event.json") == Path("event.json")


def test_the_complaint_about_a_missing_key_has_the_option_and_the_coupon_type() -> None:
    complaint = missing_key(lr.MissingSerialsError("tenner"))

    assert "'tenner'" in complaint
    assert "give --key-file FILE, a file of at least 32 random bytes" in complaint
