"""`If-Match` as it is read: what versions a caller says to have seen."""

import pytest
from rest_framework.request import Request

from config.api.editing import LONGEST, seen_by
from config.errors import DomainError


def asked(rf, text):
    return Request(rf.put("/", headers={} if text is None else {"If-Match": text}))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ('"71-72.ab12"', {"71-72"}),
        ('W/"71-72.ab12"', {"71-72"}),
        ('"71"', {"71"}),
        ('"71.a", W/"72.b" ,"73."', {"71", "72", "73"}),
        ('""', {""}),
    ],
)
def test_the_version_is_what_stands_before_the_dot(rf, text, seen):
    assert seen_by(asked(rf, text)) == seen


@pytest.mark.parametrize("text", ["", "71", "'71'", '"71', 'w/"71"', '"71" "72"', '"7,', '"a\x7fb"', '*, "71"'])
def test_what_is_no_tag_is_refused(rf, text):
    with pytest.raises(DomainError) as refusal:
        seen_by(asked(rf, text))
    assert (refusal.value.code, list(refusal.value.details)) == ("VALIDATION_ERROR", ["If-Match"])


def test_a_header_without_end_is_refused(rf):
    with pytest.raises(DomainError):
        seen_by(asked(rf, ", ".join(['"71"'] * LONGEST)))


def test_a_write_that_compares_nothing_says_so(client):
    answer = client.put("/api/v1/sample/echo", {"picks": []}, format="json", headers={"If-Match": '"71"'})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["If-Match"])


def test_a_read_does_not_mind(client):
    assert client.get("/api/v1/sample/echo", headers={"If-Match": '"71"'}).status_code == 200
