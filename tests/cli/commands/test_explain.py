"""The command `explain` is declared with its arguments; its answers are tested in `test_help_desk`."""

from __future__ import annotations

import argparse

from loyalty_rules.cli.commands import explain


def test_the_command_is_declared() -> None:
    parser = argparse.ArgumentParser()
    explain.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["explain", "sqlite:///shop.db", "M1", "--json"])
    assert arguments.command is explain.explain
    assert (arguments.url, arguments.program, arguments.json) == ("sqlite:///shop.db", None, True)
