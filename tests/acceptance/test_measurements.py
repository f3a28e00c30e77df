"""What launches write into the harness folder's measurements, for a submission."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_folder import start
from tests.lab.driver import FAKE, UUIDS, Files, Lab
from tests.lab.processes import until

CONF: dict[str, Any] = {"conf": True}
OLD = 1_600_000_000_123_456_789


@pytest.fixture
def shared(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab whose harness folder is its own, and whose launches write a user.conf."""
    lab.harness = tmp_path_factory.mktemp("closed") / "org"
    shutil.copytree(FAKE, lab.harness)
    lab.fake(**{"*": CONF})
    return lab


def conf(lab: Lab, benchmark: str, scenario: str = "Offline") -> Path:
    folder = lab.harness / "measurements" / "fake_system" / benchmark / scenario
    return folder / "user.conf"


def submitted(path: Path) -> Path:
    """Write what an earlier run has left for the submission."""
    path.parent.mkdir(parents=True)
    path.write_text("*.Offline.target_qps = 500\n")
    os.utime(path, ns=(OLD, OLD))
    return path


def state(path: Path) -> tuple[str, int]:
    return path.read_text(), path.stat().st_mtime_ns


def test_what_backgrounds_write_is_put_back(shared: Lab) -> None:
    bert, before = conf(shared, "bert"), "*.Offline.target_qps = 500\n"
    submitted(bert)
    bert.chmod(0o640)
    shared.run().result.assert_outcomes(passed=1)
    assert state(bert) == (before, OLD)
    assert bert.stat().st_mode & 0o777 == 0o640
    assert not conf(shared, "resnet50").parent.exists()
    assert "server" in conf(shared, "dlrm", "Server").read_text()  # main's own


@pytest.mark.parametrize("scope", ["test", "session"])
def test_mains_own_stays_where_a_background_is_of_its_pair(
    shared: Lab, scope: str
) -> None:
    submitted(conf(shared, "bert"))
    report = shared.run(
        "--background-benchmarks=bert,dlrm",
        "--background-benchmark-duration=automatic",
        f"--background-scope={scope}",
        k="bert_offline or dlrm_offline",
    )
    report.result.assert_outcomes(passed=2)
    for benchmark in ("bert", "dlrm"):
        said = conf(shared, benchmark).read_text()
        assert '"min_duration": "300"' in said
        assert "min_query_count" not in said


def test_it_is_there_until_every_background_of_the_pair_has_read_it(
    shared: Lab,
) -> None:
    """The second one is slower, and reads the same user.conf."""
    bert = submitted(conf(shared, "bert"))
    harness = shared.harness / "fake.py"
    text = harness.read_text()
    sleeps = 'time.sleep(options.get("before", 0.05))'
    assert text.count(sleeps) == 1
    shared.fake(**{"*": CONF, "resnet50": {**CONF, "before": 3}})
    slower = f"{sleeps}\n    time.sleep('background-2' in os.environ['LOG_DIR'])"
    harness.write_text(text.replace(sleeps, slower))
    report = shared.run(
        "--background-benchmarks=bert,bert,resnet50",
        "--background-benchmark-duration=automatic",
        devices=4,
    )
    report.result.assert_outcomes(passed=1)
    assert state(bert) == ("*.Offline.target_qps = 500\n", OLD)


@pytest.mark.parametrize("moment", ["start", "marker"])
@pytest.mark.parametrize("scope", ["test", "session"])
def test_it_is_put_back_where_the_backgrounds_came_to_no_query(
    shared: Lab, scope: str, moment: str
) -> None:
    bert = submitted(conf(shared, "bert"))
    shared.fake(**{"*": CONF, "resnet50": {**CONF, "die": [moment, 3], "before": 0.5}})
    report = shared.run(f"--background-scope={scope}")
    report.result.assert_outcomes(errors=1)
    assert state(bert) == ("*.Offline.target_qps = 500\n", OLD)
    assert not conf(shared, "resnet50").parent.exists()


def test_it_is_put_back_after_an_interrupt(shared: Lab) -> None:
    bert = submitted(conf(shared, "bert"))
    shared.fake(**{"*": {**CONF, "load": 20}})
    session = start(shared, "one", UUIDS[:3], "-k", "dlrm_server")
    until(lambda: state(bert)[1] != OLD and conf(shared, "resnet50").exists())
    session.send_signal(signal.SIGTERM)
    printed, _ = session.communicate(timeout=60)
    assert "Interrupted by SIGTERM" in printed
    assert state(bert) == ("*.Offline.target_qps = 500\n", OLD)
    assert not conf(shared, "resnet50").exists()


def test_what_others_write_once_ours_has_read_its_own_stays(shared: Lab) -> None:
    """Another run may launch the pair by then: its main's user.conf is its own."""
    theirs = conf(shared, "bert")
    shared.pytester.makepyfile(
        test_run=f"""
        from pathlib import Path

        THEIRS = Path({str(theirs)!r})

        def test_heterogeneous(background, main):
            main.run()
            THEIRS.parent.mkdir()
            THEIRS.write_text("theirs")
        """
    )
    shared.run().result.assert_outcomes(passed=1)
    assert theirs.read_text() == "theirs"


def test_what_a_killed_runs_background_has_left_is_said(shared: Lab) -> None:
    bert = submitted(conf(shared, "bert"))
    submitted(conf(shared, "resnet50"))
    left = "*.Offline.target_qps = 500\n*.Offline.min_query_count = 1\n"
    bert.write_text(left)
    report = shared.run()
    report.result.assert_outcomes(passed=1, warnings=1)
    assert f"{bert} is what a background of another run has left" in report.text
    assert bert.read_text() == left


def test_what_cannot_be_put_back_is_said(shared: Lab) -> None:
    submitted(conf(shared, "bert"))
    shared.pytester.makeconftest(
        """
        from pathlib import Path

        def replace(self, target):
            raise OSError(28, "No space left on device")

        replaced = Path.replace
        Path.replace = lambda self, to: (
            replace(self, to) if "user.conf" in self.name else replaced(self, to)
        )
        """
    )
    report = shared.run_apart()
    (error,) = [c.problems["error"] for c in report.junit if "error" in c.problems]
    assert f"{conf(shared, 'bert')} is what background bert_offline wrote" in error
    assert "No space left on device; it is no submission material" in error
    assert Files(shared.folder).record["phases"]["teardown"]["outcome"] == "failed"
