"""The options, once: command line, ini file and suite defaults all read this table."""

from __future__ import annotations

from pytest_mighetero.spec.options.background import BACKGROUND
from pytest_mighetero.spec.options.length import LENGTH
from pytest_mighetero.spec.options.main import MAIN
from pytest_mighetero.spec.options.output import OUTPUT
from pytest_mighetero.spec.options.place import PLACE
from pytest_mighetero.spec.options.target import TARGET
from pytest_mighetero.spec.options.verdict import VERDICT

# As ``--help`` has them, in this order.
GROUPS = {
    "what to run": (*MAIN, *BACKGROUND),
    "where": PLACE,
    "how long": LENGTH,
    "verdict": VERDICT,
    "search": TARGET,
    "output": OUTPUT,
}
OPTIONS = tuple(option for group in GROUPS.values() for option in group)

BY_KEY = {option.key: option for option in OPTIONS}

# A key of the ini file that is no option.
JUNIT_PROPERTIES = "mig_junit_properties"
