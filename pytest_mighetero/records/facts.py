"""What may be known of a run: each property once, with its meaning and its text.

Junit, the block of text, the tables and the site's list are made from here. What is to
be known of a run needs an entry, and whoever finds it out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from pytest_mighetero.records.rule import (
    COMMAS,
    FIGURE,
    FLAG,
    LIST,
    RATIO,
    SECONDS,
    SENTENCES,
    SHORT,
    VERDICT,
    WORDS,
    Flag,
    Rule,
    Typed,
    nearest,
    percentiles,
    value_of,
    whole,
)

# As it is found out: a text, a number, a flag, several texts; None where not known.
Value = str | float | bool | Iterable[str] | Mapping[float, float] | None
Facts = Mapping[str, str]


class Column(NamedTuple):
    """A property's column in the table of runs."""

    heading: str
    decimals: int | None = None  # else its text is shown as it is
    number: bool = True  # and so aligned to the right


@dataclass(frozen=True)
class Fact:
    """One property.

    Attributes:
        name: as junit, ``record.json`` and dashboards have it; it ends with the unit.
        text: makes its text from what was found out.
        numbered: whether there may be several, by the number that its name ends with.
    """

    name: str
    text: Rule = str
    column: Column | None = None
    numbered: bool = False


def _plain(*names: str) -> tuple[Fact, ...]:
    return tuple(Fact(name) for name in names)


def _whole_numbers(*names: str) -> tuple[Fact, ...]:
    return tuple(Fact(name, whole) for name in names)


def _latency(name: str, heading: str) -> tuple[Fact, Fact]:
    return (
        Fact(f"{name}p99_ms", SHORT, Column(heading, decimals=2)),
        Fact(f"{name or 'latency_'}limit_ms", SHORT, Column("limit ms")),
    )


# What a group of them means, as the site has it. Columns are in this order, too.
PROPERTIES: Mapping[str, tuple[Fact, ...]] = {
    "what was measured; `run` is `heterogeneous` or `isolated`": (
        Fact("benchmark", column=Column("benchmark", number=False)),
        Fact("scenario", column=Column("scenario", number=False)),
        *_plain("action", "suite"),
        Fact("run", column=Column("run", number=False)),
    ),
    "of a cell of the interference matrix: main's pair, what alone was beside it, on "
    "how many devices (and on how many it was to be, where that was said)": (
        Fact("victim"),
        Fact("aggressor", column=Column("beside", number=False)),
        *_whole_numbers("aggressor_count", "aggressor_limit"),
    ),
    "where": (
        *_plain("gpu", "geometry", "driver", "device_uuid", "device_profile"),
        *_whole_numbers("device_slot", "device_gi", "device_ci"),
        *_plain("harness_dir"),
    ),
    "the node and the Slurm job that it ran in, if it did": (
        Fact("node", column=Column("node", number=False)),
        Fact("slurm_job", column=Column("job")),
    ),
    "why the GPU's clocks were held down while main was measured, if they were": (
        Fact("throttled_by", LIST),
    ),
    "beside what; instead of a code `stopped` where the plugin ended it, `running` "
    "where it goes on beside the next main; why others that were asked for did not "
    "run": (
        Fact("backgrounds", COMMAS),
        Fact("background_devices", COMMAS),
        Fact("background_exit_codes", COMMAS),
        Fact("backgrounds_left_out", SENTENCES),
    ),
    "what each background came to itself (`bert=505.2 samples/s,...`), if it ended by "
    "itself, and what it was compared with: the median of earlier runs": (
        Fact("background_values", COMMAS),
        Fact("background_history", COMMAS),
    ),
    "main's; of a command and its server `run_args` are the words before they are "
    "filled in, by which runs are compared": (
        *_plain("command", "run_args", "log_dir"),
        *_whole_numbers("exit_code"),
    ),
    "seconds from the launch of main's server until it was ready, where it has one": (
        Fact("server_ready_s", SECONDS),
    ),
    "variables of your environment that the harnesses did not get: *How a run ends* "
    "has them": (Fact("environment_withheld", LIST),),
    "the tool's verdict (`loadgen_version`, or another tool's), or that by the suite's "
    "`limits` where it has none; of an audit that on the audit's own run": (
        Fact("validity", VERDICT, Column("valid", number=False)),
        *_plain("validity_by", "mode", "loadgen_version"),
    ),
    "when and by how much the wall clock was set during the run, if it was": (
        Fact("clock_steps", LIST),
    ),
    "what an audit changed, by design, of what was asked for": (
        Fact("audit_overrides", SENTENCES),
    ),
    "what each part of TEST04 came to, and LoadGen's verdict on it; an audit's files "
    "are in `main/compliance_logs`": (Fact("audit_runs", LIST),),
    "why LoadGen's logs cannot be trusted, if they cannot; such a run fails, and is "
    "never a measurement": (Fact("damage", WORDS),),
    "the target it ran at, and the scenario's metric as MLCommons takes it "
    "(SingleStream and MultiStream since v2.0: the early-stopping estimate; language "
    "models: tokens/s); `better` is `lower` where a suite says so": (
        Fact("target_qps", SHORT, Column("target")),
        Fact("metric"),
        Fact("value", FIGURE, Column("metric", decimals=2)),
        Fact("unit", column=Column("", number=False)),
        Fact("better"),
    ),
    "latencies": (*_latency("", "p99 ms"), Fact("percentiles_ms", percentiles)),
    "of a language model's Server run, in place of `p99_ms` and `latency_limit_ms`, or "
    "beside them where a suite limits the whole latency": (
        *_latency("ttft_", "p99 TTFT ms"),
        *_latency("tpot_", "p99 TPOT ms"),
    ),
    "the percentile that these limits are on, where that is not the 99th": (
        Fact("limit_percentile", SHORT, Column("limit on p")),
    ),
    "AccuracyOnly and SubmissionRun: what the harness's `accuracy_summary.json` says": (
        Fact("accuracy", LIST, Column("accuracy")),
        Fact("accuracy_threshold", LIST, Column("threshold")),
        Fact("accuracy_test", LIST, Column("accuracy test", number=False)),
    ),
    "their `--min_duration`, and how it was found": (
        Fact("background_duration_s", SECONDS),
        Fact("background_duration_by"),
    ),
    "with `--overlap-retries` and `--target-qps-backoff`: how many, and why each was "
    "repeated": (Fact("attempts", whole), Fact("attempt_1", numbered=True)),
    "the target before the first back-off; Server: the last one that was INVALID": (
        Fact("target_qps_first", SHORT),
        Fact("target_qps_invalid", SHORT),
    ),
    "of a search: where it started, its runs, the answer, how far above it the nearest "
    "INVALID target is, and whether that was proved to the wanted resolution": (
        Fact("tuned", FLAG),
        *_plain("tuned_from"),
        *_whole_numbers("tune_runs"),
        Fact("tuned_target_qps", FIGURE),
        Fact("tuned_resolution", "{:.2%}".format),
        Fact("tuned_complete", FLAG),
        Fact("tuned_invalid_above", nearest),
    ),
    "what the neighbours cost: a sentence, heterogeneous / isolated, of which figure, "
    "whether higher or lower is better, `yes`, `no` or `unknown`; medians with their "
    "spreads": (
        Fact("interference"),
        Fact("interference_ratio", RATIO),
        Fact("interference_figure"),
        Fact("interference_better", Flag("higher", "lower")),
        *_plain("interference_significant", "isolated_value", "heterogeneous_value"),
    ),
    "how many times worse than alone it was (1.1: by 10 %, whichever way its figure "
    "counts); whether that is within what repeats differ by (`unknown` of single "
    "runs); `false` where `--mig-max-slowdown` fails it, `true` where it is beyond "
    "that and passes by noise alone": (
        Fact("slowdown", RATIO),
        Fact("slowdown_within_noise"),
        Fact("slowdown_ok", FLAG),
        Fact("slowdown_excused", FLAG),
    ),
    "the reference with its bounds, and the bounds as numbers; the comparison with "
    "earlier runs; `false` where `--mig-compare` fails it": (
        Fact("reference"),
        Fact("reference_lower", FIGURE),
        Fact("reference_upper", FIGURE),
        *_plain("reference_unit", "compared"),
        Fact("compared_ok", FLAG),
    ),
    "the verdict on the overlap; the least seconds a background was issuing before "
    "main and outlasted it": (
        Fact("overlap_ok", FLAG),
        Fact("start_margin_s", SECONDS),
        Fact("end_margin_s", SECONDS, Column("overlap margin s", decimals=2)),
    ),
    "`loadgen`, or another reader's name: timed windows by the tools' own stamps; "
    "`marker`: one gives none, so what it printed counts; `process`: nor printed "
    "anything, so when it began and ended counts": _plain("overlap_source"),
    "length of main's timed window": (
        Fact("seconds", SECONDS, Column("seconds", decimals=2)),
    ),
}
_FACTS = {each.name: each for group in PROPERTIES.values() for each in group}
COLUMNS = {name: each.column for name, each in _FACTS.items() if each.column}


def fact_of(name: str) -> Fact:
    """Return the property of that name.

    Raises:
        KeyError: there is none: it has no entry in ``PROPERTIES``.
    """
    stem, _, number = name.rpartition("_")
    if number == "version":  # each tool has its own
        return _FACTS["loadgen_version"]
    first = _FACTS.get(f"{stem}_1") if number.isdigit() else None
    return first if first is not None and first.numbered else _FACTS[name]


def texts(values: Mapping[str, Value]) -> dict[str, str]:
    """Return the texts of properties by their names; what is not known is left out.

    Raises:
        KeyError: one has no entry.
    """
    rules = {name: fact_of(name).text for name in values}
    made = {
        name: value if isinstance(value, str) else rules[name](value)
        for name, value in values.items()
        if value is not None
    }
    return {name: text for name, text in made.items() if text}


def typed(facts: Facts) -> dict[str, Typed]:
    """Return the values as JSON has them; what has no such value stays its text."""
    return {name: _typed(name, text) for name, text in facts.items()}


def _typed(name: str, text: str) -> Typed:
    with suppress(KeyError, ValueError):
        return value_of(text, fact_of(name).text)
    return text


def number(facts: Facts, name: str) -> float | None:
    """Return the number that a property is; None where it is not known.

    Raises:
        ValueError: its text is no finite number.
    """
    if (text := facts.get(name)) is None:
        return None
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no figure")
    return value


def flag(facts: Facts, name: str) -> bool | None:
    """Return whether a property says yes; None where it is not known."""
    rule = fact_of(name).text
    text = facts.get(name)
    return None if text is None else isinstance(rule, Flag) and text == rule.yes


def property_rows() -> list[str]:
    """Return the rows of the table of properties, in Markdown."""
    return [
        f"| {', '.join(_spelled(each) for each in group)} | {meaning} |"
        for meaning, group in PROPERTIES.items()
    ]


def _spelled(fact: Fact) -> str:
    return f"`{fact.name}`, ..." if fact.numbered else f"`{fact.name}`"
