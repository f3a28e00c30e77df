"""Colours that say how far a ratio is from 1.0, and to which side. Pure.

From a light grey at 1.0 to brown for more and to blue for less: hues that the
colour-blind tell apart. Both sides get darker alike, in even steps for the eye, since
they are mixed in Oklab (B. Ottosson, 2020, bottosson.github.io/posts/oklab).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# Lightness at 1.0 and at the ends: a dark letter is legible on all of them.
_LIGHTEST, _DARKEST = 0.95, 0.64
_CHROMA = 0.135
_MORE, _LESS = math.radians(55), math.radians(245)
MOST = 2.0  # a ratio beyond it has the same colour: others would look all alike
_LEAST = 1.1  # the scale of ratios that hardly differ: noise has no strong colours


@dataclass(frozen=True)
class Diverging:
    """A scale from ``1 / end`` through 1.0 to *end*, even in how often, not how much.

    Attributes:
        end: the ratio that has the darkest colour, as has whatever is beyond.
    """

    end: float

    @classmethod
    def over(cls, ratios: list[float]) -> Diverging:
        """Return the scale that shows *ratios*, all above 0: 1.0 is in its middle."""
        apart = (max(each, 1 / each) for each in ratios)
        return cls(min(max([_LEAST, *apart]), MOST))

    def colour(self, ratio: float) -> str:
        """Return the colour of a *ratio* above 0, like ``#c1272d``."""
        place = math.log(ratio) / math.log(self.end)
        share = min(abs(place), 1.0)
        lightness = _LIGHTEST - (_LIGHTEST - _DARKEST) * share
        hue, chroma = _MORE if place > 0 else _LESS, _CHROMA * share
        return _hex(lightness, chroma * math.cos(hue), chroma * math.sin(hue))


def _hex(lightness: float, a: float, b: float) -> str:
    """Return a colour of Oklab in sRGB."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{_byte(each):02x}" for each in linear)


def _byte(linear: float) -> int:
    """Return a channel as sRGB (IEC 61966-2-1) codes it."""
    light = min(max(linear, 0.0), 1.0)
    low = light <= 0.0031308
    return round(255 * (12.92 * light if low else 1.055 * light ** (1 / 2.4) - 0.055))
