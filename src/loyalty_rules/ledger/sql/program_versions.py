"""The programs under which sales were decided: each version is stored once, and loaded once a process."""

from sqlalchemy import Connection

from loyalty_rules.ledger.sql.mapping import text_of_json
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.loading import dump, load_program
from loyalty_rules.program import Program

__all__ = ["ProgramVersions"]

_MAX_LOADED = 64


class ProgramVersions:
    """The versions that a ledger knows: those that are known to be stored, and those that are loaded."""

    def __init__(self) -> None:
        self._stored: set[str] = set()
        self._loaded: dict[str, Program] = {}

    def store(self, connection: Connection, statements: Statements, program: Program) -> str | None:
        """Store a version, unless it is known to be; gives it where it is new, to be noted once it is committed."""
        self._keep(program)
        if program.version in self._stored:
            return None
        row = {"version": program.version, "program": program.id, "document": text_of_json(dump(program))}
        connection.execute(statements.add_program, row)
        return program.version

    def note_stored(self, version: str) -> None:
        """Note that a version is stored for good."""
        self._stored.add(version)

    def load(self, connection: Connection, statements: Statements, version: str) -> Program:
        """Give the program of a version that is stored."""
        program = self._loaded.get(version)
        if program is None:
            program = load_program(connection.execute(statements.program, {"version": version}).scalar_one())
            self._keep(program)
        return program

    def _keep(self, program: Program) -> None:
        if program.version not in self._loaded:
            while len(self._loaded) >= _MAX_LOADED:
                self._loaded.pop(next(iter(self._loaded)), None)
            self._loaded[program.version] = program
