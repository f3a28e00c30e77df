"""Which pairs of the suite can run here, and why others cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_mighetero.cli.doctor.finding import Finding, listed
from pytest_mighetero.cli.doctor.gpus import Seen
from pytest_mighetero.devices.choice import rank_gpus
from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.errors import ConfigError, DeviceError
from pytest_mighetero.plan.durations import too_long
from pytest_mighetero.plan.seats import (
    misfit_of,
    refuse_unknown,
    seat_backgrounds,
    wish_of,
)
from pytest_mighetero.spec.device_names import ANY_PROFILE
from pytest_mighetero.spec.offer import unconfigured, why_not
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair

_MOST = 8  # lines on pairs that cannot run

# By pair why it cannot run here; None where it can.
Fits = Mapping[Pair, "str | None"]


def fits(spec: RunSpec, seen: Seen, unable: Mapping[str, str]) -> Fits:
    """Tell of every pair of the suite whether it can run here.

    Each is placed as its run would be, but nothing is leased for it.

    Args:
        spec: what pytest is told.
        seen: the GPUs.
        unable: by harness why it cannot be started.
    """
    return {pair: _why_not(spec, pair, seen, unable) for pair in spec.suite.pairs()}


def findings(spec: RunSpec, found: Fits, seen: Seen) -> Iterator[Finding]:
    """Yield in how far the suite fits, and each reason why a pair does not."""
    suite, version = spec.suite, spec.config_ver
    left_out = [p for p in found if why_not(suite, p, spec.action, version)]
    meant = {pair: why for pair, why in found.items() if pair not in left_out}
    good = [str(pair) for pair, why in meant.items() if why is None]
    reasons: dict[str, list[str]] = {}
    for pair, why in meant.items():
        if why is not None:
            reasons.setdefault(why, []).append(str(pair))
    every = len(meant)
    if good:
        names = listed(good, len(good))
        said = f"{len(good)} of suite {suite.name}'s {every} pairs run here: {names}"
        yield Finding("suite", "ok", said)
    else:
        said = f"none of suite {suite.name}'s {every} pairs runs here"
        yield Finding("suite", "bad", said)
    for why, pairs in [*reasons.items()][:_MOST]:
        yield Finding("suite", "warning", f"not {listed(pairs)}: {why}")
    if len(reasons) > _MOST:
        more = [name for names in [*reasons.values()][_MOST:] for name in names]
        yield Finding("suite", "warning", f"nor {listed(more)}", "--json says why")
    mains = (pair for pair, why in meant.items() if why is None)
    without = (_left_out(spec, each, seen) for each in mains)
    if lost := next(filter(None, without), None):
        yield Finding("suite", "warning", lost)
    if missing := unconfigured(suite, left_out, version):
        yield Finding("suite", "unneeded", f"left out, since {missing}")


def _why_not(
    spec: RunSpec, pair: Pair, seen: Seen, unable: Mapping[str, str]
) -> str | None:
    harness = spec.suite.benchmarks[pair.benchmark].harness
    if why := why_not(spec.suite, pair, spec.action, spec.config_ver):
        return why
    if harness in unable:
        return unable[harness]
    if seen.problem:
        return "there are no devices to run on"
    try:
        wish = wish_of(spec, pair, alone=False)
        gpus = refuse_unknown(spec, pair, rank_gpus(seen.gpus, wish))
        problems = [_misfit(spec, pair, gpu) for gpu in gpus]
    except (ConfigError, DeviceError) as error:
        return str(error)
    return None if None in problems else problems[0]


def _left_out(spec: RunSpec, main: Pair, seen: Seen) -> str | None:
    """Say which backgrounds have no device beside *main* on the best GPU."""
    gpu, *_ = rank_gpus(seen.gpus, wish_of(spec, main, alone=False))
    if not spec.backgrounds_of(main.benchmark) or _misfit(spec, main, gpu):
        return None
    without = seat_backgrounds(spec, main, gpu).left_out
    beside = f"not every background runs beside {main}"
    return f"{beside}: {'; '.join(without)}" if without else None


def _misfit(spec: RunSpec, pair: Pair, gpu: Gpu) -> str | None:
    """Say why a run of *pair* beside its backgrounds is not possible on *gpu*."""
    first = gpu.devices[0]
    beside = spec.backgrounds_of(pair.benchmark)
    profile = first.profile or ANY_PROFILE
    if problem := misfit_of(spec, pair, first):
        return problem
    if problem := too_long(spec, pair, profile, alone=not beside):
        return problem
    if beside:
        try:
            seat_backgrounds(spec, pair, gpu)
        except DeviceError as error:
            return str(error)
    return None
