import pytest
from django.http import QueryDict
from rest_framework import serializers

from config.api.strictness import MOST_NAMED, UNKNOWN, faults_of, misspelt

ID = "00000000-0000-4000-8000-000000000007"


class Item(serializers.Serializer):
    team = serializers.CharField()


class Body(serializers.Serializer):
    text = serializers.CharField(required=False, allow_null=True)
    short = serializers.CharField(required=False, max_length=5)
    count = serializers.IntegerField(required=False)
    share = serializers.FloatField(required=False)
    flag = serializers.BooleanField(required=False, allow_null=True)
    id = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField([("1", "one"), ("a", "another")], required=False, allow_blank=True)
    size = serializers.ChoiceField([(1, "small"), (2, "large")], required=False)
    kinds = serializers.MultipleChoiceField(choices=[("a", "one"), ("b", "another")], required=False)
    items = Item(many=True, required=False)
    numbers = serializers.ListField(child=serializers.IntegerField(), required=False)
    at = serializers.DateTimeField(required=False)
    day = serializers.DateField(required=False)
    code = serializers.SlugField(required=False)


def faults(body) -> dict:
    return faults_of(Body(), body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 7),
        ("text", 1.5),
        ("text", True),
        ("count", "7"),
        ("count", "٧"),
        ("count", True),
        ("count", ""),
        ("share", "0.5"),
        ("share", False),
        ("flag", "yes"),
        ("flag", 1),
        ("flag", ""),
        ("id", 7),
        ("kind", 1),
        ("kind", True),
        ("size", "1"),
        ("size", True),
        ("kinds", {"a": 1}),
        ("kinds", "a"),
        ("id", ID.replace("-", "")),
        ("id", f"{{{ID}}}"),
        ("at", "2026-06-30"),
        ("at", "2026-06-30T12:00:00"),
        ("at", "2026-06-30T12:00Z"),
        ("at", "2026-06-30 12:00:00Z"),
        ("at", "20260630T120000Z"),
        ("at", "٢٠٢٦-06-30T12:00:00Z"),
        ("at", 1782820800),
        ("code", 7),
        ("code", " nfl-2026 "),
        ("day", "20260630"),
        ("day", "2026-W27-2"),
        ("day", "2026-06-30T12:00:00Z"),
    ],
)
def test_a_value_of_another_type_is_not_read_as_if_it_were_one(field, value):
    assert list(faults({field: value})) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "7"),
        ("text", None),
        ("count", 7),
        ("count", 7.0),
        ("share", 1),
        ("share", 0.5),
        ("flag", False),
        ("flag", None),
        ("id", ID),
        ("kind", "1"),
        ("kind", ""),
        ("size", 1),
        ("kinds", ["a"]),
        ("numbers", [1, 2]),
        ("at", "2026-06-30T12:00:00Z"),
        ("at", "2026-06-30T12:00:00.123456-05:00"),
        ("day", "2026-06-30"),
        ("code", "nfl-2026"),
    ],
)
def test_a_value_of_its_type_is_taken(field, value):
    body = Body(data={field: value})
    assert (faults({field: value}), body.is_valid()) == ({}, True)


def test_what_is_wrong_is_named_with_its_place():
    body = {"items": [{"team": "KC"}, {"team": 7, "taem": "KC"}], "numbers": [1, "2"], "other": 1}
    assert faults(body) == {
        "items.1.team": ["Not a valid string."],
        "items.1.taem": [UNKNOWN],
        "numbers.1": ["A valid integer is required."],
        "other": [UNKNOWN],
    }


def test_a_form_has_texts_alone():
    assert faults(QueryDict("count=7&flag=true&other=1")) == {"other": [UNKNOWN]}


@pytest.mark.parametrize(
    "text", ["count=٧", "count=%2B7", "count=1_000", "count=+7+", "count=7.0", "flag=1", "flag=yes", "code=+a+"]
)
def test_in_an_address_a_type_is_written_in_one_way(text):
    assert list(misspelt(Body(), QueryDict(text))) == [text.partition("=")[0]]
    assert list(faults_of(Body(), QueryDict(text))) == [text.partition("=")[0]]


@pytest.mark.parametrize("text", ["count=7", "count=-7", "flag=true", "flag=False", "kind=1", "text=7", "limit=x"])
def test_an_address_is_read_without_regard_to_what_the_list_itself_takes(text):
    assert misspelt(Body(), QueryDict(text)) == {}


def test_how_an_instant_is_written_is_said():
    assert faults({"at": "2026-06-30"})["at"][0].endswith("YYYY-MM-DDThh:mm:ssZ.")


def test_a_text_is_not_too_long_for_the_space_around_it_either():
    assert faults({"short": "five!"}) == {}
    assert faults({"short": " five!"}) == {"short": ["Ensure this field has no more than 5 characters."]}


def test_of_many_faults_a_few_are_named():
    assert len(faults({"numbers": ["1"] * 900})) == MOST_NAMED


def test_a_service_that_refuses_names_itself_is_not_told_about_them():
    class Open(serializers.Serializer):
        refuses_unknown_itself = True

    assert faults_of(Open(), {"anything": 1}) == {}


def test_the_caller_is_told_in_the_words_of_the_field(client):
    answer = client.post("/api/v1/sample/echo", {"text": 7, "number": "1"}, format="json")
    assert (answer.status_code, answer.json()["error"]["details"]) == (
        400,
        {"text": ["Not a valid string."], "number": ["A valid integer is required."]},
    )
