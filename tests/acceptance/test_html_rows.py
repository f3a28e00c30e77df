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
    arguments = lab.arguments("-k", "dlrm_server or dlrm_offline")
    at = arguments.index("no:html") - 1
    del arguments[at : at + 2]
    report = lab.apart(*arguments, "--html=page.html", *how)
    report.result.assert_outcomes(failed=2)
    found = rows(lab.folder / "page.html")
    assert len(found) == 2
    for test, extras in found.items():
        (extra,) = extras
        root = ET.fromstring(picture(extra, lab.folder))
        assert test.partition("[")[2] in "".join(root.itertext())
        assert not [each for each in root.iter() if each.tag.endswith("script")]
