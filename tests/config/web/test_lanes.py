"""Which kind of work a request is, told by its address."""

import pytest
from django.urls import resolve

from config.api.operations import operation_of
from config.web import lanes
from config.web.lanes import Lane, Shares, lane_of
from tests.security.routes import api_routes


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("GET", "/health", Lane.LIVE),
        ("GET", "/health/live", Lane.LIVE),
        ("GET", "/health/ready", Lane.PROBE),
        ("GET", "/ready", Lane.PROBE),
        ("GET", "/metrics", Lane.PROBE),
        ("GET", "/health/detailed", Lane.OTHER),
        ("PUT", "/api/v1/picks", Lane.PICK),
        ("PUT", "/api/v1/entries/12/picks/3", Lane.PICK),
        ("DELETE", "/api/v1/entries/12/picks/3", Lane.PICK),
        ("GET", "/api/v1/entries/12/picks", Lane.PICK),
        ("POST", "/api/v1/auth/token/refresh", Lane.PICK),
        ("GET", "/api/v1/entries/12", Lane.OTHER),
        ("POST", "/api/v1/auth/token", Lane.SIGN_IN),
        ("GET", "/api/v1/auth/token", Lane.OTHER),
        ("POST", "/admin/login/", Lane.SIGN_IN),
        ("GET", "/admin/login/", Lane.OTHER),
        ("POST", "/api/v1/requests/5/payment", Lane.PROVIDER),
        ("GET", "/payments/return", Lane.PROVIDER),
        ("GET", "/api/v1/auth/google/begin", Lane.PROVIDER),
        ("POST", "/api/v1/auth/apple/callback", Lane.PROVIDER),
        ("GET", "/api/v1/pools/1/rounds/2/report.csv", Lane.REPORT),
        ("GET", "/api/v1/pools", Lane.OTHER),
        ("POST", "/graphql", Lane.QUESTION),
        ("GET", "/graphql/", Lane.OTHER),
        ("GET", "/nothing", Lane.OTHER),
        ("PUT", "/api/v1/picks/", Lane.OTHER),
        ("PUT", "/x/api/v1/picks", Lane.OTHER),
    ],
)
def test_a_lane_is_told_by_method_and_path(method, path, lane):
    assert lane_of(method, path) is lane


@pytest.mark.parametrize(
    "path",
    [
        *sorted(lanes.LIVE_PATHS),
        *sorted(lanes.PROBE_PATHS),
        *sorted(lanes.SIGN_IN_PATHS),
        "/api/v1/picks",
        "/api/v1/entries/1/picks",
        "/api/v1/entries/1/picks/1",
        "/api/v1/entries/1/picks/1/history",
        "/api/v1/auth/token/refresh",
        "/api/v1/requests/1/payment",
        "/payments/return",
        "/api/v1/pools/1/rounds/1/report.json",
        "/api/v1/pools/1/rounds/1/report.csv",
        lanes.QUESTION_PATH,
    ],
)
def test_every_named_address_is_one_of_ours(path):
    assert resolve(path).route != "^(?P<url>.*)$"


def test_whatever_takes_a_password_is_a_sign_in():
    """A new door that hashes must not stand in the lane of everybody else."""
    found = set()
    for route in api_routes():
        body = operation_of(route.view, "POST").body if "POST" in route.verbs else None
        if any("password" in name for name in getattr(body, "_declared_fields", {})):
            found.add(route.path())
    assert len(found) >= 5
    assert {path for path in found if lane_of("POST", path) is not Lane.SIGN_IN} == set()


@pytest.mark.parametrize("at_once", [4, 8, 64])
def test_a_quarter_is_left_to_picks_and_every_lane_has_something(at_once):
    shares = Shares(at_once=at_once, waiting=64)
    assert shares.but_picks == at_once - at_once // 4
    assert shares.at_once_of(Lane.PICK) == at_once
    assert shares.at_once_of(Lane.SIGN_IN) == 1
    assert all(1 <= shares.at_once_of(lane) <= shares.but_picks for lane in Lane if lane is not Lane.PICK)
    assert (shares.inside, shares.inside_but_picks) == (at_once + 64, shares.but_picks + 48)
    assert (shares.inside_of(Lane.PICK), shares.inside_of(Lane.OTHER)) == (shares.inside, shares.inside_but_picks)
    assert shares.inside_of(Lane.SIGN_IN) == 1 + 16
