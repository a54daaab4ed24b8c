"""A plugin for pytest: the product with one of its guards taken out, as `OUTLAST_MUTATION` names it.

The modules are changed as they are imported; no file is touched. A run with a failure among the tests themselves ends
as pytest's own do (1); one that broke before it could judge ends with `BROKEN`.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys

import pytest

from tests.mutation.code_guards import MUTATIONS, Mutation

BROKEN = 70
# A guard that is gone may leave somebody waiting, which is a failure as well.
PATIENCE = "5s"


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles the module from its changed source, whatever was compiled before."""

    mutation: Mutation

    def get_code(self, fullname):
        return compile(self.mutation.applied(), self.path, "exec", dont_inherit=True)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, mutation: Mutation) -> None:
        self.mutation = mutation

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.mutation.module:
            return None
        loader = Loader(fullname, str(self.mutation.path))
        loader.mutation = self.mutation
        return importlib.util.spec_from_file_location(fullname, self.mutation.path, loader=loader)


def _be_impatient(connection, **_):
    """Except while databases are made: there, one waits for another that makes the template of all."""
    from django.db.backends.base.base import NO_DB_ALIAS

    if connection.alias == NO_DB_ALIAS:
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{PATIENCE}'")


class Verdict:
    """Whether tests failed, and whether anything else did."""

    def __init__(self, mutation: Mutation) -> None:
        self.mutation, self.failed, self.broken = mutation, 0, 0

    def pytest_sessionstart(self):
        """A database of its own, which the next mutation finds as this one leaves it. Nobody waits there for ever."""
        from django.db import connection
        from django.db.backends.signals import connection_created

        worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
        connection.settings_dict["TEST"]["NAME"] = f"test_mutations_{worker}"
        connection_created.connect(_be_impatient)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed += report.when == "call"
            self.broken += report.when != "call"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        if self.broken or session.testscollected == 0 or self.mutation.module not in sys.modules:
            session.exitstatus = BROKEN


if name := os.environ.get("OUTLAST_MUTATION"):
    _mutation = next(mutation for mutation in MUTATIONS if mutation.name == name)
    sys.meta_path.insert(0, Finder(_mutation))


def pytest_configure(config):
    if name:
        config.pluginmanager.register(Verdict(_mutation), "verdict")
