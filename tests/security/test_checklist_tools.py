"""Rows 43 and 46, and weaknesses of the code: tools look at all of it; what they excuse has a reason and a date."""

import json
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from config.local import home
from config.local.commands import advisories, lint, secrets_in_files, weaknesses
from config.local.findings import FILE, Exempted, Finding, complaints, exceptions

TODAY = date(2026, 11, 22)
LONG = timedelta(days=366)


@pytest.mark.parametrize("check", [advisories.CHECK, weaknesses.CHECK, secrets_in_files.CHECK])
def test_row_46_each_is_a_part_of_lint_and_its_exceptions_end_within_a_year(check):
    assert check in {one.name for one in lint.checks()}
    for row in exceptions(check):
        assert row.until <= date.today() + LONG, row  # noqa: DTZ011  # whichever day it is here


@pytest.mark.slow
def test_row_43_no_secret_lies_in_the_tree(capsys):
    assert secrets_in_files.main() == 0, capsys.readouterr().out


@pytest.mark.slow
def test_row_46_the_code_has_no_weakness_that_is_not_excused(capsys):
    assert weaknesses.main() == 0, capsys.readouterr().out


@pytest.mark.slow
def test_row_43_a_key_that_somebody_leaves_behind_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "ROOT", tmp_path)
    key = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
    (tmp_path / "settings.py").write_text(f'STRIPE_SECRET_KEY = "{key}"\n')
    (tmp_path / "fine.py").write_text('NAME = "outlast"\n')

    found = secrets_in_files.scan(["settings.py", "fine.py"])

    assert {(one.where, one.line) for one in found} == {("settings.py", 1)}
    assert key not in "".join(map(str, found))


@pytest.mark.slow
def test_row_46_a_weakness_is_found_and_a_mark_in_the_code_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.setattr(home, "ROOT", tmp_path)
    monkeypatch.setattr(weaknesses, "PACKAGES", ("bad.py",))
    (tmp_path / "bad.py").write_text('import subprocess\nsubprocess.run("ls", shell=True)  # nosec\n')

    assert {one.name for one in weaknesses.scan()} >= {"B602"}


# --- What is excused --------------------------------------------------------------------------------------------------

FOUND = Finding("B608", "config/rows.py", "SQL", 7, also=("CVE-2026-1",))


def excuse(**fields) -> Exempted:
    given = {"check": "x", "name": "B608", "where": "config/*.py", "reason": "no text of callers", "until": TODAY}
    return Exempted(**given | fields)


@pytest.mark.parametrize(
    ("excused", "said"),
    [
        ([], ["config/rows.py:7: B608 SQL"]),
        ([excuse()], []),
        ([excuse(name="CVE-2026-1")], []),
        ([excuse(where="config/rows.py", until=TODAY + LONG)], []),
        (
            [excuse(until=TODAY - timedelta(days=1))],
            ["config/rows.py:7: B608 SQL", "exceptions.toml: B608 in config/*.py was excused until 2026-11-21"],
        ),
        (
            [excuse(where="pools/*.py")],
            ["config/rows.py:7: B608 SQL", "exceptions.toml: B608 in pools/*.py excuses nothing; take it out"],
        ),
        (
            [excuse(most=0)],
            ["exceptions.toml: B608 in config/*.py excuses 0, not 1: config/rows.py:7"],
        ),
    ],
    ids=["nothing", "until today", "by another name", "one file", "too old", "elsewhere", "too many"],
)
def test_an_exception_excuses_until_its_day_and_has_to_be_needed(excused, said):
    assert complaints([FOUND], excused, TODAY) == said


def test_an_exception_without_a_reason_is_none(tmp_path):
    file = tmp_path / FILE.name
    file.write_text('[[exception]]\ncheck = "x"\nname = "y"\nwhere = "*"\nreason = "later"\nuntil = 2026-12-01\n')

    with pytest.raises(ValueError, match="needs a reason"):
        exceptions("x", file)


# --- pip-audit, against a service of advisories of our own ------------------------------------------------------------


class Osv(BaseHTTPRequestHandler):
    """Answers as osv.dev does; `known` are the packages with an advisory."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"].lower()
        self.server.asked.append(name)
        found = [{"id": "PYSEC-2026-1", "aliases": ["CVE-2026-77"], "summary": "It can be talked into anything.",
                  "affected": [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": []}]}]  # fmt: skip
        body = json.dumps({"vulns": found} if name in self.server.known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def osv(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("django==5.2.19\nredis==7.0.0\n")
    monkeypatch.setattr(advisories, "LOCK", lock)
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        server.known, server.asked = set(), []
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
        yield server
        server.shutdown()


@pytest.mark.slow
def test_row_46_packages_without_advisories_are_fine(osv, capsys):
    assert advisories.main([]) == 0, capsys.readouterr().out
    assert {"django", "redis"} <= set(osv.asked)


@pytest.mark.slow
def test_row_46_a_known_weakness_of_a_package_fails_the_check(osv, capsys):
    osv.known.add("redis")

    assert advisories.main([]) == 1
    assert "redis: PYSEC-2026-1 in 7.0.0" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(("argv", "code"), [([], 0), (["--required"], 1)])
def test_row_46_where_the_service_is_away_nothing_is_called_fine(osv, monkeypatch, capsys, argv, code):
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:9/v1/query")

    assert advisories.main(argv) == code
    assert "NOT JUDGED" in capsys.readouterr().out


def test_row_46_an_index_that_does_not_know_what_everybody_knows_is_no_service():
    """pip-audit itself passes over such packages, and ends well."""
    with pytest.raises(advisories.Unreachable, match="not found"):
        advisories.refuse_ignorance([{"name": "django", "skip_reason": "not found"}])


def test_what_could_not_be_looked_up_is_a_finding():
    assert advisories.findings_in([{"name": "a", "skip_reason": "not found"}]) == [Finding("unknown", "a", "not found")]
