"""Prepared statements: each is compiled once a ledger, and then given to the driver as text. Source: ledger 3.

SQLAlchemy looks a statement up in its cache at each execution, which costs more than the statement itself. It still
runs the texts here, so that its events, its log and its errors stay as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["PreparedStatements"]

_Rows = Sequence[Mapping[str, Any]]


class _Text:
    """One compiled statement: its text, and the order and the types of its parameters."""

    def __init__(self, statement: Executable, columns: tuple[str, ...], dialect: Dialect) -> None:
        compiled = cast(SQLCompiler, cast(Any, statement).compile(dialect=dialect, column_keys=[*columns]))
        self.text = compiled.string
        self.is_fixed = not compiled.post_compile_params and not compiled.literal_execute_params
        self._defaults = dict(compiled.params)
        self._order = compiled.positiontup
        processors: Mapping[str, Any] = compiled._bind_processors
        self._processors = [*processors.items()]

    def parameters(self, row: Mapping[str, Any]) -> Any:
        """Return the parameters of a row as the driver takes them: by position or by name."""
        values = {**self._defaults, **row}
        for name, process in self._processors:
            values[name] = process(values[name])
        if self._order is None:
            return values
        return tuple([values[name] for name in self._order])


class PreparedStatements:
    """The compiled statements of one ledger, by the statement and the names of its parameters."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, tuple[str, ...]], tuple[Executable, _Text]] = {}

    def execute(
        self, connection: Connection, statement: Executable, parameters: Mapping[str, Any] | _Rows
    ) -> CursorResult[Any]:
        """Execute a statement with the parameters of one row, or of several."""
        rows: _Rows = [parameters] if isinstance(parameters, Mapping) else parameters
        text = self._text_of(connection, statement, tuple(rows[0]))
        if not text.is_fixed:
            return connection.execute(statement, parameters)
        given = [text.parameters(row) for row in rows]
        return connection.exec_driver_sql(text.text, given[0] if len(given) == 1 else given)

    def _text_of(self, connection: Connection, statement: Executable, columns: tuple[str, ...]) -> _Text:
        # The statement is kept with its text, so that its id is not given to another one.
        known = self._texts.get((id(statement), columns))
        if known is None:
            known = self._texts[id(statement), columns] = statement, _Text(statement, columns, connection.dialect)
        return known[1]
