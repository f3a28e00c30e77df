"""``python -m tests.lab.slurm start|status|stop [FOLDER]``: a Slurm for a developer."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.lab.slurm.cluster import Cluster, LabError, layout_of, missing
from tests.lab.slurm.configuration import Layout

FOLDER = Path("/tmp/mighetero-slurm")
USAGE = f"expected start, status or stop, then perhaps a folder (else {FOLDER})"


def start(folder: Path) -> None:
    if programs := missing():
        raise LabError(
            f"{', '.join(programs)}: not on PATH; install slurmctld, slurmd and "
            f"slurm-client (and have /usr/sbin on PATH)"
        )
    if folder.exists():
        raise LabError(f"{folder} exists: stop the Slurm there first")
    cluster = Cluster(layout_of(folder))
    cluster.start(tethered=False)
    status(folder)
    print(f"\nexport SLURM_CONF={cluster.layout.conf}")


def status(folder: Path) -> None:
    cluster = Cluster(Layout(folder, 0))
    print(cluster.ask("sinfo", "--Node", "--format=%N %P %T %C %G"), end="")
    print(cluster.ask("squeue", "--format=%i %j %T %r %N %b"), end="")


def stop(folder: Path) -> None:
    Cluster(Layout(folder, 0)).stop()
    shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> int | str:
    verbs = {"start": start, "status": status, "stop": stop}
    if not 1 <= len(arguments) <= 2 or arguments[0] not in verbs:
        return USAGE
    folder = Path(arguments[1]).absolute() if arguments[1:] else FOLDER
    try:
        verbs[arguments[0]](folder)
    except LabError as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
