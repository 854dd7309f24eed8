"""The command `schema`: the JSON Schema of each kind of document."""

from __future__ import annotations

import json

import pytest

from loyalty_rules.cli import main
from loyalty_rules.schema import KINDS, schema

from ..running import Capture


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_each_kind_is_printed(capsys: Capture, kind: str) -> None:
    assert main(["schema", kind]) == 0

    assert json.loads(capsys.readouterr().out) == schema(kind)


def test_an_unknown_kind_is_refused_with_the_known_kinds(capsys: Capture) -> None:
    assert main(["schema", "receipt"]) == 2

    err = "there is no schema of 'receipt'; there is one of program, event, snapshot, evaluation\n"
    assert capsys.readouterr() == ("", err)
