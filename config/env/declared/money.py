"""Providers of payments, and from which sums on somebody else has to agree."""

from config.env import checks, parsing
from config.env.variable import Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "PAYMENT_PROVIDER",
        "Who takes payments over the API: a module of payments/providers; manual takes none online.",
        sample="stripe",
        default="stripe",
    ),
    Variable(
        "STRIPE_SECRET_KEY",
        "Stripe's secret key; empty in local and test uses the Stripe double.",
        sample="sk_test_sample",
        secret_length=12,
        check=checks.stripe_key_of,
        required_when_served=True,
    ),
    Variable(
        "STRIPE_WEBHOOK_SECRETS",
        "Signing secrets of the webhook endpoint, comma-separated so that one can be rolled.",
        sample="whsec_sample_of_a_signing_secret",
        parse=parsing.parse_list,
        check=checks.webhook_secrets,
        required_when_served=True,
    ),
    Variable(
        "STRIPE_THIN_WEBHOOK_SECRETS",
        "Signing secrets of an endpoint that is sent thin events; empty where there is none.",
        sample="",
        parse=parsing.parse_list,
        check=checks.webhook_secrets_if_any,
    ),
    Variable(
        "STRIPE_API_BASE",
        "Address of a Stripe double; must be empty in staging and production.",
        sample="",
        parse=parsing.url_with("http", "https"),
        check=checks.absent_when_served,
    ),
    Variable(
        "WEBHOOK_REFUSALS_PER_HOUR",
        "From how many webhooks of a wrong signature within an hour on a person is told.",
        sample="20",
        default="20",
        parse=parsing.parse_count,
        check=checks.at_least_one,
    ),
    Variable(
        "REFUND_APPROVAL_ABOVE",
        "Refunds above this need a second name: hundredths of a unit, 10000 is 100.00; a tenth of it from house money.",
        sample="10000",
        default="10000",
        parse=parsing.parse_count,
    ),
    Variable(
        "WRITE_OFF_AT_MOST",
        "The most that two people may write off at once: hundredths of a unit, 5000 is 50.00.",
        sample="5000",
        default="5000",
        parse=parsing.parse_count,
    ),
    Variable(
        "RECONCILIATION_HEALS_AT_MOST",
        "How many things of a kind that only the provider knows a reconciliation heals unasked; ten times of our own.",
        sample="500",
        default="500",
        parse=parsing.parse_count,
    ),
    Variable(
        "AUTO_RETURN",
        "Whether money that became no place goes back by itself; false leaves all of it to a person.",
        sample="true",
        default="true",
        parse=parsing.parse_flag,
    ),
)
