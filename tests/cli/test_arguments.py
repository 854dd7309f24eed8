"""Arguments that several commands take."""

import argparse

import pytest

from loyalty_rules.cli.arguments import add_event, add_key_file, add_program, add_snapshot, reads_stdin_twice


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    """A parser with every shared argument."""
    parser = argparse.ArgumentParser()
    for add in (add_program, add_event, add_snapshot, add_key_file):
        add(parser)
    return parser


def test_program_and_event_are_positional_in_this_order(parser: argparse.ArgumentParser) -> None:
    arguments = parser.parse_args(["shop.toml", "sale.json"])

    assert vars(arguments) == {"program": "shop.toml", "event": "sale.json", "snapshot": None, "key_file": None}


def test_snapshot_and_key_file_are_options(parser: argparse.ArgumentParser) -> None:
    arguments = parser.parse_args(["p", "e", "--snapshot", "s.json", "--key-file", "key"])

    assert (arguments.snapshot, arguments.key_file) == ("s.json", "key")


@pytest.mark.parametrize(
    ("event", "options", "twice"),
    [
        ("-", ["--snapshot", "-"], True),
        ("-", ["--snapshot", "s.json"], False),
        ("e.json", ["--snapshot", "-"], False),
        ("same.json", ["--snapshot", "same.json"], False),
        ("-", [], False),
    ],
)
def test_standard_input_is_read_twice_only_for_both_documents(
    parser: argparse.ArgumentParser, event: str, options: list[str], twice: bool
) -> None:
    assert reads_stdin_twice(parser.parse_args(["p", event, *options])) is twice
