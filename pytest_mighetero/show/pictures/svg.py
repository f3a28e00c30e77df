"""A drawing of shapes and texts, in SVG, safe to put into any page.

Colours are attributes, which pages may have whose policy forbids styles (Jenkins'
default); a style beside them turns the tones dark where a reader wants that. Whatever
text is drawn is shown: markup, control characters, and what no XML may hold.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pytest_mighetero.terms.printable import printable, printable_line

Anchor = Literal["start", "middle", "end"]
# What XML 1.0 has no way to say, and a terminal shows: noncharacters.
_UNSAYABLE = re.compile("[\ufffe\uffff]")
FONT = "DejaVu Sans, Verdana, sans-serif"

# Tone: in light, in dark. The hues are Okabe and Ito's (2008), told apart by the
# colour-blind; they differ in lightness, too, which tells them apart in grey.
TONES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "paper": ("#ffffff", "#16191d"),
        "ink": ("#1b1f24", "#e6e8eb"),
        "faint": ("#626a73", "#9aa3ad"),
        "rule": ("#d5d9de", "#3a4149"),
        "main": ("#005f99", "#56b4e9"),
        "background": ("#8ab6cf", "#47677a"),
        "band": ("#f6e3b5", "#4d4020"),
        "bad": ("#c1272d", "#ff7b72"),
        "good": ("#00775b", "#2fbf97"),
        "mark": ("#b35900", "#f0a04b"),
    }
)


class Drawing:
    """A picture *width* by *height* pixels large, shapes in the order of drawing.

    Args:
        title: what a screen reader says of it, and a browser where it is pointed at.
    """

    def __init__(self, width: float, height: float, title: str):
        self.width, self.height = width, height
        self._title = _text(title)
        self._parts: list[str] = []
        self.rect(0, 0, width, height, "paper")

    def rect(  # noqa: PLR0913 - a rectangle has four numbers
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        tone: str,
        *,
        opacity: float = 1.0,
        outline: str = "",
        title: str = "",
    ) -> None:
        """Draw a rectangle; *tone* is one of ``TONES``, or a colour like ``#c1272d``.

        Where *outline* names a tone it has an edge of it; where there is a *title* it
        is shown when the rectangle is pointed at.
        """
        clear = "" if opacity == 1 else f' opacity="{opacity:g}"'
        self._add(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" '
            f'height="{_n(max(height, 0))}"{_paint(tone, outline)}{clear}',
            "rect",
            title,
        )

    def line(  # noqa: PLR0913 - a line has four numbers
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        tone: str,
        *,
        width: float = 1.0,
        dash: str = "",
        title: str = "",
    ) -> None:
        """Draw a line; a *dash* of ``"4 3"`` is 4 pixels drawn and 3 left out."""
        self.path([(x1, y1), (x2, y2)], tone, width=width, dash=dash, title=title)

    def path(
        self,
        points: list[tuple[float, float]],
        tone: str,
        *,
        width: float = 1.0,
        dash: str = "",
        title: str = "",
    ) -> None:
        """Draw a line through *points*."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        drawn = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._add(
            f'<polyline points="{drawn}"{_paint("none", tone, width)}{dashed}',
            "polyline",
            title,
        )

    def text(  # noqa: PLR0913 - a text has a place, a look and a meaning
        self,
        x: float,
        y: float,
        text: str,
        tone: str = "ink",
        *,
        size: float = 12,
        anchor: Anchor = "start",
        bold: bool = False,
        turned: float = 0,
        title: str = "",
    ) -> None:
        """Draw *text* on the line *y*, *size* pixels high, *turned* by degrees."""
        weight = ' font-weight="bold"' if bold else ""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        turn = f' transform="rotate({_n(turned)} {_n(x)} {_n(y)})"' if turned else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}"{_paint(tone)}'
            f"{weight}{place}{turn}>{_titled(title)}{_text(text)}</text>"
        )

    def svg(self, *, alone: bool = True) -> str:
        """Return the picture: as a file of its own, or for a page with ``STYLE``."""
        head = '<?xml version="1.0" encoding="UTF-8"?>\n' if alone else ""
        style = f"<style>{STYLE}</style>" if alone else ""
        size = f'viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        return (
            f'{head}<svg xmlns="http://www.w3.org/2000/svg" width="{_n(self.width)}" '
            f'height="{_n(self.height)}" {size} role="img" '
            f'font-family="{FONT}"><title>{self._title}</title>{style}'
            f"{''.join(self._parts)}</svg>\n"
        )

    def _add(self, begun: str, name: str, title: str) -> None:
        end = f">{_titled(title)}</{name}>" if title else "/>"
        self._parts.append(begun + end)


def write_svg(path: Path, drawing: Drawing) -> None:
    """Write a picture as a file of its own, which is complete whenever it is there.

    Raises:
        OSError: it cannot be written; an earlier picture is still there.
    """
    beside = path.with_name(f"{path.name}.partial")
    try:
        beside.write_text(drawing.svg(), encoding="utf-8")
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise


def clipped(text: str, width: float, size: float = 12) -> str:
    """Return *text*, shortened to about *width* pixels of letters *size* high."""
    shown, most = printable_line(text), max(int(width / (0.6 * size)), 1)
    return shown if len(shown) <= most else f"{shown[: most - 1]}\u2026"


def _dark() -> str:
    rules = (
        f".f-{tone}{{fill:{dark}}}.s-{tone}{{stroke:{dark}}}"
        for tone, (_, dark) in TONES.items()
    )
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


# What a page needs in which drawings stand that are not alone.
STYLE = _dark()


def _paint(fill: str, stroke: str = "", width: float = 1.0) -> str:
    """Return the attributes of a shape; fill and stroke are tones or colours."""
    said, classes = "", []
    for name, colour in (("fill", fill), ("stroke", stroke)):
        if colour in TONES:
            classes.append(f"{name[0]}-{colour}")
        if colour:
            said += f' {name}="{html.escape(TONES.get(colour, (colour,))[0])}"'
    if width != 1:
        said += f' stroke-width="{_n(width)}"'
    return said + (f' class="{" ".join(classes)}"' if classes else "")


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _titled(text: str) -> str:
    return f"<title>{_text(text)}</title>" if text else ""


def _text(text: str) -> str:
    said = _UNSAYABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))
    return html.escape(said, quote=False)
