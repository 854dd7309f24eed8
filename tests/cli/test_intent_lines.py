"""The output of intents: a file is written anew, `-` is standard output."""

from pathlib import Path

from loyalty_rules.cli.intent_lines import intent_output, write_intents

from .running import Capture


def test_a_file_is_written_anew(tmp_path: Path) -> None:
    name = tmp_path / "intents"
    name.write_text("old")
    with intent_output(str(name)) as output:
        write_intents(output, [])
    assert name.read_text() == ""


def test_a_dash_is_standard_output(capsys: Capture) -> None:
    with intent_output("-") as output:
        output.write("line")
    assert capsys.readouterr().out == "line"
