"""`python -m loyalty_rules`: the command `loyalty-rules`."""

import sys

from loyalty_rules.cli import main

if __name__ == "__main__":
    sys.exit(main())
