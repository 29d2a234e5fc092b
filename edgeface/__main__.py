"""`python -m edgeface`."""

from .cli import entry

if __name__ == "__main__":
    entry()
