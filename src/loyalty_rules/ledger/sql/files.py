"""New files of SQLite, which nobody but their user may read: a ledger has addresses of customers in it."""

import contextlib
import os

from sqlalchemy import make_url

__all__ = ["create_private_file"]


def create_private_file(url: str) -> None:
    """Create the file of a URL of SQLite, with mode 0600, unless it exists; SQLite gives its WAL the same mode.

    A URL without a file, or with a file name that is itself a URI, is left to the driver, as is a missing folder.
    """
    database = make_url(url)
    name = database.database
    if database.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return
    with contextlib.suppress(OSError):
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
