"""Which MIG devices a suite's harness knows, by their names and profiles. Pure.

NVIDIA's ``code/common/system_list.py`` finds devices by a regular expression on the
lines of ``nvidia-smi -L``: one that it does not match is not there for the harness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_mighetero.spec.suite import Suite

# Of a device that somebody listed: it could be of any profile that a suite knows.
ANY_PROFILE = "*"


class Form(NamedTuple):
    """A form of names, and what to do for a harness that knows this one alone."""

    pattern: re.Pattern[str]
    shown: str
    driver: str
    remedy: str


FORMS = {
    "legacy": Form(
        re.compile(r"MIG-GPU-[0-9a-f-]{36}/\d+/\d+"),
        "MIG-GPU-<uuid>/<gi>/<ci>",
        "drivers before R470",
        "Use the harness of v1.1 or later with its suite (--mig-suite=v2.0), or a "
        "driver before R470",
    ),
    "uuid": Form(
        re.compile(r"MIG-[0-9a-f-]{36}"),
        "MIG-<uuid>",
        "drivers from R470 on",
        "Update the driver, or use the harness of v1.0 with its suite "
        "(--mig-suite=v1.0)",
    ),
}


def unknown_to_all(
    suite: Suite, benchmarks: Iterable[str], uuid: str, profile: str | None = None
) -> str | None:
    """Say why what runs any of *benchmarks* cannot find a MIG device, or None."""
    problems = [unknown_to(suite, each, uuid, profile) for each in benchmarks]
    return problems[0] if problems and all(problems) else None


def unknown_to(
    suite: Suite, benchmark: str, uuid: str, profile: str | None = None
) -> str | None:
    """Say why what runs *benchmark* cannot find a MIG device, and what to do, or None.

    What its ``[harness]`` does not say keeps nobody out, nor does a profile that is not
    known; simulated devices have names of their own.
    """
    if not suite.kind.mig:
        return None
    harness, spec = f"the harness of suite {suite.name}", suite.harness_of(benchmark)
    known = [FORMS[name] for name in spec.device_names]
    if known and not any(form.pattern.fullmatch(uuid) for form in known):
        takes = " or ".join(f"{form.shown} ({form.driver})" for form in known)
        whole = any(form.pattern.fullmatch(uuid) for form in FORMS.values())
        remedy = known[0].remedy if whole else "Say it whole, as nvidia-smi -L does"
        return f"{harness} does not know {uuid}: it takes {takes}. {remedy}"
    profiles = spec.device_profiles
    if profile is not None and not re.fullmatch(profiles, profile):
        return (
            f"{harness} does not find {uuid}, whose profile is {profile}: it reads "
            f"only profiles such as 1g.10gb ({profiles}). Make such devices "
            f"(nvidia-smi mig -cgi ... -C), or say harness.device_profiles in a suite "
            f"file where the harness reads more"
        )
    return None
