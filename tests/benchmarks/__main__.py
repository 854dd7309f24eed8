"""How fast this library is, as ratios to others within one run: `uv run --group peers python tests/benchmarks`.

Prints Markdown. Names of parts may be given to run only those. Absolute numbers mean nothing on another machine.
"""

from __future__ import annotations

import sys

import evaluations

PARTS = {"evaluations": evaluations.report}


def main(chosen: list[str]) -> None:
    for name in chosen or list(PARTS):
        print(f"### {name}\n\n{PARTS[name]()}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
