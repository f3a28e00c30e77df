from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from itertools import product

import pytest

from pytest_mighetero.records.comparison.matrix import Cell, Matrix
from pytest_mighetero.show.pictures.diverging import Diverging
from pytest_mighetero.show.pictures.heat_map import heat_map
from pytest_mighetero.show.pictures.svg import TONES

HOSTILE = "</svg><script>x</script>\x1b[31m\x00\u202e\ufffe\ud800&\"'_server"
ABOUT = {
    "GPU": "NVIDIA A100",
    "profile": "1g.10gb",
    "driver": "550.54",
    "suite": "v2.1",
}


def _matrix(*cells: Cell, limit: float | None = None) -> Matrix:
    victims = tuple(dict.fromkeys(each.victim for each in cells))
    aggressors = tuple(dict.fromkeys(each.aggressor for each in cells))
    return Matrix(ABOUT, victims, aggressors, cells, limit)


def _shapes(matrix: Matrix, name: str) -> list[ET.Element]:
    root = ET.fromstring(heat_map(matrix).svg(alone=False).encode())
    return [each for each in root if each.tag.endswith(name)]


def _texts(matrix: Matrix) -> list[str]:
    return [list(each.itertext())[-1] for each in _shapes(matrix, "text")]


def _box(matrix: Matrix, start: str) -> ET.Element:
    """Return the rectangle of the cell whose title starts like that."""
    said = (each for each in _shapes(matrix, "rect") if len(each))
    return next(each for each in said if str(each[0].text).startswith(start))


def _channels(colour: str) -> list[float]:
    return [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
        for each in _channels(colour)
    ]
    return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("worst", [1.0, 1.02, 1.3, 40.0])
def test_one_is_neutral_and_both_sides_get_darker_with_every_step(worst: float) -> None:
    scale = Diverging.over([0.99, worst])  # hardly anything is faster
    neutral = _channels(scale.colour(1.0))
    assert max(neutral) - min(neutral) < 0.01
    steps = [scale.end ** (n / 12) for n in range(13)]
    for side in (steps, [1 / each for each in steps]):
        light = [_luminance(scale.colour(each)) for each in side]
        assert light == sorted(light, reverse=True)
        assert len(set(light)) == len(light)
    more, less = (_channels(scale.colour(each)) for each in (scale.end, 1 / scale.end))
    assert more[0] > more[2] + 0.2  # towards brown
    assert less[2] > less[0] + 0.2  # towards blue


def test_what_lies_beyond_the_scale_has_the_colour_of_its_end() -> None:
    scale = Diverging.over([1e200, 1e-200])
    assert scale.colour(1e200) == scale.colour(scale.end)
    assert scale.colour(1e-200) == scale.colour(1 / scale.end)


def test_a_number_can_be_read_on_every_cell_in_light_and_dark() -> None:
    ratios = [0.4 + n / 25 for n in range(60)]
    matrix = _matrix(*(Cell("v", f"a{n}", slowdown=x) for n, x in enumerate(ratios)))
    numbers = [x for x in _shapes(matrix, "text") if x.get("fill") not in _tones()]
    cells = [x for x in _shapes(matrix, "rect") if x.get("fill") not in _tones()]
    inks = {str(each.get("fill")) for each in numbers}
    assert len(numbers) >= len(ratios) <= len(cells)
    for ink, cell in product(inks, cells):
        assert _contrast(ink, str(cell.get("fill"))) >= 4.5
    # A tone has a class, by which dark changes it; these stay as they are.
    assert not [each for each in [*numbers, *cells] if each.get("class")]


def _tones() -> set[str]:
    return {light for light, _ in TONES.values()}


@pytest.mark.parametrize("tone", ["ink", "faint", "bad"])
@pytest.mark.parametrize("dark", [0, 1])
def test_whatever_else_is_said_can_be_read_on_paper(tone: str, dark: int) -> None:
    assert _contrast(TONES[tone][dark], TONES["paper"][dark]) >= 4.5


def test_in_grey_the_numbers_and_marks_say_it_all() -> None:
    matrix = _matrix(
        Cell("a", "a", 3, 100, 93, "samples/s", 1.0753, noise=False),
        Cell("a", "b", 3, 100, 105, "samples/s", 0.9524, noise=False),
        Cell("b", "a", 3, 100, 99, "samples/s", 1.0101, noise=True),
        Cell("b", "b", 3, 100, 50, "samples/s", 2.0, failed=True),
        limit=1.1,
    )
    texts = _texts(matrix)
    for number, mark in (
        *(("1.08", "\u25b2"), ("0.95", "\u25bc")),
        *(("1.01", "\u2248"), ("2.00", "\u25b2?")),
    ):
        assert texts[texts.index(number) + 1] == mark
    assert "100 samples/s" in texts
    assert "fails: worse than 1.1" in texts
    assert sum("GPU NVIDIA A100" in text for text in texts) == 1
    outlines = [x for x in _shapes(matrix, "polyline") if "s-bad" in x.get("class", "")]
    assert len(outlines) == 2  # the cell's, and the legend's
    said = str(_box(matrix, "b beside b on 3 devices")[0].text)
    assert said.endswith("slow-down 2, of single runs, more than was allowed")


def test_a_cell_without_a_figure_says_why() -> None:
    matrix = _matrix(
        Cell("a", "a", 1, 100, unit="ms", problem="bert exited with code 2"),
        Cell("a", "b", slowdown=math.nan),
        Cell("b", "b", slowdown=-1.0),
    )
    assert _texts(matrix).count("\u2013") == 4
    assert "on 1 device: no figure, bert" in str(_box(matrix, "a beside a")[0].text)
    assert "reason that is not known" in str(_box(matrix, "a beside b")[0].text)
    assert "no figure, it was not run" in str(_box(matrix, "b beside a")[0].text)


def test_figures_of_any_kind_are_drawn() -> None:
    strange = (math.inf, -math.inf, math.nan, 0.0, 1e300, 5e-324, -2.0)
    for value in strange:
        matrix = _matrix(
            Cell("a", "b", -3, value, value, "ms", value, True), limit=value
        )
        assert _shapes(matrix, "text")


def test_rows_are_victims_and_columns_aggressors() -> None:
    matrix = _matrix(
        *(Cell(victim, by, slowdown=1.5) for victim, by in product("pq", "xyz"))
    )
    boxes = {
        (victim, by): _box(matrix, f"{victim} beside {by}")
        for victim, by in product("pq", "xyz")
    }
    x, y = (
        {key: float(str(box.get(name))) for key, box in boxes.items()} for name in "xy"
    )
    assert x["p", "x"] == x["q", "x"] < x["p", "y"] < x["p", "z"]
    assert y["p", "x"] == y["p", "z"] < y["q", "x"]


def test_names_of_any_kind_are_shown_as_text() -> None:
    matrix = Matrix(
        {"GPU": HOSTILE},
        (HOSTILE,),
        (HOSTILE,),
        (Cell(HOSTILE, HOSTILE, unit=HOSTILE, alone=1.0, problem=HOSTILE),),
    )
    svg = heat_map(matrix).svg()
    root = ET.fromstring(svg.encode())
    assert not [each for each in root.iter() if each.tag.endswith("script")]
    assert not {"\x1b", "\x00", "\u202e", "\ufffe", "\ud800"} & set(svg)
    assert "\\x1b[31m" in str(root[0].text)


def test_a_matrix_without_cells_says_so() -> None:
    for matrix in (Matrix({}, (), (), ()), Matrix(ABOUT, ("a",), (), ())):
        assert "There is nothing to show: no pair was run." in _texts(matrix)


@pytest.mark.parametrize("count", [3, 12])
def test_all_of_it_is_inside_of_800_pixels(count: int) -> None:
    names = [f"stable-diffusion-xl_{n}_offline" for n in range(count)]
    matrix = _matrix(*(Cell(v, a, slowdown=1.2) for v, a in product(names, names)))
    picture = heat_map(matrix)
    assert picture.width == 800
    for text in _shapes(matrix, "text"):
        size, x, y = (float(str(text.get(name))) for name in ("font-size", "x", "y"))
        wide = 0.6 * size * len(list(text.itertext())[-1])
        turned = math.sqrt(0.5) if text.get("transform") else 1
        shift = {"middle": 0.5, "end": 1.0}.get(text.get("text-anchor", ""), 0.0)
        assert size >= 9
        assert x - shift * wide >= 0
        assert x + (1 - shift) * wide * turned <= 800
        assert y - (turned < 1) * wide * turned > 0
        assert y < picture.height
