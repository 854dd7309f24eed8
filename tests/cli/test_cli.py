"""The command `loyalty-rules`: what it prints where, and with which status it ends."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import loyalty_rules as lr
from loyalty_rules.cli import main
from loyalty_rules.schema import KINDS, schema
from shop import earn, fixed, program

EXAMPLES = Path(__file__).parents[2] / "examples"
GROCER = str(EXAMPLES / "programs" / "grocer.toml")
COFFEE = str(EXAMPLES / "programs" / "coffee-coupons.toml")
MILESTONE = str(EXAMPLES / "events" / "grocer-milestone.json")
MILESTONE_SNAPSHOT = str(EXAMPLES / "events" / "grocer-milestone.snapshot.json")
RETURN = str(EXAMPLES / "events" / "grocer-big-sunday.return.json")
COUPONS = str(EXAMPLES / "events" / "coffee-coupons-office-round.json")

NO_ID: dict[str, Any] = {
    "format": "loyalty-rules/1",
    "time_zone": "Mars/Olympus",
    "currencies": {},
    "promotions": [],
}

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], str]:
    """Write a JSON document to a file and give its name."""

    def write(name: str, document: Any) -> str:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return write


def run_command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "loyalty_rules", *arguments], input=stdin, capture_output=True)


def test_without_a_command_it_says_how_it_is_used(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])

    assert ended.value.code == 2
    assert "usage: loyalty-rules" in capsys.readouterr().err


def test_the_version_is_printed_on_standard_output(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr() == ("loyalty-rules 0.1.0\n", "")


# -- check -----------------------------------------------------------------------------------------------------------


def test_check_counts_the_parts_of_a_valid_program(capsys: Capture) -> None:
    assert main(["check", GROCER]) == 0

    parts = "7 promotions, 1 currency, 1 limit, 1 tracker, 1 coupon type"
    assert capsys.readouterr() == (f"{GROCER}: {parts}: valid, no findings\n", "")


def test_check_tells_every_problem_on_a_line_of_its_own(capsys: Capture, write: Callable[[str, Any], str]) -> None:
    assert main(["check", write("program.json", NO_ID)]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert [(line.split(": ")[0], line.rsplit(" ", 1)[1]) for line in err.splitlines()] == [
        ("$.id", "[required]"),
        ("$.time_zone", "[unknown_time_zone]"),
    ]


@pytest.mark.parametrize(("name", "text"), [("broken.toml", "id = [\n\n= ="), ("broken.json", "{"), ("absent", None)])
def test_check_refuses_what_is_no_document(
    capsys: Capture, write: Callable[[str, Any], str], name: str, text: str | None
) -> None:
    path = write(name, text) if text is not None else name

    assert main(["check", path]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("$: ")


FACTOR = """\
$.promotions[0].actions[0].proration.percent: a multiplier of 2 % issues 2 for each 100 [percent_as_factor]
  why: a multiplier is a percentage: 200 issues 2 times the base
  do: write 200; if you mean 2 %, use proportional
"""


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 1)])
def test_check_tells_what_is_hardly_meant_and_only_a_strict_one_fails(
    capsys: Capture, write: Callable[[str, Any], str], options: list[str], status: int
) -> None:
    path = write("program.json", program(earn({"type": "multiplier", "percent": "2"})))

    assert main(["check", path, *options]) == status

    parts = "1 promotion, 1 currency, 0 limits, 0 trackers, 0 coupon types"
    assert capsys.readouterr() == (f"{path}: {parts}: valid, with 1 finding\n{FACTOR}", "")


def test_a_strict_check_of_a_program_without_findings_is_fine() -> None:
    assert main(["check", GROCER, "--strict"]) == 0


@pytest.mark.parametrize(
    ("as_of", "status"),
    [("2025-12-31", 0), ("2026-01-01", 1), ("2026-01-01T04:59:59Z", 0), ("2026-01-01T05:00:00Z", 1)],
)
def test_check_tells_what_is_over_by_a_day_of_the_program(
    capsys: Capture, write: Callable[[str, Any], str], as_of: str, status: int
) -> None:
    ended = {"id": "p", "ends_at": "2026-01-01T00:00:00-05:00", "actions": [earn(fixed("1"))]}
    path = write("program.json", program(time_zone="America/New_York", promotions=[ended]))

    assert main(["check", path, "--strict", "--as-of", as_of]) == status

    assert ("[ended]" in capsys.readouterr().out) is bool(status)


@pytest.mark.parametrize(
    "as_of", ["soon", "2026-02-30", "0001-01-01", "9999-12-31", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_check_refuses_what_is_no_day_and_no_instant(capsys: Capture, as_of: str) -> None:
    assert main(["check", GROCER, "--as-of", as_of]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("--as-of: ")
    assert len(err.splitlines()) == 1


# -- evaluate --------------------------------------------------------------------------------------------------------


def test_evaluate_prints_the_document(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, MILESTONE, "--snapshot", MILESTONE_SNAPSHOT]) == 0

    out, err = capsys.readouterr()
    evaluation = lr.load_program(Path(GROCER)).evaluate(
        lr.load_event(Path(MILESTONE)), lr.load_snapshot(Path(MILESTONE_SNAPSHOT))
    )
    assert (out, err) == (json.dumps(lr.dump(evaluation), indent=2) + "\n", "")
    assert [each["amount"] for each in json.loads(out)["intents"] if each["type"] == "issue_currency"] == [
        "6",
        "2",
        "3",
        "150",
    ]


def test_evaluate_without_a_snapshot_knows_nothing_beyond_the_event(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, MILESTONE]) == 0

    issues = [each for each in json.loads(capsys.readouterr().out)["intents"] if each["type"] == "issue_currency"]
    assert "monthly-milestone" not in [each["promotion"] for each in issues]


def test_evaluate_explains(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, MILESTONE, "--snapshot", MILESTONE_SNAPSHOT, "--explain"]) == 0

    event, snapshot = lr.load_event(Path(MILESTONE)), lr.load_snapshot(Path(MILESTONE_SNAPSHOT))
    explanation = lr.load_program(Path(GROCER)).evaluate(event, snapshot).explain()
    assert capsys.readouterr() == (f"{explanation}\n", "")


@pytest.mark.parametrize("buffered", [True, False])
def test_evaluate_reads_the_event_from_standard_input(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, buffered: bool
) -> None:
    text = Path(MILESTONE).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)) if buffered else io.StringIO(text.decode()))

    assert main(["evaluate", GROCER, "-"]) == 0

    assert json.loads(capsys.readouterr().out)["event"] == "34204540022"


def test_evaluate_reads_the_snapshot_from_standard_input() -> None:
    stdin = Path(MILESTONE_SNAPSHOT).read_bytes()

    done = run_command("evaluate", GROCER, MILESTONE, "--snapshot", "-", stdin=stdin)

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"monthly-milestone" in done.stdout


def test_evaluate_can_not_read_two_documents_from_standard_input(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, "-", "--snapshot", "-"]) == 2

    assert capsys.readouterr() == ("", "standard input can't be both the event and the snapshot\n")


def test_evaluate_tells_the_problems_of_all_documents_together(
    capsys: Capture, write: Callable[[str, Any], str]
) -> None:
    name = write("program.json", NO_ID)
    event = write("event.json", {"type": "transaction", "id": "T", "occurred_at": "noon"})
    snapshot = write("snapshot.json", {"trackers": []})
    key = write("key", "short")

    assert main(["evaluate", name, event, "--snapshot", snapshot, "--key-file", key]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[:2] for line in err.splitlines()[:-1]] == [
        [name, "$.id"],
        [name, "$.time_zone"],
        [event, "$.occurred_at"],
        [event, "$.amount"],
        [snapshot, "$.trackers"],
    ]
    assert err.splitlines()[-1] == f"{key}: a master key has at least 32 bytes; this one has 5"


def test_evaluate_sends_a_return_to_where_it_is_decided(capsys: Capture) -> None:
    assert main(["evaluate", GROCER, RETURN]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "for a return call `process` of a ledger" in err


def test_evaluate_says_how_to_give_a_key(capsys: Capture) -> None:
    assert main(["evaluate", COFFEE, COUPONS]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "'next-visit-15'" in err
    assert "--key-file FILE, a file of at least 32 random bytes" in err


@pytest.mark.parametrize("explain", [[], ["--explain"]])
def test_evaluate_derives_serials_from_the_key(
    capsys: Capture, write: Callable[[str, Any], str], explain: list[str]
) -> None:
    key = "k" * 32

    assert main(["evaluate", COFFEE, COUPONS, "--key-file", write("key", key), *explain]) == 0
    first = capsys.readouterr().out
    assert main(["evaluate", COFFEE, COUPONS, "--key-file", write("key", key), *explain]) == 0
    again = capsys.readouterr().out
    assert main(["evaluate", COFFEE, COUPONS, "--key-file", write("other", "K" * 32), *explain]) == 0
    other = capsys.readouterr().out

    assert first == again
    assert first != other or explain
    assert key not in first


def test_a_character_that_the_terminal_does_not_have_is_escaped(write: Callable[[str, Any], str]) -> None:
    event = json.loads(Path(MILESTONE).read_text())
    code = "import sys; from loyalty_rules.cli.streams import say; sys.stdout.reconfigure(encoding='ascii'); say('→')"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    as_json = run_command("evaluate", GROCER, write("event.json", {**event, "id": "→"}))

    assert (done.stdout, done.stderr) == (b"\\u2192\n", b"")
    assert as_json.stdout.isascii()


# -- schema ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_schema_prints_the_schema_of_a_kind(capsys: Capture, kind: str) -> None:
    assert main(["schema", kind]) == 0

    assert json.loads(capsys.readouterr().out) == schema(kind)


def test_schema_names_the_kinds_that_there_are(capsys: Capture) -> None:
    assert main(["schema", "receipt"]) == 2

    err = "there is no schema of 'receipt'; there is one of program, event, snapshot, evaluation\n"
    assert capsys.readouterr() == ("", err)


# -- as a program ----------------------------------------------------------------------------------------------------


def test_it_runs_as_a_module() -> None:
    assert run_command("check", GROCER).returncode == 0
    assert run_command("check", "absent.toml").returncode == 2


def test_output_that_can_not_be_written_is_no_success() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs a device that is always full")

    with full.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "loyalty_rules", "schema", "event"], stdout=output, stderr=subprocess.PIPE
        )

    assert done.returncode == 2
    assert done.stderr.startswith(b"loyalty-rules: ")
    assert len(done.stderr.splitlines()) == 1
