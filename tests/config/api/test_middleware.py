"""Whatever goes wrong outside a view, an API caller sees the envelope, never HTML and never a trace."""

import logging

import pytest
from django.test import Client

from config.api.middleware import level_of
from config.logging import current_request_id

pytestmark = pytest.mark.django_db


def code_of(answer):
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["success"] is False
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/pools/1/none", "/api/v2/x", "/nothing", "/health/none"])
def test_unknown_address_is_404(client, path):
    assert code_of(client.get(path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("debug", [True, False])
def test_unknown_address_shows_no_urls_even_with_debug(client, settings, debug):
    settings.DEBUG = debug
    assert code_of(client.get("/api/v1/nothing")) == (404, "NOT_FOUND")


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/api/v1/sample/plain-crash", "/plain-crash", "/api/v1/sample/raise/crash"])
def test_crash_is_500_without_a_trace(client, settings, path, debug):
    settings.DEBUG = debug
    answer = client.get(path)
    assert code_of(answer) == (500, "INTERNAL_ERROR")
    assert b"swordfish" not in answer.content


def test_the_admin_keeps_its_pages(client):
    assert client.get("/admin/crash")["Content-Type"].startswith("text/html")
    assert client.get("/admin/login/")["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_method_unknown_to_a_view_is_405_with_allow(client, method):
    answer = getattr(client, method)("/api/v1/sample/raise/crash", {}, format="json")
    assert code_of(answer) == (405, "METHOD_NOT_ALLOWED")
    assert answer["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT", "OPTIONS", "LINK"])
@pytest.mark.parametrize("path", ["/api/v1/sample/echo", "/api/v1/sample/private", "/api/v1/sample/messages"])
def test_verbs_nobody_listed_are_405_before_anybody_signs_in(client, method, path):
    assert code_of(client.generic(method, path)) == (405, "METHOD_NOT_ALLOWED")


def test_405_outside_drf(client):
    assert code_of(client.post("/health/live")) == (405, "METHOD_NOT_ALLOWED")


def test_accept_that_cannot_be_met_is_406(client):
    assert code_of(client.get("/api/v1/sample/echo", headers={"Accept": "text/html"})) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_body_of_another_kind_is_415(client, kind):
    answer = client.generic("POST", "/api/v1/sample/echo", b"text=hello", content_type=kind)
    assert code_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_body_past_the_limit_is_413(client, settings):
    body = b'{"text": "' + b"x" * settings.API_BODY_LIMIT + b'"}'
    answer = client.generic("POST", "/api/v1/sample/echo", body, content_type="application/json")
    assert code_of(answer) == (413, "PAYLOAD_TOO_LARGE")


def test_body_at_the_limit_is_read(client, settings):
    body = b'{"text": "ok"' + b" " * (settings.API_BODY_LIMIT - 14) + b"}"
    assert len(body) == settings.API_BODY_LIMIT
    assert client.generic("POST", "/api/v1/sample/echo", body, content_type="application/json").status_code == 201


def test_length_that_is_no_number_is_400(client):
    assert code_of(client.get("/api/v1/sample/echo", CONTENT_LENGTH="-5")) == (400, "PARSE_ERROR")


@pytest.mark.parametrize("path", ["/api/v1/sample/raise/%00", "/api/v1/sample/messages?kind=a%00b"])
def test_nul_is_400(client, path):
    assert code_of(client.get(path)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["/admin/pools/pool/1%00/change/", "/admin/pools/pool/?q=a%00b"])
def test_nul_in_the_address_of_a_page_is_400(client, path):
    assert client.get(path).status_code == 400


def test_nul_in_a_form_of_the_back_office_is_400_and_its_other_forms_are_read(client):
    form = {"username": "ann@example.test", "password": "no\x00thing"}
    assert client.post("/admin/login/", form, format="multipart").status_code == 400
    assert client.post("/admin/login/", {**form, "password": "nothing"}, format="multipart").status_code == 200


def test_host_that_is_not_ours_is_400(client):
    assert code_of(client.get("/api/v1/sample/echo", headers={"Host": "evil.example"})) == (400, "VALIDATION_ERROR")


def test_a_host_that_is_not_ours_is_400_also_where_http_is_redirected(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert code_of(client.get("/api/v1/sample/echo", headers={"Host": "evil.example"})) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/sample/echo", "/health"])
def test_every_answer_has_its_length_and_the_headers_of_a_safe_one(client, path):
    answer = client.get(path)
    assert int(answer["Content-Length"]) == len(answer.content)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


def test_other_answers_pass_as_they_are(client):
    assert client.get("/api/v1/sample/plain-json").json() == {"hello": "world"}
    assert client.get("/").status_code == 302


def test_a_post_needs_no_csrf_token_and_an_admin_form_does(sample_urls):
    strict = Client(enforce_csrf_checks=True)
    given = strict.post("/api/v1/sample/echo", {"text": "hello"}, content_type="application/json")
    assert given.status_code == 201
    assert strict.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 403


def test_each_request_is_logged_once_under_its_id(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/api/v1/nothing", headers={"X-Request-ID": "abc"})
    mine = [record for record in caplog.records if record.name in ("outlast.request", "django.request")]
    assert [record.getMessage().split(" ")[:3] for record in mine] == [["GET", "unmatched", "404"]]


def test_the_id_does_not_outlive_the_request(client):
    client.get("/api/v1/sample/echo", headers={"X-Request-ID": "abc"})
    assert current_request_id.get() == "-"


def test_signed_in_answers_are_not_stored_by_caches(signed_in, player):
    answer = signed_in(player).get("/api/v1/sample/private")
    assert answer["Cache-Control"] == "no-store"
    assert "Authorization" in answer["Vary"]


@pytest.mark.parametrize(
    ("path", "status", "level"),
    [
        ("/api/v1/pools", 200, logging.INFO),
        ("/api/v1/pools", 503, logging.ERROR),
        ("/static/admin/base.css", 200, logging.DEBUG),
        ("/static/gone.css", 404, logging.INFO),
        ("/static/broken.css", 500, logging.ERROR),
    ],
)
def test_files_of_pages_do_not_bury_the_other_lines(path, status, level):
    assert level_of(path, status) == level


def posted(client, path, length, **more):
    """A body is not sent: what is said about it decides."""
    return client.post(path, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(length), **more)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/admin/login/", "PAGE_BODY_LIMIT"),
        ("/admin/", "PAGE_BODY_LIMIT"),
        ("/admin/nothing/", "PAGE_BODY_LIMIT"),
        ("/payments/return", "API_BODY_LIMIT"),
        ("/unsubscribe", "API_BODY_LIMIT"),
    ],
)
def test_a_form_that_no_page_has_is_refused_before_it_is_read(client, db, settings, path, limit):
    largest = getattr(settings, limit)
    answer = posted(client, path, largest + 1)

    assert (answer.status_code, answer["Connection"]) == (413, "close")
    assert posted(client, path, largest).status_code != 413


@pytest.mark.parametrize("length", ["x", "²", "-1", "9" * 5000])
@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/sample/echo"])
def test_a_length_that_is_none_is_400(client, path, length):
    assert posted(client, path, length).status_code == 400


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/me/documents"])
def test_a_long_form_without_a_length_is_refused_not_cut_off(client, settings, path):
    """The gate reads a chunked body to one byte past the limit."""
    answer = posted(client, path, settings.API_BODY_LIMIT + 1, HTTP_TRANSFER_ENCODING="chunked")

    assert answer.status_code == 413
    assert posted(client, path, settings.API_BODY_LIMIT + 1).status_code != 413
