"""What is told live: where, and to how many."""

from config.env import checks, parsing
from config.env.variable import Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "LIVE_URL",
        "Where the live process answers, if not at PUBLIC_URL by way of a proxy; the web server sends callers there.",
        sample="http://127.0.0.1:8001",
        test_default="http://live.test",
        parse=parsing.url_with("http", "https"),
        check=checks.https_when_served,
    ),
    Variable(
        "LIVE_CLIENTS",
        "How many clients one live process lets listen; whoever comes then is answered 503.",
        sample="5000",
        default="5000",
        parse=parsing.number_within(10, 50_000),
    ),
    Variable(
        "LIVE_CLIENTS_PER_ADDRESS",
        "How many of them from one address, or one /64 of IPv6.",
        sample="100",
        default="100",
        parse=parsing.number_within(1, 50_000),
    ),
)
