"""How fast this library is, as ratios to others within one run: `uv run --group bench python tests/benchmarks`.

Prints Markdown. Names of parts may be given to run only those. Absolute numbers mean nothing on another machine.
"""

from __future__ import annotations

import sys

import baskets
import evaluations
import growth
import loading
import running
import steps

PARTS = {
    "evaluations": evaluations.report,
    "steps": steps.report,
    "loading": loading.report,
    "baskets": baskets.report,
    "running": running.report,
    "growth": growth.report,
}
BY_NAME_ONLY = ("growth",)  # it takes minutes


def main(chosen: list[str]) -> None:
    for name in chosen or [each for each in PARTS if each not in BY_NAME_ONLY]:
        print(f"### {name}\n\n{PARTS[name]()}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
