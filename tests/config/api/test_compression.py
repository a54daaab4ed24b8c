"""gzip of what is read."""

import gzip
import json

import pytest

from config.api.compression import accepts_gzip

pytestmark = pytest.mark.django_db

BIG = "/api/v1/sample/big"
GZIP = {"Accept-Encoding": "br, gzip"}


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("br", False),
        ("", False),
        ("gzip;q=much", False),
    ],
)
def test_gzip_is_taken_by_name_or_by_a_star_unless_it_weighs_nothing(accepted, is_taken):
    assert accepts_gzip(accepted) is is_taken


def test_a_long_answer_travels_compressed(client):
    plain, packed = client.get(BIG), client.get(BIG, headers=GZIP)
    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert json.loads(gzip.decompress(packed.content))["data"] == plain.json()["data"]
    assert "Accept-Encoding" in packed["Vary"]
    assert "Accept-Encoding" in plain["Vary"]


def test_both_forms_have_the_same_weak_tag_and_either_gets_a_304(client):
    plain, packed = client.get(BIG), client.get(BIG, headers=GZIP)
    assert plain["ETag"] == packed["ETag"]
    answer = client.get(BIG, headers=GZIP | {"If-None-Match": plain["ETag"]})
    assert (answer.status_code, answer.has_header("Content-Encoding")) == (304, False)


def test_the_length_tells_nothing_exact(client):
    assert len({len(client.get(BIG, headers=GZIP).content) for _ in range(20)}) > 1


@pytest.mark.parametrize("path", ["echo", "big-secret", "big-file"])
def test_short_answers_secrets_and_files_travel_as_they_are(client, path):
    assert not client.get(f"/api/v1/sample/{path}", headers=GZIP).has_header("Content-Encoding")


def test_what_answers_a_write_is_not_compressed(client):
    assert not client.post(BIG, headers=GZIP).has_header("Content-Encoding")


def test_reads_that_tell_slips_say_so():
    from entries.api.picks import EntryPicksViewSet

    assert EntryPicksViewSet.tells_secrets
