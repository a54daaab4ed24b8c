"""What is going to end is announced."""

from datetime import date

import pytest

from config.api.deprecation import Deprecation
from tests.config.api.conftest import SAMPLE
from tests.support.contract import schema_of

pytestmark = pytest.mark.django_db


def test_a_deprecated_operation_says_since_when_until_when_and_what_instead(client):
    for answer in (client.get("/api/v1/sample/big"), client.head("/api/v1/sample/big")):
        assert answer["Deprecation"] == "@1803859200"
        assert answer["Sunset"] == "Wed, 01 Mar 2028 00:00:00 GMT"
        assert answer["Link"] == '</api/docs/>; rel="deprecation", </api/v2/big>; rel="successor-version"'


def test_a_304_says_it_as_well(client):
    tag = client.get("/api/v1/sample/big")["ETag"]
    answer = client.get("/api/v1/sample/big", headers={"If-None-Match": tag})
    assert (answer.status_code, answer["Deprecation"]) == (304, "@1803859200")


def test_another_method_of_the_address_says_nothing(client):
    answer = client.post("/api/v1/sample/big")
    assert [answer.has_header(name) for name in ("Deprecation", "Sunset", "Link")] == [False, False, False]


def test_a_deprecated_field_has_a_link_alone(client):
    answer = client.get("/api/v1/sample/card")
    assert answer["Link"] == '</api/docs/>; rel="deprecation"'
    assert not answer.has_header("Deprecation")


def test_less_than_a_year_of_notice_cannot_be_declared():
    with pytest.raises(ValueError, match="365 days"):
        Deprecation(since=date(2027, 3, 1), sunset=date(2028, 2, 28))


class TestInTheSchema:
    def test_the_operation_is_deprecated(self):
        big = schema_of(SAMPLE)["paths"]["/api/v1/sample/big"]
        assert (big["get"]["deprecated"], "deprecated" in big["post"]) == (True, False)

    def test_the_field_is_deprecated(self):
        card = schema_of(SAMPLE)["components"]["schemas"]["CardLike"]["properties"]
        assert (card["name"]["deprecated"], "deprecated" in card["id"]) == (True, False)
