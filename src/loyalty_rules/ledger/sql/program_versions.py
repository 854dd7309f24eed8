"""The program versions that sales were decided under: each is stored once, and loaded once a process."""

from sqlalchemy import Connection

from loyalty_rules.ledger.errors import MissingProgramError
from loyalty_rules.ledger.sql.mapping import text_of_json
from loyalty_rules.ledger.sql.statements import Statements
from loyalty_rules.loading import dump, load_program
from loyalty_rules.program import Program

__all__ = ["ProgramVersions"]

_MAX_LOADED = 64


class ProgramVersions:
    """The program versions that a ledger knows to be stored, and a cache of the loaded ones."""

    def __init__(self) -> None:
        self._stored: set[str] = set()
        self._loaded: dict[str, Program] = {}

    def store(self, connection: Connection, statements: Statements, program: Program) -> str | None:
        """Store the version of a program; return it if it may be new, for `note_stored` after the commit, else None."""
        self._cache(program)
        if program.version in self._stored:
            return None
        row = {"version": program.version, "program": program.id, "document": text_of_json(dump(program))}
        connection.execute(statements.add_program, row)
        return program.version

    def note_stored(self, version: str) -> None:
        """Note that a version is stored and committed."""
        self._stored.add(version)

    def forget_stored(self) -> bool:
        """Forget which versions are stored, since the database may be another copy; return whether there were any."""
        were_any = bool(self._stored)
        self._stored.clear()
        return were_any

    def load(self, connection: Connection, statements: Statements, version: str) -> Program:
        """Return the program of a stored version."""
        program = self._loaded.get(version)
        if program is None:
            document = connection.execute(statements.program, {"version": version}).scalar_one_or_none()
            if document is None:
                raise MissingProgramError(version)
            program = load_program(document)
            self._cache(program)
        return program

    def _cache(self, program: Program) -> None:
        if program.version not in self._loaded:
            while len(self._loaded) >= _MAX_LOADED:
                self._loaded.pop(next(iter(self._loaded)), None)
            self._loaded[program.version] = program
