"""The plugin as pytest loads it: its hooks and fixtures, each from its own file.

pytest imports this in every run on a machine where the package is installed, so that
what stands behind it imports nothing but pytest and the options until a run asks.
"""

from pytest_mighetero.plugin.fixtures import MigheteroWarning as MigheteroWarning
from pytest_mighetero.plugin.fixtures import background as background
from pytest_mighetero.plugin.fixtures import main as main
from pytest_mighetero.plugin.fixtures import mig_gpu as mig_gpu
from pytest_mighetero.plugin.hooks import (
    pytest_addoption as pytest_addoption,
)
from pytest_mighetero.plugin.hooks import (
    pytest_cmdline_main as pytest_cmdline_main,
)
from pytest_mighetero.plugin.hooks import (
    pytest_configure as pytest_configure,
)
from pytest_mighetero.plugin.hooks import (
    pytest_report_header as pytest_report_header,
)
from pytest_mighetero.plugin.hooks import (
    pytest_runtestloop as pytest_runtestloop,
)
from pytest_mighetero.plugin.hooks import (
    pytest_sessionfinish as pytest_sessionfinish,
)
from pytest_mighetero.plugin.hooks import (
    pytest_sessionstart as pytest_sessionstart,
)
from pytest_mighetero.plugin.hooks import (
    pytest_terminal_summary as pytest_terminal_summary,
)
from pytest_mighetero.plugin.hooks import (
    pytest_xdist_auto_num_workers as pytest_xdist_auto_num_workers,
)
from pytest_mighetero.plugin.outcome import (
    pytest_runtest_call as pytest_runtest_call,
)
from pytest_mighetero.plugin.protocol import (
    pytest_runtest_makereport as pytest_runtest_makereport,
)
from pytest_mighetero.plugin.protocol import (
    pytest_runtest_protocol as pytest_runtest_protocol,
)
from pytest_mighetero.plugin.protocol import (
    pytest_runtest_setup as pytest_runtest_setup,
)
from pytest_mighetero.plugin.protocol import (
    pytest_timeout_set_timer as pytest_timeout_set_timer,
)
from pytest_mighetero.plugin.selection.collection import (
    pytest_collection as pytest_collection,
)
from pytest_mighetero.plugin.selection.collection import (
    pytest_collection_modifyitems as pytest_collection_modifyitems,
)
from pytest_mighetero.plugin.selection.collection import (
    pytest_generate_tests as pytest_generate_tests,
)
from pytest_mighetero.plugin.selection.collection import (
    pytest_ignore_collect as pytest_ignore_collect,
)
from pytest_mighetero.plugin.selection.collection import (
    pytest_report_collectionfinish as pytest_report_collectionfinish,
)
