"""What pytest would be told in a folder: its command line, ini file and environment."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

import pytest

from pytest_mighetero.errors import ConfigError

_PLUGIN = "pytest_mighetero.plugin"


class _Look:
    """Ends a pytest as soon as it has read its configuration."""

    config: pytest.Config | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        """Keep the configuration; collect nothing, run nothing."""
        self.config = config
        return 0

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_cmdline_parse(self) -> Generator[None, pytest.Config, pytest.Config]:
        """Have --debug of an ini file write no log over what is there."""
        config = yield
        config.option.debug = None
        return config


def pytest_config(arguments: Sequence[str]) -> pytest.Config:
    """Return the configuration that ``pytest *arguments`` has here; write nothing.

    Raises:
        ConfigError: pytest refuses it, or does not load the plugin.
    """
    look, said = _Look(), io.StringIO()
    # It would warn, or fail where warnings are errors, that it rewrites the assertions
    # of no module that is imported, as ours are.
    words = [*arguments, "--assert=plain", "--capture=no"]
    with _silence(said), _no_bytecode():
        try:
            code: object = pytest.main(words, plugins=[look])
        except SystemExit as end:  # of a conftest
            code = end.code
        # What a conftest raises, KeyboardInterrupt too, and pytest for a file that it
        # cannot read, an option that is there twice, or a warning that is an error.
        except BaseException as error:
            raise ConfigError(f"pytest does not start: {_named(error)}") from error
    if (config := look.config) is None:
        lines = [each.strip() for each in said.getvalue().splitlines() if each.strip()]
        raise ConfigError(
            f"pytest does not start (exit code {code}): {' '.join(lines)}"
        )
    if not any(_is_plugin(each) for each in config.pluginmanager.get_plugins()):
        raise ConfigError(
            f"pytest does not load the plugin: -p no:mighetero or "
            f"PYTEST_DISABLE_PLUGIN_AUTOLOAD is said; leave that out, or say "
            f"-p {_PLUGIN}"
        )
    return config


def _named(error: BaseException) -> str:
    said = str(error)
    if isinstance(error, pytest.PytestWarning):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _is_plugin(plugin: object) -> bool:
    return getattr(plugin, "__name__", None) == _PLUGIN


@contextmanager
def _silence(said: io.StringIO) -> Iterator[None]:
    """Keep what is printed, by a conftest, too, from this process's output."""
    sys.stdout.flush()
    with ExitStack() as done:
        quiet = os.open(os.devnull, os.O_WRONLY)
        done.callback(os.close, quiet)
        for number in (1, 2):
            kept = os.dup(number)
            done.callback(os.close, kept)
            done.callback(os.dup2, kept, number)
            os.dup2(quiet, number)
        done.enter_context(redirect_stdout(said))
        done.enter_context(redirect_stderr(said))
        yield


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """Leave no compiled conftest behind."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
