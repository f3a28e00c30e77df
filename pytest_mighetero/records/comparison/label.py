"""What tells things apart that look alike, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_mighetero.terms.run_args import RunArgs

_WORDS = {"device_slot": "slot", "harness_dir": "harness in", "gpu": "GPU"}


def label_of(about: Mapping[str, str], alike: Sequence[Mapping[str, str]]) -> str:
    """Return what *about* says that is not the same in all that look *alike*.

    Each maps the same names, of facts and ``settings``; *about* is one of them.
    """
    names = [name for name in about if len({each[name] for each in alike}) > 1]
    return ", ".join(
        _told(name, about[name], [a[name] for a in alike]) for name in names
    )


def _told(name: str, said: str, every: Sequence[str]) -> str:
    if name == "tuned":
        return "target searched" if said == "true" else "target not searched"
    if name == "settings":
        return _settings(said, every)
    return f"{_WORDS.get(name, name.replace('_', ' '))} {said or 'not known'}"


def _settings(said: str, every: Sequence[str]) -> str:
    """Return the flags that not all have; all flags where these tell none apart."""
    flags = [RunArgs.read(each).flags for each in every]
    common = set(flags[0]).intersection(*flags)
    own = {
        each: " ".join(str(flag) for flag in has if flag not in common)
        for each, has in zip(every, flags, strict=True)
    }
    if len(set(own.values())) < len(own):
        return f"settings {said or 'none'}"
    return f"settings {own[said]}" if own[said] else "no further settings"
