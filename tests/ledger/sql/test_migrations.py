"""Migrations of a host, by a real Alembic on SQLite and PostgreSQL: with triggers, views and the edition."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from loyalty_rules.ledger import SQLLedger
from loyalty_rules.ledger.sql import Tables
from loyalty_rules.testing.ledgers.facts.till import SERIALS, Till, earn, fixed, shop

PAGE = (Path(__file__).parents[3] / "docs" / "migrations.md").read_text()
ENV = """
from alembic import context
from sqlalchemy import create_engine
from loyalty_rules.ledger.sql import Tables

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Tables(prefix="loyalty_").metadata)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""
MAKO = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

def upgrade():
    ${upgrades if upgrades else "pass"}

def downgrade():
    ${downgrades if downgrades else "pass"}
'''


@pytest.fixture
def config(database: str, tmp_path: Path) -> Config:
    """Return the configuration of Alembic for a new database, in a folder as `alembic init` makes it."""
    scripts = tmp_path / "migrations"
    (scripts / "versions").mkdir(parents=True)
    (scripts / "env.py").write_text(ENV)
    (scripts / "script.py.mako").write_text(MAKO)
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("sqlalchemy.url", database.replace("%", "%%"))
    return config


def is_complete(url: str) -> bool:
    """Return whether a ledger works on the tables of a migration, and misses nothing."""
    engine = create_engine(url)
    ledger = SQLLedger(engine, serials=SERIALS)
    till = Till(ledger)
    till.runs(shop(earn(fixed("5"))))
    try:
        assert till.sell("T1").status == "recorded"
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM loyalty_currency_facts").scalar_one() == 1
        return ledger.check_invariants() == []
    finally:
        engine.dispose()


def test_the_migration_of_the_page_is_complete(config: Config, database: str, tmp_path: Path) -> None:
    found = re.search(r"MIGRATION = '''\n(.*?)'''", PAGE, re.DOTALL)
    assert found is not None
    (tmp_path / "migrations" / "versions" / "0001_ledger.py").write_text(found[1])
    command.upgrade(config, "head")

    assert is_complete(database)
    command.downgrade(config, "base")
    engine = create_engine(database)
    assert not SQLLedger(engine).exists()
    engine.dispose()


def test_a_generated_migration_is_complete_with_the_statements_that_alembic_does_not_see(
    config: Config, database: str, tmp_path: Path
) -> None:
    command.revision(config, "ledger", autogenerate=True)
    (script,) = (tmp_path / "migrations" / "versions").glob("*.py")
    text = script.read_text()
    lines = (
        '    tables = Tables(prefix="loyalty_")\n'
        "    for statement in tables.statements(op.get_bind().dialect.name):\n"
        '        op.execute(sa.DDL(statement.replace("%", "%%")))\n'
    )
    upgrade, downgrade = text.split("\ndef downgrade()")
    script.write_text(
        f"{upgrade}{lines}\ndef downgrade(){downgrade}".replace(
            "import sqlalchemy as sa\n", "import sqlalchemy as sa\nfrom loyalty_rules.ledger.sql import Tables\n"
        )
    )
    command.upgrade(config, "head")

    assert is_complete(database)


def test_without_these_statements_the_missing_triggers_are_reported(config: Config, database: str) -> None:
    command.revision(config, "ledger", autogenerate=True)
    command.upgrade(config, "head")
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.exec_driver_sql(Tables().edition_statement())
    found = SQLLedger(engine).check_invariants()
    engine.dispose()

    assert len(found) == len(Tables().log)
    assert all("can be changed" in each for each in found)
