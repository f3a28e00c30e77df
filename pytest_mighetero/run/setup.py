"""What a run of the interference matrix is of: the mark of its set-up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from typing import Any

import pytest_mighetero
from pytest_mighetero.devices.gpu import Gpu
from pytest_mighetero.plan.run_plan import run_args_of
from pytest_mighetero.plan.seats import seat_backgrounds
from pytest_mighetero.spec.runspec import RunSpec
from pytest_mighetero.terms.pair import Pair, without_number

# Of the settings, what a figure does not depend on, or what pair and seats tell.
_APART = {
    *("results_dir", "history_dir", "secrets", "notes", "said_by"),
    *("pairs", "asked", "isolated", "repeat"),
    *("backgrounds", "background_duration", "background_scope", "background_timeout"),
    *("devices", "gpu", "main_profile", "rotate", "lease_dir", "lease_timeout"),
    *("references", "save_reference", "tolerance", "compare", "background_tolerance"),
    *("aggressor_count", "max_slowdown", "resume", "aggressors", "aggressor"),
    *("dryrun", "listing", "stop_grace", "heartbeat", "report"),
    *("slurm", "slurm_packed", "slurm_timeout", "model"),
}


def setup_of(config: RunSpec, pair: Pair, test: str, gpu: Gpu, *, alone: bool) -> str:
    """Return a mark that two runs have in common only if they are of the same thing.

    That is the same test of the same suite, by the same settings and version, on the
    same devices of the same GPU, its geometry and driver, beside the same. Up to the
    dash it is the same for runs that are beside others, or alone: see
    ``Record.ground``. Repeats have it in common.
    """
    seated = () if alone else seat_backgrounds(config, pair, gpu).seated
    told = {
        each.name: getattr(config, each.name)
        for each in fields(config)
        if each.name not in _APART
    }
    ground = {
        "version": pytest_mighetero.__version__,
        "settings": told,
        "main": pair,
        "run_args": str(run_args_of(config, pair)),
        "gpu": gpu,
    }
    own = {"test": without_number(test), "seated": seated}
    texts = (config.secrets.mask(json.dumps(_plain(each))) for each in (ground, own))
    return "-".join(hashlib.sha256(x.encode()).hexdigest()[:32] for x in texts)


def _plain(value: Any) -> Any:
    """Return *value* as JSON has it, the same in every process."""
    if is_dataclass(value):
        named = {each.name: getattr(value, each.name) for each in fields(value)}
        return _plain(named)
    if isinstance(value, Mapping):
        return sorted([repr(key), _plain(each)] for key, each in value.items())
    if isinstance(value, AbstractSet):
        return sorted(json.dumps(_plain(each)) for each in value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return repr(value)
