"""Three mains beside one set of backgrounds, against three runs of their own.

Runs of their own wait for their planned backgrounds to run out, or stop them
(automatic). Real make, LoadGen and NumPy models on simulated instances; four minutes:

    python benchmarks/sharing.py [--quick]

``--quick``: one main for 6 s, against one with backgrounds that are stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

MAINS = ("bert_server", "dlrm_server", "rnnt_server")
QUICK = ("dlrm_server",)  # 600 queries in 6 s: enough for LoadGen's early stopping
TEST = "def test_heterogeneous(background, main):\n    main.run()\n"


def run(folder: Path, name: str, *options: str) -> tuple[float, list[str]]:
    """Run pytest; return its seconds, and each main's verdict as the junit has it."""
    report = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "--quiet", f"--junitxml={report}"]
    command += ["--mig-suite=cpu", "--mig-lease-dir=leases", *options]
    command += ["--background-benchmarks=ssd-mobilenet,ssd-resnet34"]
    begin = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True
    )
    seconds = time.monotonic() - begin
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    verdicts = []
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        facts = {p.get("name"): p.get("value") for p in case.iter("property")}
        shown = ("validity", "overlap_ok", "start_margin_s", "end_margin_s")
        said = ", ".join(f"{each} {facts[each]}" for each in shown)
        verdicts.append(f"{case.get('name')}: {said}")
    return seconds, verdicts


def main() -> None:
    """Measure both ways and print the ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="measure little, in 30 s")
    quick = parser.parse_args().quick
    mains = QUICK if quick else MAINS
    how = ["--main-benchmark-duration=6s"] if quick else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_run.py").write_text(TEST)
        (folder / "pytest.ini").write_text("[pytest]\njunit_family = xunit1\n")
        together = " or ".join(mains)
        scope = "--background-scope=session"
        shared, verdicts = run(folder, "shared", "-k", together, scope, *how)
        print(f"one set for all: {shared:.1f} s", *verdicts, sep="\n  ")
        for duration in ("automatic",) if quick else ("planned", "automatic"):
            option = f"--background-benchmark-duration={duration}"
            separate = 0.0
            for each in mains:
                seconds, verdicts = run(folder, each, "-k", each, option, *how)
                separate += seconds
                title = f"a set of its own, {duration}: {seconds:.1f} s"
                print(title, *verdicts, sep="\n  ")
            print(f"shared / {duration}: {shared / separate:.2f}")


if __name__ == "__main__":
    main()
