"""The subcommands, one module each: `add_parser` declares the arguments, a function of the module's name runs."""
