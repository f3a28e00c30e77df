"""``mighetero init``: a folder to run in, and a job that does so every night."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero import __version__
from pytest_mighetero.cli.argument import named_path
from pytest_mighetero.cli.ci_job import PLACES, ci_job, repository
from pytest_mighetero.cli.doctor.finding import nearest_folder
from pytest_mighetero.cli.ini_file import IniFile, ini_file
from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.lineage import is_built_in
from pytest_mighetero.spec.names import PATH
from pytest_mighetero.spec.options import BY_KEY
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.pair import Pair
from pytest_mighetero.terms.printable import printable

NAME = "init"
HELP = "write a folder to run in: test, ini file, suite, CI job"
DESCRIPTION = """\
Write what a site needs to run its own tests into FOLDER (here): a test of two lines, a
pytest.ini, a suite that extends another, and, with --ci, a job for that system, where
the repository that FOLDER is in has its jobs. Comments say what to fill in. What is
there already is kept as it is; a job that finds its place taken is written elsewhere,
and what to tell its system is printed.

examples:
  mighetero init mig
  mighetero init mig --mig-suite=v5.1 --ci=gitlab
"""
_TEMPLATES = Path(__file__).with_name("starter")
_TEST_AND_SUITE = ("test_heterogeneous.py", "site.toml")
_FIRST = "dlrm_server"
_ELSEWHERE = "name a folder that you may write to"


@dataclass(frozen=True)
class _File:
    """One to be written, or kept if anything is called so."""

    path: Path
    template: str
    advice: str = ""
    remedy: str = _ELSEWHERE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mighetero init``."""
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", type=named_path
    )
    parser.add_argument(
        "--mig-suite",
        metavar=BY_KEY["mig_suite"].metavar,
        help="what the site's suite extends: that of your harness's round, or cpu, "
        "which needs no GPU (cpu)",
    )
    parser.add_argument("--ci", choices=PLACES, help="write a job for this system, too")


def run(arguments: argparse.Namespace) -> int:
    """Write the files that are not there."""
    folder = Path(os.path.abspath(arguments.folder))  # noqa: PTH100 - links as called
    files = [_File(folder / each, f"{each}.in") for each in _TEST_AND_SUITE]
    _check_places(files)  # before anything else that is there is looked at
    job = ci_job(arguments.ci, folder) if arguments.ci else None
    ini = ini_file(folder)
    name = arguments.mig_suite
    asked = _loaded(name, Path.cwd()) if name is not None else None
    kept = _kept(folder, ini)
    suite = kept or asked or _loaded("cpu", folder)
    filled = {
        **_examples(asked or suite),
        "suite": _extended(asked or suite, folder),
        "extras": "cpu,report" if suite.devices == "cpu" else "report",
        "version": __version__,
        "folder": job.folder if job else "",
        "name": job.name if job else "",
    }
    if ini is None:
        files.append(_File(folder / "pytest.ini", "pytest.ini.in"))
    if job:
        remedy = f"leave out --ci, or {_ELSEWHERE}"
        files.append(_File(job.path, f"{arguments.ci}.in", job.advice, remedy))
    _check_places(files)
    new = not os.path.lexists(folder / "site.toml")
    said, failed = _written(files, filled)
    if failed is None:
        said += _notes(ini, asked, kept, new=new)
        said.append(_next(folder, suite))
    try:
        for line in said:
            print(printable(line))
    finally:
        if failed:
            raise failed
    return 0


def _loaded(name: str, base: Path, said_by: str = "--mig-suite") -> Suite:
    return load_suite(name, base, device_kinds(), said_by)


def _kept(folder: Path, ini: IniFile | None) -> Suite | None:
    """Return the suite that pytest would use with what is in *folder*, if there is one.

    Raises:
        ConfigError: it is none.
    """
    site, named = folder / "site.toml", ini.suite if ini else None
    if ini and named is not None and os.path.normpath(folder / named) != str(site):
        return _loaded(named, folder, f"mig_suite in {ini.path}")
    return _loaded(str(site), folder) if site.exists() else None


def _extended(suite: Suite, folder: Path) -> str:
    """Return what a suite in *folder* extends, as TOML has it.

    In one repository it is the way from here to there, which holds in every checkout.
    """
    if _called(suite) == suite.name:
        return json.dumps(suite.name)
    file, here = suite.file.resolve(), folder.resolve()
    inside = repository(here) == repository(file.parent)
    path = os.path.relpath(file, here) if inside else str(file)
    if expected := PATH(path):
        raise ConfigError(f"--mig-suite: expected {expected}, found {path!r}")
    return json.dumps(path, ensure_ascii=False)


def _called(suite: Suite) -> str:
    return suite.name if is_built_in(suite.file) else str(suite.file)


def _examples(suite: Suite) -> dict[str, str]:
    """Return what a suite that extends *suite* has in its comments, by placeholder."""
    pair = _first(suite)
    default = BY_KEY["main_benchmark_duration"].default
    duration = suite.defaults.get("main-benchmark-duration", default)
    makes = suite.harness is not None and suite.harness.makes
    return {
        "benchmark": f'"{pair.benchmark}"' if "." in pair.benchmark else pair.benchmark,
        "config_ver": suite.benchmarks[pair.benchmark].config_ver or "default",
        "duration": json.dumps(duration),
        "group": next(iter(suite.groups), "all"),
        "harness": _template("harness.in") if makes else "",
        "scenario": pair.scenario,
    }


def _first(suite: Suite) -> Pair:
    """Return the pair to begin with: dlrm_server, else the first in Server."""
    return max(suite.pairs(), key=lambda p: (str(p) == _FIRST, p.scenario == "server"))


def _template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _check_places(files: Sequence[_File]) -> None:
    """Fail where one is not there and cannot be made, before any is."""
    for file in files:
        if os.path.lexists(file.path):
            continue
        near = nearest_folder(file.path.parent)
        if not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
            why = "cannot be written to" if near.is_dir() else "is no folder"
            raise ConfigError(f"{file.path}: {near} {why}; {file.remedy}")


def _written(
    files: Sequence[_File], filled: Mapping[str, str]
) -> tuple[list[str], ConfigError | None]:
    """Write each file; return what became of each, and what ended it."""
    said: list[str] = []
    for file in files:
        try:
            what = _write(file, filled)
        except OSError as error:
            where = error.filename or file.path
            return said, ConfigError(
                f"{where} cannot be written: {error.strerror}; {file.remedy}"
            )
        said.append("; ".join(filter(None, (what, file.advice))))
    return said, None


def _write(file: _File, filled: Mapping[str, str]) -> str:
    """Write *file* if nothing is called so; never anything that is there."""
    names = rf"\{{({'|'.join(filled)})\}}"
    text = re.sub(names, lambda found: filled[found[1]], _template(file.template))
    path = file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        opened = path.open("x", encoding="utf-8")
    except FileExistsError:
        return f"kept   {path}, which was there"
    try:
        with opened:
            opened.write(text)
    except OSError:
        path.unlink()  # half of it would be kept the next time
        raise
    return f"wrote  {path}"


def _notes(
    ini: IniFile | None, asked: Suite | None, kept: Suite | None, *, new: bool
) -> list[str]:
    """Say what of what was there is used instead of what was asked for, or written.

    Args:
        ini: what configures pytest there, if anything did.
        asked: what --mig-suite names.
        kept: what pytest uses.
        new: whether site.toml was not there.
    """
    notes = [ini.advice()] if ini else []
    if ini and kept and new:
        notes.append(
            f"note   the suite here stays {_called(kept)}, which {ini.path} names: to "
            f"use the site.toml just written, say {ini.line} there"
        )
    elif asked and kept and asked.file not in kept.lineage.files:
        notes.append(
            f"note   the suite here stays {_called(kept)}, which does not extend "
            f"{_called(asked)}: --mig-suite is for a site.toml that is not there"
        )
    return notes


def _next(folder: Path, suite: Suite) -> str:
    """Say what comes next."""
    here = "" if folder == Path.cwd() else f"cd {shlex.quote(str(folder))}; "
    return (
        f"\nFill in what their comments name, then look, and run:\n\n"
        f"    {here}mighetero doctor\n"
        f"    pytest -k {_first(suite)}"
    )
