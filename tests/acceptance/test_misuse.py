"""Tests that ask for a run in ways that cannot be: a sentence, and no false green."""

from __future__ import annotations

import textwrap

import pytest

from tests.lab.driver import Lab, Report

INVALID = {"dlrm": {"validity": "INVALID"}}
ONE = ("--main-benchmark=dlrm", "--main-scenario=server")


def run(lab: Lab, test: str, conftest: str = "", *options: str) -> Report:
    """Run *test* alone, of the file ``test_run.py``, for one pair."""
    if conftest:
        lab.pytester.makeconftest(conftest)
    head = "import pytest, threading, unittest\n"
    lab.pytester.makepyfile(test_run=head + textwrap.dedent(test))
    return lab.run(*ONE, *options, k="")


def says(report: Report, *parts: str) -> None:
    """Check for a sentence, and for no line of ours around it."""
    for part in parts:
        assert part in report.text
    assert "pytest_mighetero/" not in report.text
    assert "Traceback" not in report.text


# Asking for it.


@pytest.mark.parametrize(
    "test",
    [
        "def test_it(mig_gpu): pass",
        "def test_it(request): request.getfixturevalue('main').run()",
        "def test_it(request): request.getfixturevalue('background')",
        "def test_it(request): request.getfixturevalue('mig_gpu')",
        """
        @pytest.fixture(autouse=True)
        def each(request): return request.getfixturevalue("main")
        def test_it(): pass
        """,
        """
        @pytest.fixture
        def main(request): return request.getfixturevalue("main")
        def test_it(request): request.getfixturevalue("main").run()
        """,
    ],
)
def test_a_run_without_main_among_the_arguments(lab: Lab, test: str) -> None:
    report = run(lab, test)
    assert report.result.ret == 1
    says(report, "Write: def test_heterogeneous(background, main): main.run()")
    assert not report.launches()


def test_a_background_that_is_asked_for_too_late(lab: Lab) -> None:
    late = "def test_it(main, request): request.getfixturevalue('background')"
    report = run(lab, late)
    report.result.assert_outcomes(failed=1)
    says(report, "main was prepared to run alone. Write: def test_heterogeneous(")


@pytest.mark.parametrize(
    "test",
    [
        "@pytest.mark.usefixtures('background')\ndef test_it(main): main.run()",
        """
        class TestIt:
            @pytest.fixture(autouse=True)
            def each(self, main, background): self.main = main
            def test_it(self): self.main.run()
        """,
        """
        @pytest.fixture(autouse=True)
        def each(background): pass
        def test_it(request): request.getfixturevalue("main").run()
        """,
        """
        @pytest.fixture
        def loaded(background): return background
        def test_it(loaded, main): main.run()
        """,
        """
        @pytest.fixture
        def result(background, main): return main.run()
        def test_it(result): assert result.valid
        """,
    ],
)
def test_whatever_pytest_knows_beforehand_is_as_good(lab: Lab, test: str) -> None:
    report = run(lab, test)
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["run"] == "heterogeneous"
    assert report.case.properties["overlap_ok"] == "true"


@pytest.mark.parametrize("name", ["main", "background"])
def test_a_fixture_of_wider_scope_cannot_ask_for_it(lab: Lab, name: str) -> None:
    test = f"""
    @pytest.fixture(scope="module")
    def wide({name}): return {name}
    def test_it(wide): pass
    """
    report = run(lab, test)
    report.result.assert_outcomes(errors=1)
    text = f"You tried to access the function scoped fixture {name} with a module"
    assert text in report.text
    assert not report.launches("background")


TEST_CASES = {
    "usefixtures": """
    @pytest.mark.usefixtures("background")
    class Test(unittest.TestCase):
        def test_it(self): pass
    """,
    "autouse": """
    class Test(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def each(self, main): pass
        def test_it(self): pass
    """,
    "argument": """
    class Test(unittest.TestCase):
        def test_it(self, main): main.run()
    """,
    "coroutine": """
    class Test(unittest.IsolatedAsyncioTestCase):
        async def test_it(self, background, main): main.run()
    """,
}


@pytest.mark.parametrize("how", TEST_CASES)
def test_a_test_case_of_unittest_has_no_pair(lab: Lab, how: str) -> None:
    report = run(lab, TEST_CASES[how])
    report.result.assert_outcomes(errors=1)
    says(report, "cannot give a pair to a unittest.TestCase. Write a test function")


def test_a_test_case_may_have_a_main_of_its_own(lab: Lab) -> None:
    test = """
    import os, unittest.mock
    class Test(unittest.TestCase):
        @unittest.mock.patch("os.getcwd")
        def test_it(self, main): self.assertIs(main, os.getcwd)
        def test_another(self, main=1): self.assertEqual(main, 1)
    """
    report = run(lab, test)
    report.result.assert_outcomes(passed=2)


def test_nor_has_a_doctest(lab: Lab) -> None:
    test = 'def f():\n    """\n    >>> getfixture("main").run()\n    """\n'
    report = run(lab, test, "", "--doctest-modules")
    report.result.assert_outcomes(failed=1)
    says(report, "cannot give a pair to a doctest. Write a test function")


# Parametrizing it.

BIND = 'bind the test to pairs with @pytest.mark.mighetero("dlrm_server", ...)'
PAIR = "from pytest_mighetero.spec.suite import Pair\n"


@pytest.mark.parametrize("test", ["def test_it(main): main.run()"])
@pytest.mark.parametrize(
    "mark",
    [
        '"main", ["dlrm_server"]',
        '"main", ["dlrm_server"], indirect=True',
        '"main", [Pair("dlrm", "server")]',
        '"main", [Pair("dlrm", "server")], indirect=True',
        '"main", [pytest.param("dlrm_server", id="x")]',
        '"main", [3, None, object()], indirect=True',
        'argnames=["main"], argvalues=[["dlrm_server"]]',
    ],
)
def test_main_is_not_for_others_to_parametrize(lab: Lab, mark: str, test: str) -> None:
    report = run(lab, f"{PAIR}@pytest.mark.parametrize({mark})\n{test}")
    assert report.result.ret == 2
    says(report, "test_it: main is parametrized", BIND)


@pytest.mark.parametrize("how", ["", ", indirect=True"])
@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("main", BIND),
        ("background", "choose backgrounds with --background-benchmarks"),
        ("mig_gpu", "choose a GPU with --mig-gpu"),
    ],
)
def test_nor_is_any_fixture_of_a_run(
    lab: Lab, name: str, instead: str, how: str
) -> None:
    mark = f"@pytest.mark.parametrize('{name}', [3]{how})"
    report = run(lab, f"{mark}\ndef test_it(background, main, mig_gpu): main.run()")
    assert report.result.ret == 2
    says(report, f"{name} is parametrized", instead)


@pytest.mark.parametrize(
    "conftest",
    [
        """
        def pytest_generate_tests(metafunc):
            metafunc.parametrize("main", ["dlrm_server"], indirect=True)
        """,
        """
        import pytest

        @pytest.fixture(params=[1, 2])
        def main(main): return main
        """,
    ],
)
def test_neither_by_a_hook_nor_by_an_override(lab: Lab, conftest: str) -> None:
    report = run(lab, "def test_it(main): main.run()", conftest)
    assert report.result.ret == 2
    says(report, "main is parametrized", BIND)


FOREIGN = {
    "direct": """
    @pytest.mark.parametrize("main", ["a.py", "b.c"])
    def test_it(main): assert isinstance(main, str)
    """,
    "several": """
    @pytest.mark.parametrize(("x", "main"), [(1, 2), (3, 4)])
    def test_it(main, x): assert main == x + 1
    """,
    "iterator": """
    @pytest.mark.parametrize("main", iter([1, 2]))
    def test_it(main): assert main
    """,
    "fixture": """
    @pytest.fixture(params=[1, 2])
    def main(request): return request.param
    def test_it(main): assert main
    """,
}


@pytest.mark.parametrize("how", FOREIGN)
def test_somebody_elses_main_is_none_of_our_business(lab: Lab, how: str) -> None:
    run(lab, FOREIGN[how]).result.assert_outcomes(passed=2)


# Overriding it.

OVERRIDE = """
import pytest

@pytest.fixture
def {0}({1}): return {2}
"""


@pytest.mark.parametrize("name", ["main", "background", "mig_gpu"])
def test_an_override_that_asks_for_ours_is_ours(lab: Lab, name: str) -> None:
    conftest = OVERRIDE.format(name, name, name)
    report = run(lab, "def test_it(background, main): main.run()", conftest)
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["run"] == "heterogeneous"
    assert report.case.properties["overlap_ok"] == "true"


def test_an_override_may_give_the_test_something_else(lab: Lab) -> None:
    conftest = OVERRIDE.format("main", "main", "main.run")
    report = run(lab, "def test_it(background, main): main()", conftest)
    report.result.assert_outcomes(passed=1)
    assert report.case.properties["overlap_ok"] == "true"


@pytest.mark.parametrize("name", ["main", "mig_gpu"])
def test_what_a_run_needs_must_be_ours(lab: Lab, name: str) -> None:
    conftest = OVERRIDE.format(name, "", 3)
    report = run(lab, "def test_it(background, main): pass", conftest)
    report.result.assert_outcomes(errors=1)
    says(report, f"{name} is the fixture of conftest.py:3 here. Rename that, or have")


@pytest.mark.parametrize("scope", ["test", "session"])
def test_somebody_elses_background_leaves_main_alone(lab: Lab, scope: str) -> None:
    conftest = OVERRIDE.format("background", "", 3)
    test = "def test_it(background, main): main.run()"
    report = run(lab, test, conftest, f"--background-scope={scope}")
    report.result.assert_outcomes(passed=1, warnings=1)
    says(report, "main runs alone: background is the fixture of conftest.py:3 here")
    assert report.case.properties["run"] == "isolated"
    assert "backgrounds" not in report.case.properties
    assert not report.launches("background")


# Swallowing what it came to.


@pytest.mark.parametrize(
    "test",
    [
        "with pytest.raises(BaseException): main.run()",
        "with pytest.raises(pytest.fail.Exception): main.run()",
        """
        try: main.run()
        except BaseException: pass
        """,
        """
        try: main.run()
        except BaseException: pytest.skip("bad weather")
        """,
        """
        try: main.run()
        except BaseException: raise unittest.SkipTest("bad weather")
        """,
        """
        try: main.run()
        finally: return
        """,
    ],
)
def test_a_verdict_counts_though_the_test_swallows_it(lab: Lab, test: str) -> None:
    lab.fake(**INVALID)
    body = textwrap.indent(textwrap.dedent(test), "    ")
    report = run(lab, f"def test_it(background, main):\n{body}")
    report.result.assert_outcomes(failed=1)
    says(report, "Main dlrm_server failed: the result is INVALID")
    assert report.record["phases"]["call"]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("then", "outcome"), [("", "failed"), ("pytest.skip('bad weather')", "errors")]
)
def test_what_a_fixture_swallows_counts_too(lab: Lab, then: str, outcome: str) -> None:
    lab.fake(**INVALID)
    test = f"""
    @pytest.fixture
    def result(background, main):
        with pytest.raises(BaseException): main.run()
        {then}
    def test_it(result): pass
    """
    report = run(lab, test)
    report.result.assert_outcomes(**{outcome: 1})
    says(report, "Main dlrm_server failed: the result is INVALID")


def test_an_interrupt_is_not_to_be_swallowed(lab: Lab) -> None:
    test = """
    import os, signal
    def test_it(main):
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        try: main.run()
        except BaseException: pass
    """
    lab.fake(dlrm={"test": 60})
    lab.pytester.makepyfile(
        test_run=f"import pytest, threading\n{textwrap.dedent(test)}"
    )
    report = lab.run_apart(*ONE)
    assert report.result.ret == 2
    assert "Interrupted by SIGTERM" in report.case.problems["error"]


def test_a_failure_of_the_tests_own_is_shown(lab: Lab) -> None:
    lab.fake(**INVALID)
    test = """
    def test_it(background, main):
        with pytest.raises(BaseException): main.run()
        assert "mine" == "yours"
    """
    report = run(lab, test)
    report.result.assert_outcomes(failed=1)
    assert "'mine' == 'yours'" in report.case.problems["failure"]


# Calling it otherwise.


@pytest.mark.parametrize("join", ["join()", "is_alive()"])
def test_main_runs_in_the_tests_own_thread(lab: Lab, join: str) -> None:
    test = f"""
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_it(background, main):
        thread = threading.Thread(target=main.run)
        thread.start()
        thread.{join}
    """
    report = run(lab, test)
    report.result.assert_outcomes(failed=1)
    assert "main.run() was called in another thread" in report.case.problems["failure"]
    assert not report.launches()


def test_a_main_that_is_kept_is_over(lab: Lab) -> None:
    test = """
    kept = []
    def test_it(main):
        kept.append(main)
        main.run()
    def test_next():
        kept[0].run()
    """
    report = run(lab, test)
    report.result.assert_outcomes(passed=1, failed=1)
    says(report, "main.run() was called after test_run.py::test_it[dlrm_server]")


def test_it_is_over_before_teardown(lab: Lab) -> None:
    test = """
    @pytest.fixture
    def later(background, main):
        yield
        main.run()
    def test_it(later): pass
    """
    report = run(lab, test)
    report.result.assert_outcomes(failed=1, errors=1)
    says(report, "nothing was measured", "main.run() was called after test_run.py")


@pytest.mark.parametrize("name", ["main", "background"])
def test_asking_for_it_alone_measures_nothing(lab: Lab, name: str) -> None:
    report = run(lab, f"@pytest.mark.usefixtures('{name}')\ndef test_it(): pass")
    report.result.assert_outcomes(failed=1)
    says(report, "passed without main.run(): nothing was measured. Call it in the")


# Expecting it to fail.


@pytest.mark.parametrize(
    ("mark", "outcome"),
    [("", "xfailed"), ("strict=True", "xfailed"), ("raises=OSError", "failed")],
)
def test_xfail_excuses_a_bad_main(lab: Lab, mark: str, outcome: str) -> None:
    lab.fake(**INVALID)
    test = f"@pytest.mark.xfail({mark})\ndef test_it(background, main): main.run()"
    report = run(lab, test)
    report.result.assert_outcomes(**{outcome: 1})
    assert report.case.properties["validity"] == "INVALID"


def test_so_does_an_xfail_within_the_test(lab: Lab) -> None:
    lab.fake(**INVALID)
    test = """
    def test_it(background, main):
        try: main.run()
        except pytest.fail.Exception: pytest.xfail("known")
    """
    run(lab, test).result.assert_outcomes(xfailed=1)


@pytest.mark.parametrize(
    ("fake", "body", "outcome"),
    [
        ({}, "pass", "failed"),
        ({"bert": {"die": ["start", 7]}}, "main.run()", "errors"),
        ({"dlrm": {"test": 60}, "bert": {"test": 1}}, "main.run()", "failed"),
    ],
)
def test_xfail_excuses_no_run_that_was_not_measured(
    lab: Lab, fake: dict[str, dict[str, object]], body: str, outcome: str
) -> None:
    lab.fake(**fake)
    mark = "@pytest.mark.xfail(strict=True)"
    report = run(lab, f"{mark}\ndef test_it(background, main): {body}")
    report.result.assert_outcomes(**{outcome: 1})
