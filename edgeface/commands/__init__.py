"""The verbs of the command line.

Each module has `EXAMPLE` (the end of its `--help`), `add_arguments(parser)` and `execute(options)`,
which returns an exit code or None for 0 and raises a `core.errors.EdgefaceError` for a failure.
"""
