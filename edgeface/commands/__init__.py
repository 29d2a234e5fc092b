"""The verbs of the command line; each module has EXAMPLE, add_arguments and execute."""
