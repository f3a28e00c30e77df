"""What good runs came to, kept as the references of later ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_mighetero.records.comparison.figure import Measurement, of_facts
from pytest_mighetero.records.comparison.reference_files import save_references
from pytest_mighetero.records.comparison.references import (
    Key,
    key_of,
    reference_of,
    shown,
)
from pytest_mighetero.spec.runspec import RunSpec


def save_good(runs: Iterable[Mapping[str, str]], spec: RunSpec) -> list[str]:
    """Write what good runs came to as references; return what was done, in lines.

    Args:
        runs: the facts of each.
        spec: where references are, and how far from them a run may be.

    Raises:
        HarnessError: they cannot be written.
        ConfigError: a file that is there already cannot be meant.
    """
    samples: dict[Key, list[Measurement]] = {}
    for facts in runs:
        measurement = of_facts(facts)
        if measurement is not None and not measurement.tuned:
            samples.setdefault(key_of(facts), []).append(measurement)
    found = (
        reference_of(key, sample, spec.tolerance, spec.references)
        for key, sample in samples.items()
    )
    references = [reference for reference in found if reference is not None]
    if not references:
        return ["no reference was saved: no run was good"]
    paths = save_references(spec.references, references)
    lines = [
        f"{each.key}: {shown(each.value)} {each.unit} ({shown(each.lower)} to "
        f"{shown(each.upper)})"
        for each in references
    ]
    return [*lines, f"written to {', '.join(map(str, paths))}"]
