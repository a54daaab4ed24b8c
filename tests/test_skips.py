"""Who skips a race fails it; other tests may be left out where something is missing."""

import os
import sys

import pytest

from tests.support.running import ROOT

pytest_plugins = ["pytester"]

TESTS = """
    import pytest

    @pytest.mark.django_db(transaction=True)
    def test_left_out_from_within():
        pytest.skip("no second thread today")

    @pytest.mark.skip(reason="later")
    @pytest.mark.django_db(transaction=True)
    def test_left_out_by_a_mark():
        pass

    @pytest.mark.xfail(reason="sometimes")
    @pytest.mark.django_db(transaction=True)
    def test_let_off():
        assert False

    @pytest.mark.django_db(transaction=True)
    def test_run():
        pass

    @pytest.mark.skip(reason="no spreadsheet program")
    @pytest.mark.django_db
    def test_of_something_else():
        pass
"""


def test_a_race_that_is_left_out_has_failed(pytester: pytest.Pytester, monkeypatch):
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nmarkers =\n    django_db\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))

    done = pytester.runpytest_subprocess("-p", "tests.support.skips", "-p", "no:django", "-p", "no:xdist", "-rA")

    done.assert_outcomes(failed=2, errors=1, passed=1, skipped=1)
    done.stdout.fnmatch_lines(["*A test of concurrency must run: it was left out because of*no second thread today*"])
