"""The checks of this project, one session each: `uv run nox --list`."""

import shutil

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
QUICK = ("pytest", "--numprocesses=auto", "-m", "not slow")
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "typing", "lint", "docs"]


def sync(session: nox.Session, *options: str) -> None:
    """Install the project and its groups into the environment of the session."""
    uv = shutil.which("uv") or "build/uv/bin/uv"
    environment = {"UV_PROJECT_ENVIRONMENT": session.virtualenv.location}
    session.run_install(uv, "sync", "--quiet", f"--python={session.virtualenv.location}", *options, env=environment)


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
def bare(session: nox.Session) -> None:
    """Evaluate a receipt without any extra."""
    session.install(".")
    session.run("python", "-c", "import loyalty_rules; print(loyalty_rules.__version__)")


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
    """Report the branch coverage of the inner loop."""
    sync(session)
    session.run(*QUICK, "--cov=loyalty_rules", "--cov-branch", "--cov-report=term:skip-covered", *session.posargs)
