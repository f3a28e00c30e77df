"""What AIPerf counts with the tokenizer's files is what the server counts."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.lab import needs
from tests.llm.served import MODEL
from tests.llm.test_tokenizer import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.llm.served import Served

# No proxy answers there. AIPerf looks for a tokenizer's folder among what it has
# downloaded, and fails, where the other two are set.
NO_NETWORK = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HF_HUB_OFFLINE": "",
    "TRANSFORMERS_OFFLINE": "",
}


@pytest.mark.slow
def test_aiperf_counts_as_the_server_does(served: Served, tmp_path: Path) -> None:
    needs.programs("aiperf", of=".venv-aiperf/bin, by `make clients`")
    ended = subprocess.run(
        [
            *("aiperf", "profile", "-m", MODEL, "--tokenizer", str(FOLDER)),
            *("--url", f"http://127.0.0.1:{served.port}", "--endpoint-type", "chat"),
            *("--streaming", "--concurrency", "2", "--request-count", "12"),
            *("--synthetic-input-tokens-mean", "64"),
            *("--synthetic-input-tokens-stddev", "0"),
            *("--output-tokens-mean", "32", "--extra-inputs", "ignore_eos:true"),
            *("--workers-max", "1", "--record-processors", "1"),
            *("--no-gpu-telemetry", "--no-server-metrics", "--ui", "none"),
            *("--output-artifact-dir", str(tmp_path / "out")),
        ],
        cwd=tmp_path,
        env=os.environ | NO_NETWORK | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]
    found = json.loads((tmp_path / "out" / "profile_export_aiperf.json").read_text())
    assert found["request_count"]["avg"] == 12
    assert found["request_error_rate"]["avg"] == 0
    for counted, length in (("input", 64), ("output", 32)):
        lengths = found[f"{counted}_sequence_length"]
        assert lengths["min"] == lengths["max"] == length
    assert found["usage_prompt_tokens"]["avg"] == 64
    assert found["usage_completion_tokens"]["avg"] == 32
    assert found["usage_discrepancy_count"]["avg"] == 0
    assert 0 < found["time_to_first_token"]["min"] < found["request_latency"]["min"]
