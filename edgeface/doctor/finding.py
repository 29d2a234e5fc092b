"""One line of the doctor's report."""

from typing import TYPE_CHECKING, Callable, Iterable, NamedTuple

if TYPE_CHECKING:  # it needs PyYAML, which may be what is broken
    from ..config import Settings

OK = "ok"
WARN = "warn"
BAD = "bad"


class Finding(NamedTuple):
    """What a check found."""

    check: str
    state: str  # OK, WARN or BAD
    found: str
    fix: str = ""  # what to do; empty where there is nothing to do


Check = Callable[["Settings"], Iterable[Finding]]
