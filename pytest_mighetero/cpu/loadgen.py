"""LoadGen's settings and its call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlperf_loadgen as lg

from pytest_mighetero.cpu.arguments import SEED_FLAGS

if TYPE_CHECKING:
    import argparse

    from pytest_mighetero.cpu.sut import SampleLibrary, SystemUnderTest

__all__ = ["LoadGenTest"]


class LoadGenTest:
    """One LoadGen test, configured.

    Args:
        args: What `harness.build_parser` parsed.

    Raises:
        RuntimeError: LoadGen refuses user.conf.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._settings = lg.TestSettings()
        # Under a name of its own a benchmark meets none of the per-model floors and
        # sample counts of the mlperf.conf that LoadGen brings along.
        status = self._settings.FromConfig(
            str(args.user_conf_path), f"cpu-{args.model}", args.scenario
        )
        if status != 0:
            raise RuntimeError(f"LoadGen cannot read {args.user_conf_path}: {status}")
        self._settings.scenario = getattr(lg.TestScenario, args.scenario)
        self._settings.mode = getattr(lg.TestMode, args.test_mode)
        for name in SEED_FLAGS:
            seed = getattr(args, name)
            # LoadGen 5 and later take the seeds of the embedded mlperf.conf only; a
            # user.conf or audit.config that sets them has no effect.
            if seed is not None:
                setattr(self._settings, name, seed)
        args.logfile_outdir.mkdir(parents=True, exist_ok=True)
        self._logs = lg.LogSettings()
        self._logs.enable_trace = args.log_enable_trace
        output = self._logs.log_output
        output.outdir = str(args.logfile_outdir)
        output.prefix = args.logfile_prefix
        output.suffix = args.logfile_suffix
        output.prefix_with_datetime = args.logfile_prefix_with_datetime
        output.copy_detail_to_stdout = args.log_copy_detail_to_stdout
        output.copy_summary_to_stdout = not args.disable_log_copy_summary_to_stdout
        # Never the default: LoadGen would pick an audit.config up from the working
        # directory, which other processes share.
        self._audit_config = str(
            args.audit_config_path or args.logfile_outdir / "no-audit.config"
        )

    def run(
        self, sut: SystemUnderTest, library: SampleLibrary, *, total: int, loadable: int
    ) -> None:
        """Run the test to its end.

        Args:
            sut: A started system under test.
            library: Where LoadGen has samples loaded.
            total: How many samples there are.
            loadable: How many of them a performance run has in memory.
        """
        sut_handle = lg.ConstructSUT(sut.issue, sut.flush)
        qsl_handle = lg.ConstructQSL(total, loadable, library.load, library.unload)
        lg.StartTestWithLogSettings(
            sut_handle, qsl_handle, self._settings, self._logs, self._audit_config
        )
        lg.DestroyQSL(qsl_handle)
        lg.DestroySUT(sut_handle)
