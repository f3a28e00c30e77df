"""pytest-html's report has the timeline of each run in the test's row."""

from __future__ import annotations

import base64
import html
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import Lab

SELF = "--self-contained-html"
HOSTILE = "\x1b[31m</svg></script><script>x</script>&\u202e"


def rows(page: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the extras of each test, as pytest-html keeps them for its script."""
    found = re.search(r'data-jsonblob="([^"]*)"', page.read_text())
    assert found is not None
    tests = json.loads(html.unescape(found[1]))["tests"]
    return {name: each[-1]["extras"] for name, each in tests.items()}


def picture(extra: dict[str, Any], folder: Path) -> bytes:
    """Return the SVG that a row shows: a file beside the page, or in it."""
    content = str(extra["content"])
    if content.startswith("data:image/svg+xml;base64,"):
        return base64.b64decode(content.partition(",")[2])
    return (folder / content).read_bytes()


@pytest.mark.parametrize("how", [[], [SELF], ["-n2"], ["-n2", SELF]], ids=" ".join)
def test_each_row_has_its_timeline(lab: Lab, how: list[str]) -> None:
    lab.fake(dlrm={"marker": HOSTILE, "die": ["marker", 3]})
    report = lab.run_with("html", "--html=page.html", *how, k="dlrm")
    report.result.assert_outcomes(failed=2)
    found = rows(lab.folder / "page.html")
    assert len(found) == 2
    for test, extras in found.items():
        (extra,) = extras
        root = ET.fromstring(picture(extra, lab.folder))
        assert test.partition("[")[2] in "".join(root.itertext())
        assert not [each for each in root.iter() if each.tag.endswith("script")]


def columns(page: Path) -> dict[str, dict[str, str]]:
    """Return what each test's row says under each heading."""
    text = page.read_text()
    head = re.search(r"<thead id=\"results-table-head\">(.*?)</thead>", text, re.DOTALL)
    assert head is not None
    headings = re.findall(r"<th[^>]*>(.*?)</th>", head[1])
    blob = re.search(r'data-jsonblob="([^"]*)"', text)
    assert blob is not None
    tests = json.loads(html.unescape(blob[1]))["tests"]
    return {
        name: dict(
            zip(
                headings,
                (
                    html.unescape(re.sub("<[^>]*>", "", cell))
                    for cell in each[-1]["resultsTableRow"]
                ),
                strict=True,
            )
        )
        for name, each in tests.items()
    }


@pytest.mark.parametrize("how", [[], ["-n2"]], ids=["alone", "workers"])
def test_each_row_has_what_its_run_came_to(lab: Lab, how: list[str]) -> None:
    lab.fake(bert={"validity": "INVALID"})
    lab.pytester.makepyfile(test_other="def test_other(): pass")
    where = f"--html={lab.folder / 'page.html'}"
    report = lab.run_with("html", where, *how, k="server or other")
    report.result.assert_outcomes(passed=2, failed=1)
    found = columns(lab.folder / "page.html")
    runs = {name.partition("[")[2].rstrip("]"): each for name, each in found.items()}
    for name, valid in (("dlrm_server", "VALID"), ("bert_server", "INVALID")):
        assert runs[name]["value"] == "393.02 samples/s"
        assert runs[name]["p99"] == "14.24 ms"
        assert runs[name]["valid"] == valid
    assert float(runs["dlrm_server"]["margin s"]) > 0
    other = runs[""]
    assert [other[x] for x in ("value", "p99", "valid", "margin s")] == [""] * 4


def test_a_page_without_runs_has_no_such_columns(lab: Lab) -> None:
    (lab.folder / "test_run.py").unlink()
    lab.pytester.makepyfile(test_other="def test_other(): pass")
    off = [x for name in ("cacheprovider", "flaky") for x in ("-p", f"no:{name}")]
    report = lab.apart("--html=page.html", *off)
    report.result.assert_outcomes(passed=1)
    (row,) = columns(lab.folder / "page.html").values()
    assert "value" not in row
