"""The command `statement` is declared with its arguments; its answers are tested in `test_help_desk`."""

from __future__ import annotations

import argparse

from loyalty_rules.cli.commands import statement


def test_the_command_is_declared() -> None:
    parser = argparse.ArgumentParser()
    statement.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["statement", "sqlite:///shop.db", "M1", "--json"])
    assert arguments.command is statement.statement
    assert (arguments.url, arguments.program, arguments.json) == ("sqlite:///shop.db", None, True)
