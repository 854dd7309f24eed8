"""The command `balance` is declared with its arguments; its answers are tested in `test_help_desk`."""

from __future__ import annotations

import argparse

from loyalty_rules.cli.commands import balance


def test_the_command_is_declared() -> None:
    parser = argparse.ArgumentParser()
    balance.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["balance", "sqlite:///shop.db", "M1", "--json"])
    assert arguments.command is balance.balance
    assert (arguments.url, arguments.program, arguments.json) == ("sqlite:///shop.db", None, True)
