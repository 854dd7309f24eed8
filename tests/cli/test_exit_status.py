"""The exit statuses of the command."""

import signal

import pytest

from loyalty_rules.cli import exit_status, main

from .running import GROCER, Capture


def test_the_statuses_are_different() -> None:
    statuses = [getattr(exit_status, name) for name in exit_status.__all__]

    assert len(set(statuses)) == len(statuses)


def test_the_statuses_are_those_of_shells_and_of_argparse(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["absent"])

    assert exit_status.SUCCESS == 0
    assert exit_status.FINDINGS == 1
    assert ended.value.code == exit_status.INVALID == 2
    assert exit_status.INTERRUPTED == 128 + signal.SIGINT
    assert exit_status.BROKEN_PIPE == 128 + 13  # SIGPIPE, which Windows does not have


def test_a_command_ends_with_its_status(capsys: Capture) -> None:
    assert main(["check", GROCER]) == exit_status.SUCCESS
    assert main(["check", "absent.toml"]) == exit_status.INVALID
