"""Where runs take place: suite, harness, devices and their leases."""

from __future__ import annotations

from pytest_mighetero.spec.declaration import Kind, Option
from pytest_mighetero.spec.options.kinds import COUNT, FOLDER, SPAN, TIME, TIMES

PLACE = (
    Option(
        "mig-suite",
        "v1.0, v1.1, v2.0, v2.1, v4.1, v5.1, v6.0, endpoints, llm, llm-cpu, services, "
        "cpu, or the path of a suite file; each may have defaults of its own",
        Kind("SUITE"),
        "v1.0",
        in_suite=False,
    ),
    Option(
        "mig-harness-dir",
        "the closed/<org> folder with the Makefile",
        FOLDER,
        None,
        in_suite=False,
        gate=True,
        unsaid="the suite's, mostly the present one",
    ),
    Option(
        "mig-devices",
        "MIG UUIDs to use, main's first, where NVML is out of reach",
        Kind("UUIDS", "mig_uuids"),
        "",
        unsaid="those that NVML lists",
    ),
    Option(
        "mig-gpu",
        "the GPU to use: index, UUID or PCI bus id",
        Kind("GPU", "checked"),
        None,
        unsaid="of the free ones that with the most devices for main",
    ),
    Option(
        "main-profile",
        "profile of main's MIG device, where a GPU has several (3g.40gb), or where "
        "--mig-devices lists it",
        Kind("PROFILE", "profile"),
        None,
        unsaid="any",
    ),
    Option(
        "mig-rotate",
        "turn the placement on the MIG devices by N places, to see whether the slot "
        "matters",
        COUNT,
        "0",
    ),
    Option(
        "mig-lease-dir",
        "folder of the leases: local to the machine, common to all who use its GPUs",
        FOLDER,
        "/tmp/pytest-mighetero-leases",  # noqa: S108 - it has to be everybody's
    ),
    Option(
        "mig-lease-timeout",
        "longest wait for a GPU, or a harness folder, that somebody else uses",
        TIME,
        "1h",
    ),
    Option(
        "mig-list",
        "print GPUs, MIG devices, what runs on them and who uses them; run nothing",
        fills="listing",
        in_suite=False,
    ),
    Option(
        "mig-telemetry",
        "ask NVML once a second for power, temperature, clocks and memory while main "
        "runs",
        default=True,
        no_help="do not ask NVML while main runs",
    ),
    Option(
        "mig-slurm",
        "start every worker of -n N in a Slurm allocation of its own; salloc's options "
        "for each, --partition=a100 --gres=gpu:1 for example; a blank, ' ', has none",
        Kind("OPTIONS", "slurm_options"),
        None,
        in_suite=False,
        gate=True,
        unsaid="no allocation",
    ),
    Option(
        "mig-slurm-packed",
        "workers in each allocation, which share its GPUs",
        TIMES,
        "1",
        in_suite=False,
    ),
    Option(
        "mig-slurm-timeout",
        "longest wait for the allocations; it goes on with those there are",
        SPAN,
        "1h",
        in_suite=False,
    ),
)
