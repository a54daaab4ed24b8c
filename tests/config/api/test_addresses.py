"""Whom a request came from."""

import pytest
from django.test import RequestFactory

from config.api.addresses import client_address, network_of


def address(peer, forwarded=None):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.mark.parametrize("forwarded", ["1.2.3.4", "1.2.3.4, 5.6.7.8", "junk"])
def test_without_proxies_the_header_means_nothing(settings, forwarded):
    settings.TRUSTED_PROXY_COUNT = 0
    assert address("9.9.9.9", forwarded) == "9.9.9.9"


@pytest.mark.parametrize(
    ("count", "forwarded", "expected"),
    [
        (1, "7.7.7.7", "7.7.7.7"),
        (1, "1.2.3.4, 7.7.7.7", "7.7.7.7"),
        (2, "1.2.3.4, 7.7.7.7, 8.8.8.8", "7.7.7.7"),
        (1, "1.2.3.4,junk", "9.9.9.9"),
        (2, "7.7.7.7", "9.9.9.9"),
        (1, None, "9.9.9.9"),
        (1, "::ffff:7.7.7.7", "7.7.7.7"),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_behind_proxies_the_caller_stands_that_many_from_the_right(settings, count, forwarded, expected):
    settings.TRUSTED_PROXY_COUNT = count
    assert address("9.9.9.9", forwarded) == expected


def test_a_peer_without_address_is_unknown(settings):
    settings.TRUSTED_PROXY_COUNT = 0
    assert address("") == "unknown"


@pytest.mark.parametrize(
    ("given", "network"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_caller_is_an_ipv4_address_or_an_ipv6_64(given, network):
    assert network_of(given) == network
