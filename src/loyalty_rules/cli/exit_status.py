"""The exit statuses of the command, the same for every subcommand."""

from typing import Final

__all__ = ["BROKEN_PIPE", "FINDINGS", "INTERRUPTED", "INVALID", "SUCCESS"]

SUCCESS: Final = 0

FINDINGS: Final = 1
"""The command ran to its end and reports problems: malformed lines, findings under `--strict`, a broken law."""

INVALID: Final = 2
"""An argument or a document cannot be used, as argparse ends too; every problem is on standard error."""

INTERRUPTED: Final = 130
"""The status that a shell shows for a command ended by SIGINT."""

BROKEN_PIPE: Final = 141
"""The status that a shell shows for a command ended by SIGPIPE."""
