"""The real plugin, driven through pytester against the tests' own harness."""

from __future__ import annotations

import json
import os
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.spec.runspec import RunSpec, build_spec
from pytest_mighetero.spec.values import Value
from pytest_mighetero.terms.environment import MISLEADING, OUTER_MAKE
from tests.lab.forked import Pytests

FAKE = Path(__file__).parent / "fake_harness"
UUIDS = [f"MIG-00000000-0000-0000-0000-00000000000{i}" for i in range(1, 10)]
# Before pytest 9.1 one that passes, and whose teardown fails, is two in junit's count.
TWICE = pytest.version_tuple < (9, 1)
RUN_TEST = """
def test_heterogeneous(background, main):
    main.run()
"""
# Sorts after the heterogeneous test, and is to run before it.
ISOLATED_TEST = """
import pytest

from pytest_mighetero.spec.runspec import RunSpec, build_spec
from pytest_mighetero.spec.values import Value

@pytest.mark.isolated
def test_isolated(main):
    main.run()
"""

# Plugins that are not used; a later -p turns one on again.
OFF = (
    *("cacheprovider", "rerunfailures", "repeat", "flaky", "html", "allure_pytest"),
    *("pytest_reportlog", "pytest_github_actions_annotate_failures"),
)

# What the tests' own run must not hand on.
OUTER = (
    *("FAKE_HARNESS", "CI", "BUILD_NUMBER"),
    *OUTER_MAKE,
    *MISLEADING,
    "PYTEST_ADDOPTS",
    "PYTEST_XDIST_WORKER",
    "PYTEST_XDIST_WORKER_COUNT",
)


def ini_of(junit_family: str = "xunit1") -> list[str]:
    family = f"junit_family = {junit_family}"
    return ["[pytest]", family, "junit_logging = system-out"]


def arguments_of(devices: int) -> list[str]:
    listed = [f"--mig-devices={','.join(UUIDS[:devices])}"] if devices else []
    return [*listed, "--junitxml=report.xml", "--mig-lease-dir=leases", *without()]


def without() -> list[str]:
    """Return what leaves the plugins out that few tests are about."""
    return [word for name in OFF for word in ("-p", f"no:{name}")]


def config_of(folder: Path, **said: str) -> RunSpec:
    """Return the settings of a run in *folder*, by option."""
    said = {"mig_suite": str(FAKE / "fake.toml"), **said}

    def given(key: str) -> Value | None:
        if (raw := said.get(key)) is None:
            return None
        said_by = f"--{key.replace('_', '-')}"
        return Value(raw, said_by, folder, explicit=True)

    return build_spec(given, folder, folder, device_kinds())


@dataclass(frozen=True)
class Case:
    """One testcase element of a junit file, as a dashboard reads it."""

    name: str
    properties: dict[str, str]
    problems: dict[str, str]
    system_out: str


@dataclass(frozen=True)
class Files:
    """What one pytest run wrote."""

    folder: Path

    @property
    def junit(self) -> list[Case]:
        root = ET.parse(self.folder / "report.xml").getroot()
        return [
            Case(
                case.get("name", ""),
                {p.get("name", ""): p.get("value", "") for p in case.iter("property")},
                {
                    problem.tag: f"{problem.get('message')}\n{problem.text}"
                    for problem in case
                    if problem.tag in {"failure", "error", "skipped"}
                },
                "".join(out.text or "" for out in case.iter("system-out")),
            )
            for case in root.iter("testcase")
        ]

    @property
    def case(self) -> Case:
        (case,) = self.junit
        return case

    @property
    def records(self) -> list[dict[str, Any]]:
        """Return every run's record, in order."""
        found = sorted(self.folder.glob("results/*/record.json"))
        return [json.loads(path.read_text()) for path in found]

    @property
    def record(self) -> dict[str, Any]:
        (path,) = self.folder.glob("results/*/record.json")
        record: dict[str, Any] = json.loads(path.read_text())
        return record

    def launches(self, role: str = "main") -> list[dict[str, Any]]:
        """Return what the harnesses of *role* were launched with, in launch order."""
        found = self.folder.glob(f"results/**/{role}*/logs/launch.json")
        return sorted(
            (json.loads(path.read_text()) for path in found), key=lambda x: x["at"]
        )

    def run_args(self, role: str = "main") -> list[str]:
        return [str(word) for word in self.launches(role)[0]["argv"][1:]]


@dataclass(frozen=True)
class Report(Files):
    """What one pytest run printed, returned and wrote."""

    result: pytest.RunResult

    @property
    def text(self) -> str:
        return "\n".join(self.result.outlines + self.result.errlines)


class Lab:
    """A folder with a run test, and MIG devices by name."""

    def __init__(
        self,
        pytester: pytest.Pytester,
        monkeypatch: pytest.MonkeyPatch,
        pytests: Pytests,
    ):
        self.pytester, self._monkeypatch = pytester, monkeypatch
        self.pytests = pytests
        self.folder = pytester.path
        self.harness = FAKE
        self.suite = str(FAKE / "fake.toml")
        for name in OUTER:
            monkeypatch.delenv(name, raising=False)
        pytester.makepyfile(test_run=RUN_TEST)
        self.ini()

    def ini(self, *lines: str, junit_family: str = "xunit1") -> None:
        self.pytester.makeini("\n".join([*ini_of(junit_family), *lines]))

    def fake(self, **behaviour: dict[str, Any]) -> None:
        self._monkeypatch.setenv("FAKE_HARNESS", json.dumps(behaviour))

    def isolated(self) -> None:
        """Add the isolated test, beside the heterogeneous one."""
        self.pytester.makepyfile(test_solo=ISOLATED_TEST)

    def unsaid(self, *options: str, **said: str) -> list[str]:
        """Set all by a conftest, late; return what is left to say, and *options*.

        As on a machine with MIG devices, where a suite's own defaults will do: an xdist
        controller learns of no run before its workers have one.
        """
        said = {
            "mig_suite": self.suite,
            "mig_harness_dir": str(self.harness),
            "mig_devices": ",".join(UUIDS[:3]),
            "mig_lease_dir": "leases",
            "background_benchmark_duration": "automatic",
            **said,
        }
        self.pytester.makeconftest(
            f"""
            def pytest_sessionstart(session):
                vars(session.config.option).update({said})
            """
        )
        return ["--junitxml=report.xml", *without(), *options]

    def arguments(self, *options: str, devices: int = 3) -> list[str]:
        use = [f"--mig-suite={self.suite}", f"--mig-harness-dir={self.harness}"]
        return [*use, *arguments_of(devices), *options]

    def run(self, *options: str, k: str = "dlrm_server", devices: int = 3) -> Report:
        """Run pytest on the lab's tests."""
        arguments = self.arguments("-k", k, *options, devices=devices)
        return Report(self.folder, self.pytester.runpytest_inprocess(*arguments))

    def run_with(self, plugin: str, *options: str, k: str = "dlrm_server") -> Report:
        """Run pytest in a process of its own, with a plugin that few tests want."""
        arguments = self.arguments("-k", k)
        at = arguments.index(f"no:{plugin}") - 1
        del arguments[at : at + 2]
        return self.apart(*arguments, *options)

    def run_apart(self, *options: str, k: str = "dlrm_server") -> Report:
        """Run pytest in a process of its own: our own warnings are errors here."""
        return self.apart(*self.arguments("-k", k, *options))

    def apart(self, *arguments: str, libraries: Sequence[Path] = ()) -> Report:
        """Run ``pytest *arguments`` in a process of its own."""
        if not self.pytests.alike(os.environ):
            command = (sys.executable, "-mpytest", *arguments)
            return Report(self.folder, self.pytester.run(*command))
        paths = [self.folder / "stdout", self.folder / "stderr"]
        start = time.monotonic()
        with paths[0].open("w") as stdout, paths[1].open("w") as stderr:
            code = self.pytests.start(
                arguments, self.folder, stdout, stderr, libraries=libraries
            ).wait()
        seconds = time.monotonic() - start
        out, err = (path.read_text(errors="replace").splitlines() for path in paths)
        return Report(self.folder, pytest.RunResult(code, out, err, seconds))
