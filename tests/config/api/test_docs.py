"""The pages about the API, offline."""

import gzip
import json
import re

import pytest
import yaml
from django.contrib.staticfiles import finders

from config.api.docs import whole_schema, written_schema
from tests.config.api.conftest import SAMPLE
from tests.support.contract import schema_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def served_afresh():
    """It is made once for each process, and here from the addresses of the sample."""
    for made in (whole_schema, written_schema):
        made.cache_clear()
    yield
    for made in (whole_schema, written_schema):
        made.cache_clear()


def test_the_schema_is_public_and_json(client, served_afresh):
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json()["info"]["title"] == "Outlast"
    # What is served is what all other tests hold answers against.
    assert answer.json() == json.loads(json.dumps(schema_of(SAMPLE)))


@pytest.mark.slow
def test_it_is_written_once_and_nothing_is_sent_to_who_has_it(client, served_afresh):
    plain = client.get("/api/v1/schema/")
    packed = client.get("/api/v1/schema/", headers={"Accept-Encoding": "gzip"})
    known = client.get("/api/v1/schema/", headers={"Accept-Encoding": "gzip", "If-None-Match": plain["ETag"]})

    assert written_schema.cache_info().misses == 1
    assert (packed["Content-Encoding"], packed["ETag"]) == ("gzip", plain["ETag"])
    assert gzip.decompress(packed.content) == plain.content
    assert [("Accept-Encoding" in one["Vary"]) for one in (plain, packed, known)] == [True] * 3
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", plain["ETag"])
    assert "Content-Encoding" not in known


@pytest.mark.slow
def test_as_yaml_it_says_the_same(client, served_afresh):
    told = client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi"})
    assert told["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    assert told["ETag"] != client.get("/api/v1/schema/")["ETag"]
    assert yaml.load(told.content, Loader=yaml.CSafeLoader) == client.get("/api/v1/schema/").json()


def test_an_error_there_is_in_the_envelope(client):
    answer = client.get("/api/v1/schema/", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_pages_load_nothing_from_elsewhere(client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert re.findall(r"(?:https?:)?//[\w.-]+\.\w+", page) == []
    sources = re.findall(r'(?:src|href)="/?static/([^"]+)"', page)
    assert sources
    assert [source for source in sources if finders.find(source) is None] == []


def test_home_leads_to_the_documentation(client):
    assert client.get("/")["Location"] == "/api/docs/"
    # Where a sign-in comes back to unless something else is set: its code is not lost on the way.
    assert client.get("/?code=abc")["Location"] == "/api/docs/?code=abc"
