"""Tables in Markdown, printed row by row."""


class Table:
    """Prints its head at once, and a row at a time.

    :param headings: of the columns
    """

    def __init__(self, *headings: str):
        self._columns = len(headings)
        _print_row(headings)
        print("|" + "---|" * self._columns, flush=True)

    def row(self, *cells: str) -> None:
        """Prints a row of as many cells; ValueError otherwise."""
        if len(cells) != self._columns:
            raise ValueError(f"{len(cells)} cells for {self._columns} columns")
        _print_row(cells)


def _print_row(cells) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)
