"""Suites as data: the built-in ones against the published matrices, and the check."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mighetero.devices.source import device_kinds
from pytest_mighetero.errors import ConfigError
from pytest_mighetero.spec.library import load_suite
from pytest_mighetero.spec.suite import Suite
from pytest_mighetero.terms.pair import Pair
from tests.lab.driver import config_of

NO_HARNESS = (
    "the suite has no such harness to add to, nor has this the command or folder of a "
    "new one"
)

# The matrices of NVIDIA's launch_heterogeneous_mig scripts, v1.0 to v2.0, as far as
# there are configurations: v1.0 has none of ssd-mobilenet in MultiStream.
MATRIX = {
    "3d-unet": {"offline", "singlestream"},
    "bert": {"offline", "server", "singlestream"},
    "dlrm": {"offline", "server"},
    "resnet50": {"offline", "server", "singlestream"},
    "rnnt": {"offline", "server", "singlestream"},
    "ssd-mobilenet": {"offline", "singlestream"},
    "ssd-resnet34": {"offline", "server", "singlestream"},
}
MULTISTREAM = {"resnet50", "ssd-mobilenet", "ssd-resnet34"}
DATACENTER = ("3d-unet", "bert", "dlrm", "resnet50", "rnnt", "ssd-resnet34")
EDGE = ("3d-unet", "bert", "resnet50", "rnnt", "ssd-mobilenet", "ssd-resnet34")


def load(name: str, base: Path = Path()) -> Suite:
    return load_suite(name, base, device_kinds())


def site(folder: Path, text: str, name: str = "site.toml") -> Suite:
    (folder / name).write_text(text)
    return load(name, folder)


def test_the_cpu_suite_has_no_floors() -> None:
    assert load("v1.0").query_counts["server"] == 270336
    assert set(load("cpu").query_counts.values()) == {1}


@pytest.mark.parametrize("name", ["v1.0", "v1.1", "v2.0", "cpu"])
def test_the_published_matrix(name: str) -> None:
    suite = load(name)
    assert suite.name == name
    assert list(suite.benchmarks) == sorted(MATRIX)
    for benchmark, scenarios in MATRIX.items():
        multistream = name != "v1.1" and benchmark in MULTISTREAM
        if (name, benchmark) == ("v1.0", "ssd-mobilenet"):
            multistream = False
        expected = scenarios | ({"multistream"} if multistream else set())
        assert set(suite.benchmarks[benchmark].scenarios) == expected
    assert suite.groups["datacenter"] == suite.groups["server"] == DATACENTER
    assert suite.groups["edge"] == EDGE


@pytest.mark.parametrize(
    ("name", "high"),
    [("v1.0", set()), ("v1.1", {"dlrm", "3d-unet"}), ("v2.0", {"dlrm", "3d-unet"})],
)
def test_config_ver(name: str, high: set[str]) -> None:
    for benchmark, spec in load(name).benchmarks.items():
        wanted = "hetero_high_accuracy" if benchmark in high else "hetero"
        assert spec.config_ver == wanted


@pytest.mark.parametrize(
    ("suite", "profile", "pair", "runs"),
    [
        ("v1.0", "1g.10gb", Pair("dlrm", "server"), True),
        ("v1.0", "1g.3gb", Pair("dlrm", "server"), False),
        ("v1.0", "1g.3gb", Pair("3d-unet", "offline"), False),
        ("v1.0", "1g.3gb", Pair("ssd-resnet34", "singlestream"), True),
        ("v1.0", "1g.3gb", Pair("ssd-resnet34", "multistream"), False),
        ("v1.1", "1g.6gb", Pair("dlrm", "server"), True),
        ("v2.0", "1g.6gb", Pair("ssd-mobilenet", "multistream"), True),
        ("v2.0", "1g.99gb", Pair("dlrm", "server"), True),
        ("v2.0", None, Pair("dlrm", "server"), True),
    ],
)
def test_profiles(suite: str, profile: str | None, pair: Pair, runs: bool) -> None:
    assert (load(suite).misfit(pair, profile) is None) is runs


@pytest.mark.parametrize(
    ("memory_gb", "pair", "has_gb", "misfit"),
    [
        ("9.5", Pair("dlrm", "server"), 9.4, "runs dlrm_server on 9.5 GB and more"),
        ("9.5", Pair("dlrm", "server"), 9.6, None),
        ("9.5", Pair("dlrm", "server"), None, None),
        ("9.5", Pair("bert", "server"), 1.0, None),
        ("{ server = 12 }", Pair("dlrm", "server"), 10.2, "and 1g.10gb has 10.2 GB"),
        ("{ server = 12 }", Pair("dlrm", "offline"), 10.2, None),
    ],
)
def test_memory_that_a_device_must_have(
    tmp_path: Path,
    memory_gb: str,
    pair: Pair,
    has_gb: float | None,
    misfit: str | None,
) -> None:
    text = f"extends = 'v2.0'\n[benchmarks.dlrm]\nmemory_gb = {memory_gb}"
    has = None if has_gb is None else round(has_gb * 1e9)
    said = site(tmp_path, text).misfit(pair, "1g.10gb", has)
    assert said == misfit or (misfit and said and misfit in said)


def test_a_sites_file_extends_a_built_in_one(tmp_path: Path) -> None:
    suite = site(
        tmp_path,
        """
        extends = "v1.1"
        [harness]
        folder = "closed/Lab"
        make_variables = { DOCKER = "podman" }
        [defaults]
        settle-time = "20s"
        [benchmarks.retinanet]
        scenarios = ["offline", "server"]
        config_ver = "lab"
        """,
    )
    assert suite.name == "site"
    assert suite.harness is not None
    assert suite.harness.folder == "closed/Lab"
    assert suite.harness.make_variables == {"LOG_DIR": "{log_dir}", "DOCKER": "podman"}
    assert suite.defaults["settle-time"] == "20s"
    assert suite.defaults["start-time-buffer"] == "600s"
    assert suite.benchmarks["retinanet"].config_ver == "lab"
    assert suite.benchmarks["bert"].scenarios == ("offline", "server", "singlestream")


def test_a_sites_file_extends_another_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('extends = "v1.0"\ndescription = "lab"')
    assert site(tmp_path, 'extends = "base.toml"').description == "lab"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("benchmark = 1", "unknown key 'benchmark': did you mean benchmarks?"),
        ("[harness]\nfoldr = '.'", "unknown key 'harness.foldr': did you mean folder?"),
        ("[defaults]\nsettle_time = '1s'", "did you mean settle-time"),
        ("[defaults]\nmig-suite = 'v1.0'", "unknown key 'defaults.mig-suite'"),
        ("[benchmarks.bert]\nscenario = []", "did you mean scenarios?"),
        (
            "[benchmarks.bert]\nscenarios = ['online']",
            "benchmarks.bert.scenarios: expected a list of offline, server",
        ),
        ("[harness]\nactions = 'run_harness'", "harness.actions: expected a list of"),
        (
            "[harness]\ndevice_names = ['old']",
            "harness.device_names: expected a list of legacy, uuid, found ['old']",
        ),
        (
            "[harness]\ndevice_profiles = '(1g'",
            "harness.device_profiles: expected a regular expression, found '(1g'",
        ),
        ("devices = 'rocm'", "devices: expected one of nvml, cpu, found 'rocm'"),
        ("harness = 1", "harness: expected a table, found 1"),
        ("[groups]\nmine = ['bart']", "groups.mine: unknown benchmark 'bart': did you"),
        ("[profiles.'1g.5gb']\nberta = ['offline']", "unknown benchmark 'berta'"),
        ("[profiles.'1g.5gb']\ndlrm = ['multistream']", "dlrm_multistream: not among"),
        ("[benchmarks.dlrm]\nmemory_gb = 0", "a number over 0, or one for each"),
        ("[profiles]\n'1g.5gb' = 'some'", '"all", or per benchmark a list of'),
        ("[benchmarks.new]\nconfig_ver = 'x'", "benchmarks.new lacks scenarios"),
        (
            "extends = 'services'\n[harness]\nenvironment = { A = 'b' }",
            f"[harness]: {NO_HARNESS}: accepted: harnesses.fio, harnesses.nginx, ",
        ),
        (
            "[harnesses.web]\ncommand = ['true']\n[harnesses.wep]\nidle_limit = '1s'",
            f"[harnesses.wep]: {NO_HARNESS}: did you mean harnesses.web",
        ),
        ("x = ", "not TOML"),
        ("extends = 'site.toml'", "this suite extends itself"),
    ],
)
def test_what_cannot_be_meant_names_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    extends = "" if "extends" in text else 'extends = "v1.0"\n'
    with pytest.raises(ConfigError) as error:
        site(tmp_path, extends + text)
    assert message in str(error.value)
    assert "site.toml" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("devices = 'nvml'", "no 'harness' here nor in a suite it extends"),
        (
            "devices = 'nvml'\n[benchmarks]\n[harness]\nfolder = '.'",
            "[harness] lacks",
        ),
    ],
)
def test_a_suite_that_extends_nothing_must_say_everything(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        site(tmp_path, text)
    assert message in str(error.value)


def test_an_unknown_suite_names_the_built_in_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean v1\.1 or v1\.0"):
        load("v1.2", tmp_path)


def test_a_variable_can_be_set_to_nothing(tmp_path: Path) -> None:
    text = 'extends = "v1.0"\n[harness.environment]\nHF_HUB_OFFLINE = ""\n'
    harness = site(tmp_path, text).harness
    assert harness is not None
    assert harness.environment["HF_HUB_OFFLINE"] == ""


@pytest.mark.parametrize(
    ("default", "problem"),
    [
        ('settle-time = "soon"', "settle-time: expected a duration like 90s"),
        ('mig-tolerance = "5"', "mig-tolerance: expected a percentage such as 7%"),
        ('overlap-retries = "-1"', "overlap-retries: expected 0, 1, 2 ..., found"),
        ('main-scenario = "online"', "main-scenario: unknown 'online': did you mean"),
        ('main-action = "run"', "main-action: unknown 'run'"),
        ('background-benchmarks = "gpt"', "background-benchmarks: unknown 'gpt'"),
        ('background-scenario = "server"', "background-scenario: 3d-unet does not run"),
        ('lenient = "perhaps"', "lenient: expected true or false, found 'perhaps'"),
        ('mig-devices = "MIG-1"', "mig-devices: expected MIG-<uuid>"),
        ('main-benchmark-runargs = "a"', "main-benchmark-runargs: 'a': expected words"),
        ("mig-repeat = 3", "mig-repeat: expected a text such as"),
        ('settle = "9s"', "unknown key 'defaults.settle': did you mean settle-time?"),
    ],
)
@pytest.mark.parametrize("where", ["own", "base"])
def test_a_bad_default_names_the_file_that_says_it(
    tmp_path: Path, default: str, problem: str, where: str
) -> None:
    said = f"[defaults]\n{default}\n"
    extends = {"own": "v1.0", "base": "base.toml"}[where]
    (tmp_path / "base.toml").write_text(f'extends = "v1.0"\n{said}')
    site = tmp_path / "site.toml"
    site.write_text(f'extends = "{extends}"\n{said if where == "own" else ""}')
    with pytest.raises(ConfigError) as error:
        config_of(tmp_path, mig_suite=str(site))
    culprit = {"own": site, "base": tmp_path / "base.toml"}[where]
    found = str(error.value)
    assert found.startswith(f"{culprit}: "), found
    assert problem in found


def test_of_two_files_the_one_that_counts_is_named(tmp_path: Path) -> None:
    base = 'extends = "v1.0"\n[defaults]\nsettle-time = "soon"\n'
    (tmp_path / "base.toml").write_text(f'{base}[groups]\nmine = ["gpt"]\n')
    suite = tmp_path / "site.toml"
    with pytest.raises(ConfigError, match=r"base\.toml: groups\.mine: unknown"):
        site(tmp_path, 'extends = "base.toml"')
    (tmp_path / "base.toml").write_text(base)
    suite.write_text('extends = "base.toml"\n[defaults]\nsettle-time = "later"\n')
    with pytest.raises(
        ConfigError, match=r"site\.toml: defaults\.settle-time: .*later"
    ):
        config_of(tmp_path, mig_suite=str(suite))
