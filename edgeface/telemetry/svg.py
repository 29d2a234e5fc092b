"""The few elements of SVG that plots are made of, as text."""

from html import escape
from typing import Iterable, Sequence, Union

Value = Union[str, float]


def element(name: str, content: str = "", **attributes: Value) -> str:
    """An element; numbers get one decimal, and `_` in a name is written `-`."""
    pairs = [f' {key.replace("_", "-")}="{_shown(value)}"' for key, value in attributes.items()]
    return f"<{name}{''.join(pairs)}>{content}</{name}>"


def _shown(value: Value) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.1f}"


def drawing(width: int, height: int, parts: Iterable[str]) -> str:
    """The whole drawing, which a page scales to its width."""
    return element("svg", "".join(parts), viewBox=f"0 0 {width} {height}")


def label(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """A text at the middle, start or end of which is x."""
    return element("text", escape(text), x=x, y=y, text_anchor=anchor)


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A filled rectangle without an outline."""
    return element("rect", x=x, y=y, width=width, height=height, fill=fill)


def level_line(x1: float, x2: float, y: float, colour: str) -> str:
    """A horizontal line."""
    return element("line", x1=x1, x2=x2, y1=y, y2=y, stroke=colour)


def curve(commands: Sequence[str], colour: str) -> str:
    """A line through the points of path commands such as `M10 20`, `L12 18`."""
    return element(
        "path",
        d="".join(commands),
        fill="none",
        stroke=colour,
        stroke_width=1.4,
        stroke_linecap="round",
    )
