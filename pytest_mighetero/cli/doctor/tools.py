"""The harness folder, make and LoadGen, or the program that a suite runs instead."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from shutil import which

from pytest_mighetero.cli.doctor.finding import Finding, unseen
from pytest_mighetero.errors import DeviceError
from pytest_mighetero.run.start import MAKEFILES, check_extra, check_makefile
from pytest_mighetero.spec.folders import PACKAGE
from pytest_mighetero.spec.harness_spec import HarnessSpec
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.template import fill, placeholders
from pytest_mighetero.terms.lookup import found

_MAKE_S, _IMPORT_S = 10.0, 60.0  # that these may take to say what they are
# By each harness of the suite what was found of what it needs.
Looked = Mapping[str, tuple[Finding, ...]]
# Where a Makefile may have targets that it does not name.
_ELSEWHERE = re.compile(r"^ *[-s]?include\b|^[^#\t\n]*%|\$[({]eval\b", re.MULTILINE)
_LOADGEN = "import numpy, mlperf_loadgen; print(numpy.__version__)"


def look(spec: RunSpec) -> Looked:
    """Look at what each harness of the suite needs."""
    folders = dict.fromkeys(spec.harness_dirs.values())
    make = _make() if folders else None
    made = {
        folder: (_folder(spec, folder), make, _loadgen(spec, folder))
        for folder in folders
    }
    return {
        name: tuple(filter(None, made[spec.harness_dirs[name]]))
        if each.makes
        else (_program(name, each), *_lost_folders(spec, name, each))
        for name, each in spec.suite.every_harness.items()
    }


def unable(looked: Looked) -> Mapping[str, str]:
    """Return why a harness cannot be started here, by its name."""
    bad = {
        name: [each.says for each in needed if each.state == "bad"]
        for name, needed in looked.items()
    }
    return {name: says[0] for name, says in bad.items() if says}


def findings(spec: RunSpec, looked: Looked) -> Iterator[Finding]:
    """Yield what there is to say of them; that one of several is bad is a warning."""
    some = len(unable(looked)) < len(looked)
    for each in dict.fromkeys(chain.from_iterable(looked.values())):
        yield replace(each, state="warning") if some and each.state == "bad" else each
    if not spec.harness_dirs:
        yield Finding("make", "unneeded", f"suite {spec.suite.name} runs commands")
    readers = {each.reader for each in spec.suite.every_harness.values()}
    if "loadgen" not in readers:
        yield Finding("LoadGen", "unneeded", f"suite {spec.suite.name} has other tools")


def _folder(spec: RunSpec, folder: Path) -> Finding:
    try:
        check_makefile(spec, folder)
        lacking = _lacking(folder, {spec.action, "run_harness"})
        if _is_ours(folder):
            return Finding("harness", "ok", f"{folder} comes with the package")
        return _submitters(folder, lacking)
    except DeviceError as error:
        return Finding("harness", "bad", str(error))
    except OSError as error:
        return unseen("harness", error.filename or folder, error)


def _submitters(folder: Path, lacking: list[str]) -> Finding:
    """Say whether a submitter's folder, which has a Makefile, is fit for a run."""
    if (left := folder / "audit.config").exists():
        said = f"{left} is there, which LoadGen lets override every setting"
        return Finding("harness", "bad", said, "delete it, unless an audit runs now")
    if not os.access(folder, os.W_OK | os.X_OK):
        said = f"{folder} cannot be written to, and the harness does that"
        return Finding("harness", "bad", said, "run as a user who may")
    if lacking:
        said = f"{folder} has a Makefile that names no target {' or '.join(lacking)}"
        whose = "name the closed/<org> folder of the harness with --mig-harness-dir"
        return Finding("harness", "warning", said, whose)
    return Finding("harness", "ok", f"{folder} has a Makefile")


def _lacking(folder: Path, targets: set[str]) -> list[str]:
    """Return which targets the folder's Makefile cannot have, without running make."""
    path = next(each for name in MAKEFILES if (each := folder / name).is_file())
    text = path.read_text(encoding="utf-8", errors="replace")
    if _ELSEWHERE.search(text):
        return []
    rules = "\n".join(line for line in text.splitlines() if line[:1] not in "#\t")
    return sorted(
        each for each in targets if not re.search(rf"\b{re.escape(each)}\b", rules)
    )


def _program(name: str, harness: HarnessSpec) -> Finding:
    """Say whether a command's program is there; one with placeholders nobody knows."""
    program = harness.command[0]
    called = f"{name}: {program}" if name else program
    path = harness.environment.get("PATH") or os.environ.get("PATH")
    plain = not {"{", "}", "/"} & {*program}
    if plain and which(program, path=path) is None:
        source = harness.needs.get(program, "install it")
        remedy = source if " " in source else f"Debian's package {source} brings it"
        return Finding("harness", "bad", f"{called} is not on PATH", remedy)
    return Finding("harness", "ok", f"{called}")


def _lost_folders(spec: RunSpec, name: str, harness: HarnessSpec) -> Iterator[Finding]:
    """Yield where a command, or its server, would run that is no folder."""
    commands = {("folder",): harness, ("server", "folder"): harness.server}
    for keys, each in commands.items():
        if each is None or {*placeholders(each.folder)} - {"package"}:
            continue
        folder = spec.cwd / fill(each.folder, {"package": PACKAGE})
        place = spec.suite.place_of_harness(name, *keys)
        try:
            if not (found(folder) and folder.is_dir()):
                yield Finding("harness", "bad", f"{place}: {folder} is no folder")
        except OSError as error:
            yield unseen("harness", f"{place}: {folder}", error)


def _make() -> Finding:
    if (path := which("make")) is None:
        brings = "Debian's package make brings it"
        return Finding("make", "bad", "make is not on PATH", brings)
    said = _said([path, "--version"], _MAKE_S)
    if said.startswith("GNU Make"):
        return Finding("make", "ok", f"{said} ({path})")
    return Finding("make", "bad", f"{path} is no GNU make: {said}", "put one before it")


def _loadgen(spec: RunSpec, folder: Path) -> Finding:
    if not _is_ours(folder):
        return _built(folder)
    try:
        check_extra(spec, folder)
    except DeviceError as error:
        return Finding("LoadGen", "bad", str(error))
    said = _said([sys.executable, "-c", _LOADGEN], _IMPORT_S)
    if not said[:1].isdigit():
        again = "pip install --force-reinstall 'pytest-mighetero[cpu]'"
        return Finding("LoadGen", "bad", f"it cannot be imported: {said}", again)
    from importlib import metadata

    version = metadata.version("mlcommons-loadgen")
    return Finding("LoadGen", "ok", f"{version}, with NumPy {said}")


def _built(folder: Path) -> Finding:
    """Say which LoadGen a submitter's tree has: make build fetches its source."""
    for base in (folder, folder.parent):
        source = base / "build" / "inference" / "loadgen"
        try:
            if found(source) and source.is_dir():
                version = ""
                if found(file := source / "VERSION.txt"):
                    version = f" {file.read_text(errors='replace').strip()[:40]}"
                return Finding(
                    "LoadGen", "ok", f"the harness's own{version} ({source})"
                )
        except OSError as error:
            return unseen("LoadGen", error.filename or source, error)
    said = f"none is in {folder / 'build' / 'inference'}"
    remedy = "build the harness as its README says, unless it has one elsewhere"
    return Finding("LoadGen", "warning", said, remedy)


def _is_ours(folder: Path) -> bool:
    return folder.is_relative_to(PACKAGE)


def _said(command: list[str], longest: float) -> str:
    """Return the first line that a program prints, or the last one of its error.

    It may take *longest* seconds; whatever it has started ends with it.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    try:
        process = subprocess.Popen(
            command,
            env=clean,
            errors="replace",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        return str(error)
    with process:
        try:
            out, err = map(str.splitlines, process.communicate(timeout=longest))
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)  # a script's own programs, too
            if isinstance(error, subprocess.TimeoutExpired):
                said = (error.stdout or b"").decode(errors="replace").splitlines()
                return said[0] if said else f"it says nothing in {longest:g} s"
            raise
    if process.returncode or not out:
        return err[-1] if err else f"exit code {process.returncode}"
    return out[0]
