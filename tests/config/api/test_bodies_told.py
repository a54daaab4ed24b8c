"""What the schema says of bodies and addresses beyond their fields: what goes together, and what has to be there."""

import json

import jsonschema_rs
import pytest

from tests.support import contract


@pytest.fixture(scope="module")
def schema():
    return contract.schema_of("config.urls")


def allows(schema, method, path, body):
    takes = schema["paths"][f"/api/v1{path}"][method]["requestBody"]["content"]["application/json"]["schema"]
    told = json.loads(json.dumps({**takes, "components": schema["components"]}))
    return jsonschema_rs.validator_for(told).is_valid(body)


@pytest.mark.parametrize(
    ("body", "is_allowed"),
    [
        ({"report": "trial_balance"}, True),
        ({"report": "trial_balance", "options": {"money": "live"}}, True),
        ({"report": "trial_balance", "options": {"money": "mine"}}, False),
        ({"report": "trial_balance", "options": {"year": 2026}}, False),
        ({"report": "open_items", "first_day": "2026-01-01"}, False),
        ({"report": "tax_year", "options": {"year": 2026}}, True),
        ({"report": "tax_year", "options": {"year": "2026"}}, False),
        ({"report": "tax_year"}, False),
        ({"report": "provider_payouts", "pool": 1}, False),
        ({"report": "refunds", "format": "pdf"}, False),
        ({"report": "refunds", "first_day": "2026-01-01", "pool": 1, "as_of_export": 3}, True),
        ({"report": "nonsense"}, False),
    ],
)
def test_a_report_is_asked_what_it_can_be_asked(schema, body, is_allowed):
    assert allows(schema, "post", "/exports", body) is is_allowed


def test_what_needs_a_second_name_does_not_come_by_itself(schema):
    body = {"name": "Monthly", "every": "month", "options": {"year": 2026}}
    assert not allows(schema, "post", "/export-schedules", {**body, "report": "tax_year"})
    assert allows(schema, "post", "/export-schedules", {**body, "options": {}, "report": "trial_balance"})


@pytest.mark.parametrize(
    ("body", "is_allowed"),
    [
        ({"status": "final", "home_score": 3, "away_score": 0}, True),
        ({"status": "final", "home_score": 3}, False),
        ({"status": "in_progress"}, True),
        ({"status": "in_progress", "home_score": 3, "away_score": None}, False),
        ({"status": "postponed", "home_score": None}, True),
        ({"status": "postponed", "home_score": 3, "away_score": 0}, False),
    ],
)
def test_scores_stand_beside_a_status_that_has_some(schema, body, is_allowed):
    assert allows(schema, "put", "/games/{id}/result", body) is is_allowed


def test_a_pick_has_to_name_something(schema):
    assert schema["paths"]["/api/v1/entries/{entry_id}/picks/{number}"]["put"]["requestBody"]["required"] is True


def test_a_text_in_an_address_holds_no_nul(schema):
    texts = [
        parameter["schema"]
        for item in schema["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", ())
        if parameter.get("in") == "query" and parameter["schema"].get("type") == "string"
    ]
    assert texts
    assert all(text.keys() & {"enum", "format", "pattern"} for text in texts)
