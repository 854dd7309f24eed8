"""The tables of a ledger in a database. Source: ledger 2 and 3.

The **log** is append-only, which triggers enforce: programs, batches, receipts, entries, changes of lots, extensions
of accounts, states of coupons, draws on counters, and versions of the records of each kind. The **state** is the sum of
the log, kept so that operations need not add it up: lots, coupons, counters, and a table for each kind. `rebuild`
computes it again from the log. Views over both are in `views`. The personal parts of inputs are beside both: they can
be erased, and the log has their salted digests.

Amounts are 64-bit whole millionths, instants whole microseconds since 1970 in UTC, dates ISO texts, documents JSON.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    event,
    make_url,
    text,
)

from loyalty_rules.errors import InvalidValueError, describe
from loyalty_rules.ledger.kinds import KINDS, Kind
from loyalty_rules.ledger.operations.arguments import read_argument
from loyalty_rules.ledger.sql.dialects import DIALECTS
from loyalty_rules.ledger.sql.views import attach_views, view_statements
from loyalty_rules.lifecycle.records import BUCKETS

__all__ = ["EDITION", "HAS_UNITS", "NO_DAY", "Tables", "ddl_of"]

EDITION = 2
"""The edition of the tables; a release that changes them has the next number, and upgrades those of the one before."""

NO_DAY = ""
"""The day of a counter without days. It sorts before every date."""

HAS_UNITS = "(promised > 0 OR outstanding > 0 OR held > 0)"
"""The condition of a lot with units: of an index, and of the queries that shall use it."""

_MAX_PREFIX, _MAX_NAME = 24, 63  # a name of PostgreSQL has at most 63 bytes; longer ones would be cut off and clash
_QUOTES = frozenset("\"'`%")
_HAS_STRICT = sqlite3.sqlite_version_info >= (3, 37)
_WHOLE = BigInteger().with_variant(Integer(), "sqlite")  # SQLite: INTEGER has 64 bits, STRICT has no BIGINT


def _number(name: str = "number") -> Column[int]:
    return Column(name, _WHOLE, Identity(), primary_key=True)


def _whole(name: str, *arguments: Any, null: bool = False, **options: Any) -> Column[int]:
    return Column(name, _WHOLE, *arguments, nullable=null, **options)


def _text(name: str, *arguments: Any, null: bool = False, **options: Any) -> Column[str]:
    return Column(name, Text(), *arguments, nullable=null, **options)


def _account() -> list[Column[str]]:
    """Return the columns that name a balance: an account and a currency."""
    return [_text("program"), _text("kind"), _text("account"), _text("currency")]


def _read_prefix(value: str) -> str:
    if isinstance(value, str) and len(value) <= _MAX_PREFIX and value.isprintable() and _QUOTES.isdisjoint(value):
        return value
    message = f"expected at most {_MAX_PREFIX} printable characters without quotes; found {describe(value)}"
    raise InvalidValueError("", "not_a_name", message)


def _read_schema(value: str) -> str:
    if isinstance(value, str) and 1 <= len(value) <= _MAX_NAME and value.isprintable() and _QUOTES.isdisjoint(value):
        return value
    message = f"expected 1 to {_MAX_NAME} printable characters without quotes; found {describe(value)}"
    raise InvalidValueError("", "not_a_name", message)


def ddl_of(statement: str) -> DDL:
    """Return a statement that creates or changes a part of a schema, in which `%` is a plain character."""
    new: Any = DDL
    ddl: DDL = new(statement.replace("%", "%%"))
    return ddl


class Tables:
    """The tables of one ledger, in the host's `metadata` so that its migrations see them.

    Each name begins with `prefix`, of at most 24 characters. `schema` is a schema of PostgreSQL for all of them. Raises
    `InvalidValueError` for a name that no database could have.
    """

    def __init__(
        self, metadata: MetaData | None = None, *, prefix: str = "loyalty_", schema: str | None = None
    ) -> None:
        self.metadata: MetaData = metadata if metadata is not None else MetaData()
        self.prefix = read_argument(_read_prefix, "prefix", prefix)
        self.schema = read_argument(_read_schema, "schema", schema) if schema is not None else None
        self._log_tables()
        self._personal_table()
        self._state_tables()
        self._edition_table()
        attach_views(self)
        for table in self.log:
            for dialect in DIALECTS:
                for statement in self.triggers(table, dialect):
                    event.listen(table, "after_create", ddl_of(statement).execute_if(dialect=dialect))

    @property
    def log(self) -> list[Table]:
        """The append-only tables, each after those that it refers to."""
        return [
            self.programs,
            self.batches,
            self.receipts,
            self.entries,
            self.lot_changes,
            self.extensions,
            self.coupon_states,
            self.draws,
            self.versions,
        ]

    @property
    def written(self) -> list[Table]:
        """The tables of the log with the content of batches, without the receipts."""
        return [each for each in self.log if "batch" in each.c and each is not self.receipts]

    @property
    def state(self) -> list[Table]:
        """The tables that sum up the log."""
        return [self.lots, self.coupons, self.counters, *self.kinds.values()]

    @property
    def every(self) -> list[Table]:
        """All tables, each after those that it refers to."""
        return [*self.log, self.personal, *self.state, self.edition]

    def triggers(self, table: Table, dialect: str) -> list[str]:
        """Return the statements, for `sqlite` or `postgresql`, by which a table of the log becomes append-only."""
        return DIALECTS[dialect]().triggers(table, self.prefix)

    def statements(self, dialect: str) -> list[str]:
        """Return the statements of a migration, for `sqlite` or `postgresql`, that follow those that create the tables.

        Migration tools do not see them: the triggers of the log, the views, and the row of the edition.
        """
        triggers = [each for table in self.log for each in self.triggers(table, dialect)]
        views = view_statements(self, make_url(f"{dialect}://").get_dialect()())
        return [*triggers, *views, self.edition_statement()]

    def _table(self, name: str, *parts: Any) -> Table:
        return Table(self.prefix + name, self.metadata, *parts, schema=self.schema, sqlite_strict=_HAS_STRICT)

    def _index(self, name: str, *columns: Any, where: str | None = None) -> Index:
        condition = text(where) if where is not None else None
        return Index(f"{self.prefix}{name}", *columns, sqlite_where=condition, postgresql_where=condition)

    def _batch(self) -> Column[int]:
        return _whole("batch", ForeignKey(self.batches.c.id))

    def _log_tables(self) -> None:
        self.programs = self._table("programs", _text("version", primary_key=True), _text("program"), _text("document"))
        self.batches = self._table(
            "batches",
            _number("id"),
            _text("program"),
            _text("event"),
            _text("phase"),
            _text("of", null=True),
            _text("inputs"),
            _whole("at"),
            _whole("recorded_at"),
            UniqueConstraint("program", "event", "phase"),
            self._index("batches_of", "program", "of"),
        )
        self.receipts = self._table(
            "receipts",
            _number(),
            _whole("batch", ForeignKey(self.batches.c.id), unique=True),
            _text("version", ForeignKey(self.programs.c.version), null=True),
            _text("snapshot", null=True),
            _text("intents"),
            _text("trims"),
            _text("notes", null=True),
            _text("personal", null=True),
            _whole("chain"),
            _whole("position"),
            Column("digest", LargeBinary(), nullable=False),
            Column("link", LargeBinary(), nullable=False),
            UniqueConstraint("chain", "position"),
        )
        self.entries = self._table(
            "entries",
            _number(),
            self._batch(),
            *_account(),
            _text("lot"),
            _text("source"),
            _text("target"),
            _whole("amount"),
            _whole("at"),
            _whole("recorded_at"),
            _text("reason"),
            _text("by", null=True),
            CheckConstraint("amount > 0"),
            CheckConstraint("source <> target"),
            self._index("entries_account", "program", "kind", "account"),
            self._index("entries_lot", "lot"),
            self._index("entries_batch", "batch"),
        )
        self.lot_changes = self._table(
            "lot_changes",
            _number(),
            self._batch(),
            _text("lot"),
            _whole("at"),
            _text("change"),
            _text("day", null=True),
            _whole("expires_at", null=True),
            _whole("amount", null=True),
            _text("previous", null=True),
            _text("member", null=True),
            CheckConstraint("change IN ('expires', 'released', 'taken_back', 'member', 'last_day')"),
            self._index("lot_changes_lot", "lot"),
            self._index("lot_changes_previous", "previous", where="previous IS NOT NULL"),
        )
        # One row extends all lots of an account. The order of record is that of the receipts of the batches: a batch
        # has its id before it waits for the lock of the account.
        self.extensions = self._table(
            "extensions",
            _number(),
            self._batch(),
            *_account(),
            _text("scope"),
            _whole("at"),
            _text("day"),
            _whole("expires_at"),
            CheckConstraint("scope IN ('balance', 'rolling_lots')"),
            self._index("extensions_account", "program", "kind", "account", "number"),
            self._index("extensions_batch", "batch"),
        )
        self.coupon_states = self._table(
            "coupon_states",
            _number(),
            self._batch(),
            _text("coupon"),
            _whole("at"),
            *self._coupon_state(),
            self._index("coupon_states_coupon", "coupon"),
        )
        self.draws = self._table(
            "draws",
            _number(),
            self._batch(),
            _text("program"),
            _text("name"),
            _text("day"),
            _whole("amount"),
            _whole("most", null=True),
            self._index("draws_counter", "program", "name"),
            self._index("draws_batch", "batch"),
        )
        # One table for the versions of all kinds, so that a new kind of state adds no table to the log.
        self.versions = self._table(
            "versions",
            _number(),
            self._batch(),
            _text("kind"),
            _text("key"),
            _whole("at"),
            _text("document"),
            self._index("versions_record", "kind", "key"),
            self._index("versions_batch", "batch"),
        )

    def _personal_table(self) -> None:
        self.personal = self._table(
            "personal",
            _whole("batch", ForeignKey(self.batches.c.id), primary_key=True, autoincrement=False),
            _text("program"),
            _text("member", null=True),
            Column("salt", LargeBinary(), nullable=False),
            _text("document"),
            self._index("personal_member", "program", "member", where="member IS NOT NULL"),
        )

    def _edition_table(self) -> None:
        self.edition = self._table(
            "edition", Column("edition", _WHOLE, primary_key=True, autoincrement=False, nullable=False)
        )
        event.listen(self.edition, "after_create", ddl_of(self.edition_statement()))

    def edition_statement(self) -> str:
        """Return the statement that writes the edition of these tables into their row, for a migration."""
        schema = f'"{self.schema}".' if self.schema is not None else ""
        return f'INSERT INTO {schema}"{self.edition.name}" (edition) VALUES ({EDITION})'

    def _coupon_state(self) -> list[Any]:
        return [
            _text("state"),
            _whole("remaining", null=True),
            _text("redeemed_by", null=True),
            _whole("redeemed_at", null=True),
            _whole("voided_at", null=True),
            _text("member", null=True),
            _text("expires_on", null=True),
            _whole("expires_at", null=True),
            _whole("topped_up"),
            _text("redemption", null=True),
            _text("redeemed_by_member", null=True),
            _text("redeemed_at_store", null=True),
            _whole("uses_left", null=True),
            _whole("left_in_all", null=True),
            _whole("most", null=True),
            _whole("taken"),
            CheckConstraint("state IN ('issued', 'redeemed', 'expired', 'voided')"),
            CheckConstraint("remaining >= 0"),
            CheckConstraint("uses_left >= 0"),
            CheckConstraint("left_in_all >= 0"),
            CheckConstraint("taken >= 0"),
        ]

    def _state_tables(self) -> None:
        buckets = BUCKETS.values()
        self.lots = self._table(
            "lots",
            _number(),
            _text("key", unique=True),
            *_account(),
            _text("event"),
            _text("store", null=True),
            _text("tier", null=True),
            _text("channel", null=True),
            _text("origin", null=True),
            _text("promotion", null=True),
            _text("issued_to", null=True),
            _whole("issued_at"),
            _text("issue"),
            _whole("rolling"),
            _whole("due_at", null=True),
            _whole("issued"),
            *(_whole(bucket) for bucket in buckets),
            _whole("taken_back"),
            _text("issue_on", null=True),
            _text("expires_on", null=True),
            _whole("expires_at", null=True),
            _whole("available_at", null=True),
            _text("last_on", null=True),
            _whole("last_at", null=True),
            _whole("latest_at"),
            _whole("batch", ForeignKey(self.batches.c.id)),
            _whole("version"),
            *(CheckConstraint(f"{bucket} >= 0") for bucket in buckets),
            CheckConstraint(f"issued = {' + '.join(buckets)}"),
            CheckConstraint("taken_back BETWEEN 0 AND issued"),
            self._index("lots_account", "program", "kind", "account", "currency", "latest_at"),
            self._index("lots_with_units", "program", "kind", "account", where=HAS_UNITS),
            self._index("lots_swept", "program", "kind", "account", "expires_at", where="expired > 0"),
            self._index("lots_sale", "program", "event"),
            self._index("lots_due", "program", "due_at", where="promised > 0"),
            self._index("lots_expiring", "program", "expires_at", where="outstanding > 0"),
        )
        self.coupons = self._table(
            "coupons",
            _number(),
            _text("key", unique=True),
            _text("program"),
            _text("event"),
            _text("coupon_type"),
            _text("promotion"),
            _text("store", null=True),
            _text("tier", null=True),
            _text("channel", null=True),
            _text("issued_to", null=True),
            _whole("issued_at"),
            _text("code", null=True),
            Column("fingerprint", LargeBinary(), unique=True),
            _text("issue"),
            _whole("valid_from"),
            *self._coupon_state(),
            _whole("latest_at"),
            _whole("version"),
            self._index("coupons_sale", "program", "event"),
            self._index("coupons_member", "program", "member"),
            self._index("coupons_code", "program", "code", "member", "state", "expires_at", where="code IS NOT NULL"),
            self._index("coupons_expiring", "program", "expires_at", where="state = 'issued'"),
        )
        self.counters = self._table(
            "counters",
            _text("program"),
            _text("name"),
            _text("day"),
            _whole("value"),
            PrimaryKeyConstraint("program", "name", "day"),
            CheckConstraint("value >= 0"),
        )
        self.kinds: Mapping[str, Table] = {kind.name: self._kind_table(kind) for kind in KINDS}

    def _kind_table(self, kind: Kind[Any]) -> Table:
        """Return the table of the current records of a kind, with a column and an index for each look-up."""
        names = [*kind.found_by]
        return self._table(
            kind.name,
            _number(),
            _text("key", unique=True),
            _text("program"),
            *(_text(name, null=True) for name in names),
            _text("document"),
            _whole("latest_at"),
            _whole("version"),
            *(self._index(f"{kind.name}_{name}", "program", name, where=f"{name} IS NOT NULL") for name in names),
        )
