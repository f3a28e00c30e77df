"""Three mains beside one set of backgrounds, against three runs of their own.

Runs of their own wait for their planned backgrounds to run out, or stop them
(automatic). Real make, LoadGen and NumPy models on simulated instances; four minutes:

    python benchmarks/sharing.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

MAINS = ("bert_server", "dlrm_server", "rnnt_server")
TEST = "def test_heterogeneous(background, main):\n    main.run()\n"


def run(folder: Path, name: str, *options: str) -> tuple[float, list[str]]:
    """Run pytest; return its seconds, and each main's verdict as the junit has it."""
    report = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "--quiet", f"--junitxml={report}"]
    command += ["--mig-suite=cpu", "--mig-lease-dir=leases", *options]
    command += ["--background-benchmarks=ssd-mobilenet,ssd-resnet34"]
    begin = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    verdicts = []
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        facts = {p.get("name"): p.get("value") for p in case.iter("property")}
        shown = ("validity", "overlap_ok", "start_margin_s", "end_margin_s")
        said = ", ".join(f"{each} {facts[each]}" for each in shown)
        verdicts.append(f"{case.get('name')}: {said}")
    return seconds, verdicts


def main() -> None:
    """Measure both ways and print the ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_run.py").write_text(TEST)
        (folder / "pytest.ini").write_text("[pytest]\njunit_family = xunit1\n")
        together = " or ".join(MAINS)
        shared, verdicts = run(
            folder, "shared", "-k", together, "--background-scope=session"
        )
        print(f"one set for all: {shared:.1f} s", *verdicts, sep="\n  ")
        for duration in ("planned", "automatic"):
            option = f"--background-benchmark-duration={duration}"
            separate = 0.0
            for each in MAINS:
                seconds, verdicts = run(folder, each, "-k", each, option)
                separate += seconds
                title = f"a set of its own, {duration}: {seconds:.1f} s"
                print(title, *verdicts, sep="\n  ")
            print(f"shared / {duration}: {shared / separate:.2f}")


if __name__ == "__main__":
    main()
