"""The pages about the API, offline."""

import re

import pytest
import yaml
from django.contrib.staticfiles import finders

pytestmark = pytest.mark.django_db


def test_the_schema_is_public_json(client):
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/json")
    assert answer.json()["info"]["title"] == "Outlast"


def test_the_schema_is_yaml_for_those_who_ask(client):
    answer = client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi"})
    assert yaml.safe_load(answer.content)["openapi"] == "3.1.1"


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
