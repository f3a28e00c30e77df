"""From a planned launch to its process."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from pytest_mighetero.errors import ConfigError, DeviceError, HarnessError
from pytest_mighetero.harness.process import HarnessProcess
from pytest_mighetero.plan.launch import Launch
from pytest_mighetero.spec.lineage import is_built_in
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.spec.values import by_default
from pytest_mighetero.terms.lookup import found
from pytest_mighetero.terms.pair import Pair

_EXTRA = ("numpy", "mlperf_loadgen")
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


def made_in(config: RunSpec, pairs: Iterable[Pair]) -> dict[Path, list[Pair]]:
    """Return the folders of the Makefiles that run *pairs*, with those of each."""
    folders: dict[Path, list[Pair]] = {}
    for pair in pairs:
        if (folder := config.harness_dir_of(pair.benchmark)) is not None:
            folders.setdefault(folder, []).append(pair)
    return folders


def check_made(config: RunSpec, pairs: Iterable[Pair]) -> None:
    """Fail where make would find nothing to do for *pairs*, or its harness would not.

    Raises:
        DeviceError: as ``check_makefile`` and ``check_extra``.
    """
    for folder in made_in(config, pairs):
        check_makefile(config, folder)
        check_extra(config, folder)


def check_makefile(config: RunSpec, folder: Path) -> None:
    """Fail where make would find nothing to do.

    Raises:
        DeviceError: the harness *folder* has no Makefile, or cannot be looked into.
    """
    try:
        paths = [folder / name for name in MAKEFILES]
        if any(found(path) and path.is_file() for path in paths):
            return
    except OSError as error:
        problem = (
            f"{folder} cannot be looked into: {error.strerror}; run as a user who may"
        )
    else:
        problem = (
            f"no Makefile in {folder}: expected a closed/<org> folder with a "
            f"{config.action} target; name it with --mig-harness-dir"
        )
    said_by, suite = config.said_by["mig-harness-dir"], config.suite
    if said_by == by_default("mig-harness-dir"):
        mine = next(k for k, each in config.harness_dirs.items() if each == folder)
        keys = ("harnesses", mine, "folder") if mine else ("harness", "folder")
        built_in = is_built_in(suite.lineage.file_of(*keys))
        said_by = "--mig-harness-dir" if built_in else suite.place(*keys)
    raise DeviceError(f"{said_by}: {problem}.")


def check_folders(config: RunSpec, *launches: Launch) -> None:
    """Fail where a command, or its server, would run in a folder that is not there.

    Raises:
        ConfigError: naming the suite's file.
    """
    suite = config.suite
    for launch in launches:
        harness = suite.benchmarks[launch.pair.benchmark].harness
        folders = [(launch.command.cwd, ["folder"])]
        if launch.server is not None:
            folders.append((launch.server.command.cwd, ["server", "folder"]))
        made = (launch.folder.resolve(), launch.log_dir.resolve())
        for folder, keys in folders if harness not in config.harness_dirs else ():
            if folder not in made and not _is_folder(folder):
                raise ConfigError(
                    f"{suite.place_of_harness(harness, *keys)}: {folder} is no "
                    f"folder; expected one that is there, or {{log_dir}}"
                )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:  # whoever is launched in it says so
        return True


def check_extra(config: RunSpec, folder: Path) -> None:
    """Fail where the embedded harness lacks what it imports.

    Raises:
        DeviceError: with the command that installs it.
    """
    if folder != Path(__file__).resolve().parents[1] / "cpu":
        return
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise DeviceError(
            f"The harness of suite {config.suite.name} imports "
            f"{' and '.join(missing)}, which {sys.executable} does not have: "
            f"pip install 'pytest-mighetero[cpu]'."
        )


def process_of(config: RunSpec, launch: Launch) -> HarnessProcess:
    """Return the process of *launch*, with its folders and files made, not started.

    Raises:
        HarnessError: they cannot be made.
        ConfigError: it would run in a folder that is not there.
    """
    check_folders(config, launch)
    try:
        launch.log_dir.mkdir(parents=True)
        for path, content in launch.files.items():
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise HarnessError(
            f"{config.said_by['results-dir']}: {launch.log_dir} cannot be made: "
            f"{error.strerror}; free some space or choose another --results-dir."
        ) from error
    name, command, log = launch.name, launch.command, launch.output
    return HarnessProcess(name, command, log, launch.tool.markers, config.stop_grace)
