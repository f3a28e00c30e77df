"""Disks that others fill while a run is measured: what it came to is not lost."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.lab.driver import Lab

pytestmark = pytest.mark.skipif(
    not shutil.which("unshare"), reason="no unshare to mount with"
)

# A file system of its own for what pytest writes, looked at before it is gone.
SMALL = """
mkdir results && mount -t tmpfs -o size=4m none results || exit 77
"$@" >output.txt 2>&1; code=$?
cp -r results kept; exit $code
"""

CONFTEST = """
from contextlib import suppress
from pathlib import Path

def fill(name="filled"):
    with open(f"results/{name}", "ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))

def free_reserves():
    for path in Path("results").rglob("*.reserve"):
        path.unlink()
"""


@dataclass(frozen=True)
class Kept:
    """What a pytest run left on the small disk."""

    folder: Path
    code: int

    @property
    def text(self) -> str:
        return (self.folder / "output.txt").read_text()

    @property
    def record(self) -> dict[str, Any]:
        (path,) = self.folder.glob("kept/*/record.json")
        record: dict[str, Any] = json.loads(path.read_text())
        return record

    @property
    def outcomes(self) -> dict[str, str]:
        phases = self.record["phases"].items()
        return {when: phase["outcome"] for when, phase in phases}


def on_a_small_disk(lab: Lab, test: str, *options: str, hooks: str = "") -> Kept:
    """Run pytest on *test*, its results on a disk of 4 MB."""
    lab.pytester.makeconftest(CONFTEST + hooks)
    lab.pytester.makepyfile(test_run=f"from conftest import *\n{test}")
    words = ["unshare", "--mount", "sh", "-c", SMALL, "sh", sys.executable, "-mpytest"]
    done = lab.pytester.run(*words, *lab.arguments("-k", "dlrm_server", *options))
    if not (lab.folder / "kept").exists():
        pytest.skip("no small file system can be mounted here")
    return Kept(lab.folder, int(done.ret))


ALONE = """
def test_it(main):
    main.run()
    fill()
"""


def test_a_disk_that_fills_after_main_does_not_keep_the_verdict_from_the_record(
    lab: Lab,
) -> None:
    kept = on_a_small_disk(lab, ALONE)
    assert kept.code == 0, kept.text
    assert kept.outcomes == {"setup": "passed", "call": "passed", "teardown": "passed"}
    assert kept.record["facts"]["validity"] == "VALID"
    assert not list(kept.folder.glob("kept/*/record.json.*"))


def test_a_failure_is_recorded_on_a_full_disk(lab: Lab) -> None:
    lab.fake(dlrm={"exit": 3})
    hooks = """
def pytest_runtest_makereport(item, call):
    if call.when == "call":
        fill()
"""
    kept = on_a_small_disk(lab, "def test_it(main): main.run()", hooks=hooks)
    assert kept.code == 1
    assert kept.outcomes == {"setup": "passed", "call": "failed", "teardown": "passed"}
    assert "exited with code 2" in kept.record["phases"]["call"]["text"]


def test_a_bad_end_of_a_background_is_recorded_on_a_full_disk(lab: Lab) -> None:
    lab.fake(bert={"exit": 4, "outlasts": 2})
    test = "def test_it(background, main):\n    main.run()\n    fill()"
    kept = on_a_small_disk(lab, test)
    assert kept.code == 1
    assert kept.outcomes == {"setup": "passed", "call": "passed", "teardown": "failed"}
    assert "did not exit with code 0" in kept.record["phases"]["teardown"]["text"]


@pytest.mark.parametrize("moment", ["call", "teardown"])
def test_a_record_without_any_room_fails_the_test_in_one_sentence(
    lab: Lab, moment: str
) -> None:
    hooks = f"""
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    if call.when == "{moment}":
        free_reserves()
        (record,) = Path("results").glob("*/record.json")
        record.write_text('{{"test": "small"}}')
        fill()
"""
    kept = on_a_small_disk(lab, "def test_it(main): main.run()", hooks=hooks)
    assert kept.code == 1, kept.text
    sentence = "record.json, cannot be written: No space left on device; what is there"
    assert sentence in kept.text
    assert "Traceback" not in kept.text


def test_a_record_is_written_over_the_earlier_one_where_only_that_has_room(
    lab: Lab,
) -> None:
    hooks = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    if call.when == "call":
        free_reserves()
        (record,) = Path("results").glob("*/record.json")
        with record.open("a") as file:
            file.write(" " * 50_000)
        fill()
"""
    kept = on_a_small_disk(lab, "def test_it(main): main.run()", hooks=hooks)
    assert kept.code == 0, kept.text
    assert kept.outcomes == {"setup": "passed", "call": "passed", "teardown": "passed"}


@pytest.mark.parametrize("name", ["report.xml", "made/for/it/report.xml"])
def test_the_junit_file_has_room_of_its_own(lab: Lab, name: str) -> None:
    hooks = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish():
    fill()  # the room of the record, too, which has been written
    return (yield)
"""
    kept = on_a_small_disk(lab, ALONE, f"--junitxml=results/{name}", hooks=hooks)
    assert kept.code == 0, kept.text
    assert 'value="VALID"' in (kept.folder / "kept" / name).read_text()
    assert not list(kept.folder.glob("kept/**/*.reserve"))


def test_a_junit_file_without_any_room_fails_the_session_in_one_sentence(
    lab: Lab,
) -> None:
    hooks = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish():
    free_reserves()
    fill()
    return (yield)
"""
    kept = on_a_small_disk(lab, ALONE, "--junitxml=results/report.xml", hooks=hooks)
    assert kept.code == 3, kept.text
    assert "report.xml, cannot be written: No space left on device" in kept.text
    assert "Traceback" not in kept.text
    assert "1 passed" in kept.text
    assert kept.record["facts"]["validity"] == "VALID"


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_room_is_set_aside_on_the_disk_of_the_junit_file(
    lab: Lab, kind: str, request: pytest.FixtureRequest
) -> None:
    (lab.folder / "elsewhere").mkdir()
    if kind == "link":
        (lab.folder / "out.xml").symlink_to("elsewhere/report.xml")
    else:
        os.mkfifo(lab.folder / "out.xml")
        request.addfinalizer(partial(os.close, os.open("out.xml", os.O_RDWR)))
    lab.pytester.makepyfile(
        test_run="""
        from pathlib import Path

        def test_it(main, request):
            main.run()
            found = request.config.rootpath.rglob("*.xml.reserve")
            Path("seen").write_text(" ".join(path.parent.name for path in found))
        """
    )
    assert lab.run("--junitxml=out.xml").result.ret == 0
    assert (lab.folder / "seen").read_text() == {"pipe": "", "link": "elsewhere"}[kind]
