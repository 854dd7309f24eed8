"""The subcommands, one module each: `add_parser` declares the arguments, a function of the module's name runs."""

import argparse
from typing import TYPE_CHECKING, TypeAlias

__all__ = ["Subparsers"]

if TYPE_CHECKING:
    Subparsers: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = object  # argparse gives its class no public name
