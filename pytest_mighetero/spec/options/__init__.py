"""The options, once: command line, ini file and suite defaults all read this table."""

from __future__ import annotations

from pytest_mighetero.spec.options.background import BACKGROUND
from pytest_mighetero.spec.options.main import MAIN
from pytest_mighetero.spec.options.output import OUTPUT
from pytest_mighetero.spec.options.place import PLACE
from pytest_mighetero.spec.options.verdict import VERDICT

OPTIONS = (*MAIN, *BACKGROUND, *PLACE, *VERDICT, *OUTPUT)

BY_KEY = {option.key: option for option in OPTIONS}
