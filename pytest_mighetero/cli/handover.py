"""What of a run a submitter's harness folder gets: main's logs, in their place there.

``make update_results`` (v1.0 to v3.0, ``scripts/update_results``) looks for
``build/logs/**/<system>/<benchmark>/<scenario>/mlperf_log_accuracy.json``, v3.0 for
``mlperf_log_detail.txt``; ``make update_compliance`` for what audits have left in
``build/compliance_logs/<test>/<system>/<benchmark>/<scenario>``.
"""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pytest_mighetero.readers.loadgen import READER
from pytest_mighetero.readers.result import Result
from pytest_mighetero.records.comparison.sides import kind_of, why_not
from pytest_mighetero.records.record import Record
from pytest_mighetero.run.evidence.metadata import accuracy_summary
from pytest_mighetero.run.evidence.traces import audit_verdicts
from pytest_mighetero.run.judge import judge, judge_audit, judge_runs
from pytest_mighetero.terms.pair import audit_of
from pytest_mighetero.units import significant

ACCURACY_LOG = "mlperf_log_accuracy.json"
_DEPTH = 3  # <system>/<benchmark>/<scenario>
# How the harness ends the names of systems with --config_ver=hetero.
_HETEROGENEOUS = "HeteroMultiUse"


class RefusedError(Exception):
    """A run is not handed over, for the reason that the message gives."""


@dataclass(frozen=True)
class Handover:
    """A run that may be handed over."""

    kind: str  # performance, accuracy, or the audit, TEST01
    figure: str
    logs: Path  # of all runs, in the harness folder
    place: Path  # <system>/<benchmark>/<scenario>
    folders: tuple[tuple[Path, Path], ...]  # what is copied where


def handover_of(
    record: Record, runs: str, to: Path | None, *, failed: bool
) -> Handover:
    """Return what is to be copied for *record*.

    Args:
        record: of the run.
        runs: which are asked for, ``heterogeneous`` or ``isolated``.
        to: the ``closed/<org>`` folder; None for the one that the run was made in.
        failed: whether a run whose test failed will do, if its logs are good.

    Raises:
        RefusedError: the run is of another kind, bad, or damaged; or there is no
            harness folder for it.
    """
    facts = record.facts
    kind = kind_of(facts)
    if facts.get("mode") == "AccuracyOnly":
        kind = runs  # accuracy is no matter of neighbours
    if kind != runs:
        raise RefusedError(f"it is {kind or 'unknown'}, expected {runs} (--runs)")
    if not record.good and not failed:
        raise RefusedError(why_not(record))
    if facts.get("validity_by") == "limits":
        raise RefusedError(
            "its tool is not LoadGen, whose logs are what update_results takes"
        )
    to = to or Path(facts.get("harness_dir") or "harness_dir")
    if "\0" in str(to) or not _takes_results(to):
        raise RefusedError(
            f"{to} has no scripts/update_results: name the closed/<org> folder (--to)"
        )
    if (to / "build" / "logs").resolve() in folder_of(record).parents:
        raise RefusedError(
            f"its results folder is in {to / 'build' / 'logs'}, where update_results "
            f"takes the backgrounds' logs for runs, too: move it out of there"
        )
    logs, audit = _log_dir(record), audit_of(facts.get("action", ""))
    handover = _of_audit(audit, logs, to) if audit else _of_run(record, logs, to)
    system = handover.place.parts[0]
    if kind == "isolated" and _HETEROGENEOUS in system:
        raise RefusedError(
            f"nothing ran beside it, and its logs are of system {system}: measure it "
            f"with another --config-ver"
        )
    return handover


def _takes_results(to: Path) -> bool:
    try:
        names = [each.name for each in (to / "scripts").iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(error) from error
    return any(name.startswith("update_results") for name in names)


def _unreadable(error: OSError) -> RefusedError:
    return RefusedError(f"{error.filename} cannot be read: {error.strerror}")


def folder_of(record: Record) -> Path:
    """Return the run's folder, by its own name whatever names it was found by."""
    return record.path.parent.resolve()


def _log_dir(record: Record) -> Path:
    """Return main's LOG_DIR, beside its record wherever that was moved to."""
    said, run = Path(record.facts.get("log_dir", "")), folder_of(record)
    if run.name in said.parts:
        below = said.parts[said.parts.index(run.name) + 1 :]
        if (moved := run.joinpath(*below)).is_dir():
            return moved
    if not said.is_absolute() or not said.is_dir():
        raise RefusedError(f"main's logs are gone: there is no {said}")
    return said


def _of_run(record: Record, log_dir: Path, to: Path) -> Handover:
    found = READER.find(log_dir)
    if len(found) != 1:
        raise RefusedError(f"{log_dir} has logs of {len(found)} tests, expected one")
    result, place = READER.read(found[0]), found[0].relative_to(log_dir)
    if problems := judge(result, accuracy_summary(log_dir)):
        raise RefusedError(". ".join(problems))
    value = result.metric and significant(result.metric.value, 10)
    recorded = record.facts.get("value")
    if value != recorded:
        raise RefusedError(
            f"its logs in {result.folder} are not those that its record is of: they "
            f"say {value or 'nothing'}, the record {recorded or 'nothing'}"
        )
    if len(place.parts) != _DEPTH or not (found[0] / ACCURACY_LOG).is_file():
        names = ", ".join(sorted(file.name for file in _files(found[0])))
        raise RefusedError(
            f"update_results finds <system>/<benchmark>/<scenario>/{ACCURACY_LOG}; "
            f"{log_dir} has {place}/{names}"
        )
    kind, figure = "performance", _figure(result)
    if result.mode in ("AccuracyOnly", "SubmissionRun"):
        kind, figure = "accuracy", record.facts.get("accuracy", "")
    logs = to / "build" / "logs"
    folders = ((log_dir, logs / folder_of(record).name),)
    return Handover(kind, figure, logs, place, folders)


def _figure(result: Result) -> str:
    metric = result.metric
    return f"{significant(metric.value, 6)} {metric.unit}" if metric else ""


def _of_audit(audit: str, log_dir: Path, to: Path) -> Handover:
    test = audit.upper()
    kept = log_dir.parent / "compliance_logs"
    kept = kept if kept.is_dir() else log_dir / "compliance_logs"
    if problems := judge_audit(test, audit_verdicts(test, kept, since=0)):
        raise RefusedError(". ".join(problems))
    runs, folders, place = {}, [], Path()
    logs = to / "build" / "compliance_logs"
    for part in sorted(kept.glob(f"{test}*")):
        found = [each.relative_to(part) for each in READER.find(part)]
        own = [each for each in found if len(each.parts) == _DEPTH]
        if len(own) != 1:
            raise RefusedError(f"{part} has logs of {len(own)} tests, expected one")
        place = own[0]
        runs[part.name] = READER.read(part / place)
        folders.append((part / place, logs / part.name / place))
    if problems := judge_runs(runs):
        raise RefusedError(". ".join(problems))
    figure = ", ".join(map(_figure, runs.values()))
    return Handover(test, figure, logs, place, tuple(folders))


def copy(source: Path, target: Path) -> bool:
    """Copy a folder to where nothing is; whoever reads there sees all of it or nothing.

    Links, and what else is no file, are left out. Two that copy into one folder at once
    do so in turn.

    Returns:
        False where all of it is there already.

    Raises:
        RefusedError: something else is there, or it cannot be copied.
    """
    files = _files(source)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _held(target.parent):
            return _copied(source, files, target)
    except OSError as error:
        raise RefusedError(f"{target} cannot be written: {error.strerror}") from error


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # NFS locks no folder
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _copied(source: Path, files: Sequence[Path], target: Path) -> bool:
    if target.exists():
        _, others, missing = filecmp.cmpfiles(source, target, files, shallow=False)
        if others or missing:
            raise RefusedError(f"{target} holds something else: move it away")
        return False
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of one that was killed
    try:
        for file in files:
            (partial / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / file, partial / file)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def _files(folder: Path) -> list[Path]:
    """Return the files in and below *folder*, from there on.

    Raises:
        RefusedError: some of it cannot be read.
    """

    def refuse(error: OSError) -> NoReturn:
        raise _unreadable(error) from error

    walk = os.walk(folder, onerror=refuse)
    found = sorted(Path(at, name) for at, _, names in walk for name in names)
    try:
        plain = [path for path in found if stat.S_ISREG(path.lstat().st_mode)]
        for path in plain:
            path.open("rb").close()
    except OSError as error:
        refuse(error)
    return [path.relative_to(folder) for path in plain]


def there_are(logs: Path, place: Path, kind: str) -> list[str]:
    """Return the names of the runs of *kind* that ``update_results`` chooses from.

    It takes a run for one for accuracy by the size of its log.
    """
    return [
        log.relative_to(logs).parts[0]
        for log in sorted(logs.glob(f"**/{place}/{ACCURACY_LOG}"))
        if (log.stat().st_size > len("[\n]\n")) == (kind == "accuracy")
    ]
