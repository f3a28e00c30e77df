from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from pytest_mighetero.show.pictures.svg import TONES, Drawing, clipped

HOSTILE = "</svg><script>alert(1)</script> \x1b[31mred\x00\u202e\ufffe\ud800 & \"'"


@pytest.mark.parametrize("alone", [True, False])
def test_whatever_is_drawn_is_shown_as_text(alone: bool) -> None:
    drawing = Drawing(200, 100, HOSTILE)
    drawing.rect(1, 2, 3, 4, "main", outline="bad", title=HOSTILE)
    drawing.path([(0, 0), (1.23456, 2)], "ink", width=2, title=HOSTILE)
    drawing.text(5, 6, HOSTILE, title=HOSTILE)
    root = ET.fromstring(drawing.svg(alone=alone).encode())
    said = [text for text in root.itertext() if "svg" in text]
    shown = "</svg><script>alert(1)</script> \\x1b[31mred\\x00\\u202e\\ufffe\\ud800"
    assert [text.partition(" & ")[0] for text in said] == [shown] * 5
    assert not [each for each in root.iter() if each.tag.endswith("script")]


def test_without_styles_every_shape_has_its_colours() -> None:
    drawing = Drawing(10, 10, "")
    for tone in TONES:
        drawing.rect(0, 0, 1, 1, tone, outline=tone)
    shapes = list(ET.fromstring(drawing.svg(alone=False)))[2:]
    colours = [(each.get("fill"), each.get("stroke")) for each in shapes]
    assert colours == [(light, light) for light, _ in TONES.values()]
    assert drawing.svg().count("prefers-color-scheme:dark") == 1


def test_a_long_text_is_shortened_and_one_that_fits_is_not() -> None:
    assert clipped("dlrm_server", 100) == "dlrm_server"
    assert clipped("dlrm\nserver" * 9, 72) == "dlrm\\nser\u2026"
