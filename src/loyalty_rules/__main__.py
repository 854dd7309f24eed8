"""Entry point of `python -m loyalty_rules`, which is the command `loyalty-rules`."""

import sys

from loyalty_rules.cli import main

if __name__ == "__main__":
    sys.exit(main())
