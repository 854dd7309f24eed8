"""The speed of this library, as ratios to others in one run: `uv run --group bench python tests/benchmarks`.

Prints Markdown. Arguments are the names of the parts to run; the default is all quick ones. Compare ratios only:
absolute times depend on the machine.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import baskets
import evaluations
import forms
import growth
import loading
import running
import steps

PARTS = {
    "evaluations": evaluations.report,
    "steps": steps.report,
    "forms": forms.report,
    "loading": loading.report,
    "baskets": baskets.report,
    "running": running.report,
    "growth": growth.report,
}
BY_NAME_ONLY = ("growth",)  # it takes minutes


def main(chosen: list[str]) -> None:
    """Print one part, or several, each from a process of its own, so that none leaves its objects to the next."""
    if len(chosen) == 1:
        print(f"### {chosen[0]}\n\n{PARTS[chosen[0]]()}\n", flush=True)
        return
    for name in chosen or [each for each in PARTS if each not in BY_NAME_ONLY]:
        subprocess.run([sys.executable, str(Path(__file__).parent), name], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
