"""`manage.py openapi` writes what the code says, and its check refuses files that lie and changes that break."""

import json

import pytest
from django.core.management import CommandError, call_command

from config.local.openapi import documents


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The two files somewhere else, as they are after a release."""
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    monkeypatch.setattr(documents, "CURRENT", tmp_path / "v1.json")
    monkeypatch.setattr(documents, "RELEASED", tmp_path / "v1.released.json")
    call_command("openapi", "--release")
    return tmp_path


def test_what_was_just_written_is_true_and_breaks_nobody(files):
    call_command("openapi", "--check")
    assert (files / "v1.json").read_text() == (files / "v1.released.json").read_text()


def test_it_is_written_the_same_each_time(files):
    before = (files / "v1.json").read_bytes()
    call_command("openapi")
    assert (files / "v1.json").read_bytes() == before


def test_a_file_that_is_not_what_the_code_says_is_refused(files):
    (files / "v1.json").write_text("{}")
    with pytest.raises(CommandError, match=r"docs/openapi/v1\.json is not what the code says"):
        call_command("openapi", "--check")


def test_what_breaks_callers_of_the_release_is_refused(files, capsys):
    released = documents.read(documents.RELEASED)
    released["paths"]["/api/v1/pools/{id}/winners"] = {"get": released["paths"]["/api/v1/pools/{id}"]["get"]}
    documents.RELEASED.write_text(json.dumps(released))
    with pytest.raises(CommandError, match=r"^breaks callers: GET /api/v1/pools/\{\}/winners: is gone$"):
        call_command("openapi", "--check")
    call_command("openapi")
    assert capsys.readouterr().out == "BREAKS GET /api/v1/pools/{}/winners: is gone\n"
