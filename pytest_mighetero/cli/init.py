"""``mighetero init``: a folder to run in, and a job that does so every night."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from pytest_mighetero.cli.pytest_config import pytest_config
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.library import SUITES, load_suite
from pytest_mighetero.spec.options import BY_KEY
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.printable import printable

NAME = "init"
HELP = "write a folder to run in: test, ini file, suite, CI job"
DESCRIPTION = """\
Write what a site needs to run its own tests into FOLDER (here): a test of two lines, a
pytest.ini, a suite that extends another, and, with --ci, a job for that system, where
the repository that FOLDER is in has its jobs. Comments say what to fill in. What is
there already is kept as it is.

examples:
  mighetero init mig
  mighetero init mig --mig-suite=v5.1 --ci=gitlab
"""
_TEMPLATES = Path(__file__).with_name("starter")
_JOBS = {
    "gitlab": ".gitlab-ci.yml",
    "github": ".github/workflows/heterogeneous.yml",
    "jenkins": "Jenkinsfile",
}
_FIRST = "dlrm_server"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero init``."""
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER")
    parser.add_argument(
        "--mig-suite",
        metavar=BY_KEY["mig_suite"].metavar,
        default="cpu",
        help="what the site's suite extends: that of your harness's round, or cpu, "
        "which needs no GPU (cpu)",
    )
    parser.add_argument("--ci", choices=_JOBS, help="write a job for this system, too")


def run(arguments: argparse.Namespace) -> int:
    """Write the files that are not there."""
    suite = load_suite(arguments.mig_suite, Path.cwd(), device_kinds())
    folder = Path(os.path.abspath(arguments.folder))  # noqa: PTH100 - links as called
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for line in _written(folder, suite, arguments.ci):
            print(printable(line))
    except OSError as error:
        where = error.filename or folder
        raise ConfigError(
            f"{where} cannot be written: {error.strerror}; name a folder that you may "
            f"write to"
        ) from error
    return 0


def _written(folder: Path, suite: Suite, ci: str | None) -> Iterator[str]:
    """Write each file, and say what became of it, and what comes next."""
    root = _repository(folder)
    inside = str(folder.relative_to(root))
    job = root / _JOBS[ci] if ci else None
    if job and not re.fullmatch(r"[\w./+-]+", inside, re.ASCII):
        raise ConfigError(
            f"--ci: a job cannot name {inside!r} as it is; expected a folder of "
            f"letters, digits and _./+-"
        )
    builtin = suite.file.parent == SUITES
    filled = {
        "suite": json.dumps(suite.name if builtin else str(suite.file.resolve())),
        "extras": "cpu,report" if suite.devices == "cpu" else "report",
        "folder": "" if inside == "." else f" {inside}",
    }
    advice = _to_add(folder)  # first: pytest may refuse what is there
    yield _write(folder / "test_heterogeneous.py", filled)
    yield _write(folder / "site.toml", filled)
    yield advice or _write(folder / "pytest.ini", filled)
    if ci and job:
        job.parent.mkdir(parents=True, exist_ok=True)
        yield _write(job, filled, f"{ci}.in")
    pairs = [str(pair) for pair in suite.pairs()]
    chosen = _FIRST if _FIRST in pairs else pairs[0]
    here = "" if folder == Path.cwd() else f"cd {shlex.quote(str(folder))}; "
    yield "\nFill in what their comments name, then look, and run:\n"
    yield f"    {here}mighetero doctor"
    yield f"    pytest -k {chosen}"


def _write(path: Path, filled: dict[str, str], template: str = "") -> str:
    """Write *path* if nothing is called so; never anything that is there."""
    text = (_TEMPLATES / (template or f"{path.name}.in")).read_text(encoding="utf-8")
    for name, value in filled.items():
        text = text.replace(f"{{{name}}}", value)
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return f"kept   {path}, which was there"
    try:
        with file:
            file.write(text)
    except OSError:
        path.unlink()  # half of it would be kept the next time
        raise
    return f"wrote  {path}"


def _to_add(folder: Path) -> str | None:
    """Say what to add to the file that configures pytest in *folder*, if one does.

    pytest reads one file alone: a pytest.ini would take the other's place.
    """
    import tomlkit

    config = pytest_config([str(folder)])
    file = config.inipath
    if file is None or not file.parent.samefile(folder):
        return None
    if config.getini("mig_suite") is not None:
        return f"kept   {file}, which names a suite"
    value, table = "site.toml", "[pytest]"
    if file.name == "setup.cfg":
        table = "[tool:pytest]"
    if file.suffix == ".toml":
        value = '"site.toml"'
    if file.name == "pyproject.toml":
        told = tomlkit.parse(file.read_text(encoding="utf-8")).get("tool", {})
        if "pytest" not in told:
            return None
        ini = "ini_options" in told["pytest"]
        table = "[tool.pytest.ini_options]" if ini else "[tool.pytest]"
    return (
        f"kept   {file}, which configures pytest; add to its {table}:\n"
        f"           mig_suite = {value}"
    )


def _repository(folder: Path) -> Path:
    """Return the root of the repository that *folder* is in; itself if in none."""
    return next((p for p in (folder, *folder.parents) if (p / ".git").exists()), folder)
