"""The folders that options and suites name, as far as a run can use them."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.spec.values import Values
from pytest_mighetero.terms.lookup import found

# What ``{package}`` stands for.
PACKAGE = str(Path(__file__).parents[1])


def check_listed(folder: Path) -> None:
    """Refuse a folder whose content is hidden: it would be taken for an empty one.

    Raises:
        ConfigError: it is there, and cannot be listed, or what is in it not be read.
    """
    try:
        os.scandir(folder).close()
        if not os.access(folder, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be read: {error.strerror}; name a folder that this user "
            f"may list and enter"
        ) from error


def check_results(folder: Path, said_by: str) -> None:
    """Refuse a results folder whose earlier runs would be taken for none.

    Raises:
        ConfigError: naming who said it; where there is something else, whoever writes
            there says so.
    """
    try:
        if folder.is_dir():
            check_listed(folder)
    except ConfigError as error:
        raise ConfigError(f"{said_by}: {error}") from None


def harness_dirs(values: Values, suite: Suite, cwd: Path) -> dict[str, Path]:
    """Return the Makefiles' folders, by the harness's name in the suite.

    Raises:
        ConfigError: the one that was named is no folder, or may not be entered.
    """
    made = {k: each for k, each in suite.every_harness.items() if each.makes}
    if values.value("mig-harness-dir").raw:
        folder = _with_makefile(values.path("mig-harness-dir", _check_harness))
        return dict.fromkeys(made, folder)
    return {
        name: _with_makefile(
            (cwd / each.folder.replace("{package}", PACKAGE)).resolve()
        )
        for name, each in made.items()
    }


def _check_harness(path: Path) -> None:
    if not path.is_dir():
        raise ConfigError(
            f"{path} is no folder; expected the closed/<org> folder with the Makefile"
        )
    if not os.access(path, os.X_OK):
        raise ConfigError(
            f"{path} cannot be looked into: Permission denied; run as a user who may"
        )


def _with_makefile(folder: Path) -> Path:
    """Return *folder*, or its src where only that has a Makefile (v6.0 on)."""
    with suppress(PermissionError):  # what looks for make's files says so
        has = [(each / "Makefile").is_file() for each in (folder, folder / "src")]
        if has == [False, True]:
            return folder / "src"
    return folder


def references(values: Values) -> Path:
    """Return the references' folder: one that is to have some, unless nobody names it.

    Raises:
        ConfigError: it has not, though none is to be saved there; it cannot be read.
    """
    name = "mig-references"

    def check(folder: Path) -> None:
        lacks = "does not exist"
        if found(folder):
            check_listed(folder)
            lacks = "" if any(folder.glob("*.toml")) else "has no *.toml"
        wanted = values.named(name) or values.path_as_called(name).is_symlink()
        if lacks and wanted and not values.of("mig-save-reference"):
            raise ConfigError(
                f"{folder} {lacks}, and no run would be held to a reference; name the "
                f"folder that has them, or have pytest --mig-save-reference make it"
            )

    return values.path(name, check)


def compared(values: Values) -> Path | Literal["last"] | None:
    """Return what runs are compared with.

    Raises:
        ConfigError: it does not exist, or cannot be read.
    """
    raw = values.value("mig-compare").raw
    if raw == "last":
        return "last"
    return values.path("mig-compare", _check_records) if raw else None


def _check_records(path: Path) -> None:
    expected = "expected last, a results folder, a run's folder or a record.json"
    if not path.exists():
        raise ConfigError(f"{expected}, and {path} does not exist")
    if path.is_dir():
        check_listed(path)
    elif not os.access(path, os.R_OK):
        raise ConfigError(f"{path} cannot be read: Permission denied; {expected}")
