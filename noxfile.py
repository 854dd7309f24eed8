"""The checks of this project, one session each: `uv run nox --list`."""

import shutil
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
EXTRAS = {
    "none": [
        "tests/values",
        "tests/rules",
        "tests/documents",
        "tests/engine",
        "tests/lifecycle",
        "tests/ledger/memory",
    ],
    "cli": ["tests/cli/commands/test_check.py", "tests/cli/commands/test_evaluate.py", "tests/cli/test_tables.py"],
    "sql": ["tests/ledger/sql/dialects/test_sqlite.py", "tests/ledger/sql/test_hash_chain.py"],
    "postgres": ["tests/ledger/sql/test_serials_at_rest.py"],
    "asyncio": ["tests/ledger/sql/test_asyncio.py"],
    "testing": ["tests/testing/strategies", "tests/testing/test_vectors.py"],
}
"""Each extra, with tests that need no other one."""
QUICK = ("pytest", "--numprocesses=auto", "-m", "not slow")
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "extras", "lowest", "typing", "lint", "docs", "wheel"]


def uv() -> str:
    """Return the command of uv: of the machine, or as the README installs it."""
    return shutil.which("uv") or str(Path("build/uv/bin/uv").resolve())


def sync(session: nox.Session, *options: str) -> None:
    """Install the project and its groups into the environment of the session."""
    environment = {"UV_PROJECT_ENVIRONMENT": session.virtualenv.location}
    session.run_install(uv(), "sync", "--quiet", f"--python={session.virtualenv.location}", *options, env=environment)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the inner loop, with every extra."""
    sync(session)
    session.run(*QUICK, *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Run the inner loop with the lowest versions that the project declares."""
    sync(session, "--resolution=lowest-direct")
    session.run(*QUICK, *session.posargs)


@nox.session(python="3.11")
@nox.parametrize("extra", list(EXTRAS))
def extras(session: nox.Session, extra: str) -> None:
    """Run the tests that need one extra alone, and no other package."""
    wheel = "." if extra == "none" else f".[{extra}]"
    session.install(wheel, "pytest", "hypothesis", "sybil", "jsonschema")
    session.run("pytest", "-m", "not slow", *(session.posargs or EXTRAS[extra]))


@nox.session(python="3.11")
def typing(session: nox.Session) -> None:
    """Check the types of the library, and those of a user's code."""
    sync(session)
    session.run("mypy")
    session.run("pytest", "tests/typing")


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Check the style and the format."""
    sync(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """Build the documentation site, without a warning."""
    sync(session)
    session.run("sphinx-build", "-q", "-W", "--keep-going", "docs", "build/site")


@nox.session(python="3.11")
def coverage(session: nox.Session) -> None:
    """Report the branch coverage of the quick tests of the modules."""
    sync(session)
    across = [f"--ignore=tests/{folder}" for folder in ("architecture", "benchmarks", "properties")]
    session.run(
        *QUICK,
        "tests",
        *across,
        "--cov=loyalty_rules",
        "--cov-branch",
        "--cov-report=term:skip-covered",
        *session.posargs,
    )


@nox.session(python="3.11")
def wheel(session: nox.Session) -> None:
    """Build the wheel, and run the examples by it, away from the checkout."""
    folder = session.create_tmp()
    session.run_install(uv(), "build", "--quiet", "--wheel", "--out-dir", folder)
    [built] = sorted(Path(folder).glob("*.whl"))
    session.install(f"{built}[cli]")
    examples = Path("examples").resolve()
    session.chdir(folder)
    for program in sorted((examples / "programs").glob("*.toml")):
        session.run("loyalty-rules", "check", str(program))
