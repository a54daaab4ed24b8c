"""How people sign in, and where staff do."""

from config.env import checks, parsing
from config.env.variable import Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "STAFF_TOTP_REQUIRED",
        "Whether staff need a second factor; empty: in staging and production they do.",
        sample="",
        parse=parsing.parse_flag_or_none,
        check=checks.on_in_production,
    ),
    Variable(
        "STAFF_IDLE_MINUTES",
        "After how many minutes without a click staff sign in to the back office again.",
        sample="30",
        default="30",
        parse=parsing.parse_count,
        check=checks.at_least_one,
    ),
    Variable(
        "GOOGLE_CLIENT_ID",
        "Our name at Google, for signing in through it; empty: nobody does.",
        sample="",
    ),
    Variable(
        "GOOGLE_CLIENT_SECRET",
        "What Google gave out with it.",
        sample="",
    ),
    Variable(
        "APPLE_CLIENT_ID",
        "Our services id at Apple, for signing in through it; empty: nobody does.",
        sample="",
    ),
    Variable(
        "APPLE_TEAM_ID",
        "Our team at Apple.",
        sample="",
    ),
    Variable(
        "APPLE_KEY_ID",
        "The id of the private key that Apple gave out.",
        sample="",
    ),
    Variable(
        "APPLE_PRIVATE_KEY",
        "That key (PEM), in one line: \\n for each of its line ends.",
        sample="",
        check=checks.signing_key_if_any,
    ),
    Variable(
        "OIDC_ISSUERS",
        "Other OpenID Connect issuers, as JSON: a list of id, name, issuer, client_id, client_secret.",
        sample="[]",
        default="[]",
        parse=parsing.parse_issuers,
        check=checks.issuers_https_when_served,
    ),
    Variable(
        "SIGN_IN_RETURNS",
        "Whole addresses that a sign-in through somebody else may come back to, comma-separated; empty: PUBLIC_URL/.",
        sample="",
        parse=parsing.parse_returns,
        check=checks.origins,
    ),
    Variable(
        "STAFF_NETWORKS",
        "Networks from which the back office can be reached, comma-separated, as 203.0.113.0/24; empty: from anywhere.",
        sample="",
        parse=parsing.parse_networks,
    ),
)
