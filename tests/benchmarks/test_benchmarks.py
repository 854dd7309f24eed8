"""The contestants do the same work: hand-written code has the intents of the library at each size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """
import evaluations, workload
size = int({size!r})
evaluations.contestants(size, workload.sales_of(size, 30), with_peers=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", ["1", "10", "100", "1000", "-10"])
def test_the_hand_written_code_returns_the_intents_of_the_library(size: str) -> None:
    subprocess.run([sys.executable, "-c", CHECK.format(size=size)], cwd=Path(__file__).parent, check=True)
