"""Where the job of a CI system goes, and what the system has to be told of it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pytest_mighetero.errors import ConfigError

# Where each system looks, from the root of the repository.
PLACES = {
    "gitlab": ".gitlab-ci.yml",
    "github": ".github/workflows/heterogeneous.yml",
    "jenkins": "Jenkinsfile",
}


@dataclass(frozen=True)
class Job:
    """A job that is to be written, or is there.

    Attributes:
        name: what its system calls it.
        folder: as a word of a command line, with the blank before it; no word for the
            root.
        advice: what to tell its system, which does not look at *path* by itself.
    """

    path: Path
    name: str
    folder: str
    advice: str = ""


def ci_job(ci: str, folder: Path) -> Job:
    """Return the job for the tests in *folder*; what is there already keeps its place.

    Raises:
        ConfigError: a job cannot name the folder.
    """
    root = repository(folder)
    inside = str(folder.relative_to(root))
    if not re.fullmatch(r"[\w./+][\w./+-]*", inside, re.ASCII):
        raise ConfigError(
            f"--ci: a job cannot name {inside!r} as it is; expected a folder of "
            f"letters, digits and _./+-, which does not begin with -"
        )
    word = "" if inside == "." else f" {inside}"
    first = root / PLACES[ci]
    if not os.path.lexists(first) or _looks_at(first, word):
        return Job(first, "heterogeneous", word)
    name = f"heterogeneous-{inside.replace('/', '-')}" if word else "mighetero"
    if ci == "github":
        return Job(first.with_name(f"{name}.yml"), name, word)
    path = folder / f"heterogeneous.{PLACES[ci].lstrip('.')}"
    return Job(path, name, word, _advice(ci, first, str(path.relative_to(root))))


def repository(folder: Path) -> Path:
    """Return the root of the repository that *folder* is in; itself if in none."""
    return next((p for p in (folder, *folder.parents) if (p / ".git").exists()), folder)


def _looks_at(job: Path, word: str) -> bool:
    """Tell whether a job that is there is the one for the folder."""
    ends = r"(?![\w./+-])" if word else r"(?! ?[\w./+])"
    return (
        re.search(rf"mighetero doctor{re.escape(word)}{ends}", _text(job)) is not None
    )


def _advice(ci: str, first: Path, inside: str) -> str:
    if ci == "jenkins":
        return f'a Jenkins job has to name it as its "Script Path": {inside}'
    if inside in _text(first):
        return ""
    return f"add to {first}:\n           include:\n             - local: /{inside}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
