"""Every environment variable of the system, declared once and checked together at start-up.

`read()` looks at all of them, collects every fault and raises one `BadEnvironment` that names each. Staging and
production accept no missing secret, no sample from `.env.example`, no short key, no DEBUG and no plain http; local and
test fill in what is missing. A secret's value is never part of a message.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured

from config import variables as v
from config.variables import Environment, Variable

PROJECT = Path(__file__).resolve().parent.parent

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "OUTLAST_ENV",
        "Where this runs: local, test, staging or production.",
        sample="local",
        default="local",
        parse=v.one_of(*Environment),
    ),
    Variable(
        "OUTLAST_HOME",
        "Folder for data, logs, mail, reports and uploads.",
        sample="./var",
        default="./var",
    ),
    Variable(
        "OUTLAST_SERVICES",
        "embedded: local and test start their own PostgreSQL, Redis and Stripe double; off: they never do.",
        sample="embedded",
        default="embedded",
        parse=v.one_of("embedded", "off"),
    ),
    Variable(
        "OUTLAST_PROCESS",
        "What this process is, for its database timeouts: web, worker or command.",
        sample="command",
        default="command",
        parse=v.one_of("web", "worker", "command"),
    ),
    Variable(
        "OUTLAST_RELEASE",
        "The release that is deployed, kept on runs and exports; empty: the commit that is checked out.",
        sample="",
    ),
    Variable(
        "DEBUG",
        "Django's debug pages; refused in staging and production.",
        sample="false",
        default="false",
        parse=v.parse_flag,
        check=v.off_when_served,
    ),
    Variable(
        "SECRET_KEY",
        "Signs sessions, links in mails and cursors; at least 50 characters.",
        sample="sample-secret-key-make-your-own-with-50-random-characters",
        secret_length=50,
        required_when_served=True,
    ),
    Variable(
        "JWT_SIGNING_KEY",
        "Signs access and refresh tokens; at least 64 characters, and not SECRET_KEY.",
        sample="sample-jwt-signing-key-make-your-own-with-64-random-characters-or-more",
        secret_length=64,
        required_when_served=True,
    ),
    Variable(
        "JWT_PREVIOUS_SIGNING_KEYS",
        "Earlier signing keys, comma-separated: their tokens stay good. Drop one 30 days after it was replaced.",
        sample="",
        parse=v.parse_list,
        check=v.previous_keys,
    ),
    Variable(
        "SLIP_SIGNING_KEY",
        "Signs the slip of each saved pick; at least 43 characters, and neither of the other keys.",
        sample="sample-slip-signing-key-make-your-own-random-one",
        secret_length=43,
        required_when_served=True,
    ),
    Variable(
        "PERSONAL_DATA_KEYS",
        "Encrypt personal data, comma-separated: the first encrypts, all decrypt; 43 or more url-safe characters each.",
        sample="sample-personal-data-key-make-your-own-random-one",
        parse=v.parse_list,
        secret_length=43,
        check=v.personal_data_keys,
        required_when_served=True,
    ),
    Variable(
        "DATABASE_URL",
        "PostgreSQL 15 or newer; empty in local and test starts the embedded one.",
        sample="postgres://outlast:sample-password@127.0.0.1:5432/outlast",
        parse=v.url_with("postgres", "postgresql"),
        check=v.password_when_served,
        required_when_served=True,
    ),
    Variable(
        "REDIS_URL",
        "Redis for caches and rate limits; empty in local and test starts the embedded one.",
        sample="redis://:sample-password@127.0.0.1:6379/0",
        parse=v.url_with("redis", "rediss"),
        check=v.password_when_served,
        required_when_served=True,
    ),
    Variable(
        "CELERY_BROKER_URL",
        "Redis that carries Celery's hints; may be the same server, another database.",
        sample="redis://:sample-password@127.0.0.1:6379/1",
        parse=v.url_with("redis", "rediss"),
        check=v.password_when_served,
        required_when_served=True,
    ),
    Variable(
        "STAFF_TOTP_REQUIRED",
        "Whether staff need a second factor; empty: in staging and production they do.",
        sample="",
        parse=v.parse_flag_or_none,
        check=v.on_in_production,
    ),
    Variable(
        "STAFF_IDLE_MINUTES",
        "After how many minutes without a click staff sign in to the back office again.",
        sample="30",
        default="30",
        parse=v.parse_count,
        check=v.at_least_one,
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
        check=v.signing_key_if_any,
    ),
    Variable(
        "OIDC_ISSUERS",
        "Other OpenID Connect issuers, as JSON: a list of id, name, issuer, client_id, client_secret.",
        sample="[]",
        default="[]",
        parse=v.parse_issuers,
        check=v.issuers_https_when_served,
    ),
    Variable(
        "SIGN_IN_RETURNS",
        "Whole addresses that a sign-in through somebody else may come back to, comma-separated; empty: PUBLIC_URL/.",
        sample="",
        parse=v.parse_returns,
        check=v.origins,
    ),
    Variable(
        "STAFF_NETWORKS",
        "Networks from which the back office can be reached, comma-separated, as 203.0.113.0/24; empty: from anywhere.",
        sample="",
        parse=v.parse_networks,
    ),
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
        check=v.stripe_key_of,
        required_when_served=True,
    ),
    Variable(
        "STRIPE_WEBHOOK_SECRETS",
        "Signing secrets of the webhook endpoint, comma-separated so that one can be rolled.",
        sample="whsec_sample_of_a_signing_secret",
        parse=v.parse_list,
        check=v.webhook_secrets,
        required_when_served=True,
    ),
    Variable(
        "STRIPE_THIN_WEBHOOK_SECRETS",
        "Signing secrets of an endpoint that is sent thin events; empty where there is none.",
        sample="",
        parse=v.parse_list,
        check=v.webhook_secrets_if_any,
    ),
    Variable(
        "STRIPE_API_BASE",
        "Address of a Stripe double; must be empty in staging and production.",
        sample="",
        parse=v.url_with("http", "https"),
        check=v.absent_when_served,
    ),
    Variable(
        "WEBHOOK_REFUSALS_PER_HOUR",
        "From how many webhooks of a wrong signature within an hour on a person is told.",
        sample="20",
        default="20",
        parse=v.parse_count,
        check=v.at_least_one,
    ),
    Variable(
        "REFUND_APPROVAL_ABOVE",
        "Refunds above this need a second name: hundredths of a unit, 10000 is 100.00; a tenth of it from house money.",
        sample="10000",
        default="10000",
        parse=v.parse_count,
    ),
    Variable(
        "WRITE_OFF_AT_MOST",
        "The most that two people may write off at once: hundredths of a unit, 5000 is 50.00.",
        sample="5000",
        default="5000",
        parse=v.parse_count,
    ),
    Variable(
        "RECONCILIATION_HEALS_AT_MOST",
        "How many things of a kind that only the provider knows a reconciliation heals unasked; ten times of our own.",
        sample="500",
        default="500",
        parse=v.parse_count,
    ),
    Variable(
        "AUTO_RETURN",
        "Whether money that became no place goes back by itself; false leaves all of it to a person.",
        sample="true",
        default="true",
        parse=v.parse_flag,
    ),
    Variable(
        "PUBLIC_URL",
        "The address players use, for links in mails and the payment's way back.",
        sample="http://127.0.0.1:8000",
        default="http://127.0.0.1:8000",
        parse=v.url_with("http", "https"),
        check=v.https_when_served,
        required_when_served=True,
    ),
    Variable(
        "ALLOWED_HOSTS",
        "Host names that may be asked for, comma-separated.",
        sample="localhost,127.0.0.1,[::1]",
        default="localhost,127.0.0.1,[::1]",
        test_default="localhost,127.0.0.1,[::1],testserver",
        parse=v.parse_list,
        check=v.no_wildcard,
        required_when_served=True,
    ),
    Variable(
        "CSRF_TRUSTED_ORIGINS",
        "Origins that may post forms to the admin, comma-separated; empty means PUBLIC_URL alone.",
        sample="http://127.0.0.1:8000",
        parse=v.parse_list,
        check=v.origins,
    ),
    Variable(
        "EMAIL_URL",
        "file: writes mails to OUTLAST_HOME/mail; smtp+tls://user:password@host:587 or smtps://…:465 sends them.",
        sample="file:",
        default="file:",
        parse=v.parse_mail,
        check=v.smtp_when_served,
        required_when_served=True,
    ),
    Variable(
        "DEFAULT_FROM_EMAIL",
        "The sender of our mails.",
        sample="Outlast <no-reply@outlast.test>",
        default="Outlast <no-reply@outlast.test>",
        check=v.sender,
        required_when_served=True,
    ),
    Variable(
        "SENTRY_DSN",
        "Where crashes are reported, scrubbed; empty reports nothing.",
        sample="",
        parse=v.url_with("https", "http"),
    ),
    Variable(
        "OUTGOING_HOSTS",
        "Hosts that results feeds are fetched from, comma-separated; empty allows every host outside private networks.",
        sample="",
        parse=v.parse_hosts,
    ),
    Variable(
        "CORS_ORIGINS",
        "Other origins whose pages may call the API, comma-separated, as https://play.example.org; empty: none.",
        sample="",
        parse=v.parse_origins,
        check=v.origins,
    ),
    Variable(
        "MAX_IN_WORK",
        "How many requests a web process works on at once, and how many connections to PostgreSQL it holds; 4 to 64.",
        sample="8",
        default="8",
        parse=v.number_within(4, 64),
    ),
    Variable(
        "MAX_WAITING",
        "How many more may wait; whoever comes then is answered 503 at once.",
        sample="64",
        default="64",
        parse=v.number_within(4, 1024),
    ),
    Variable(
        "MAX_WAIT_MS",
        "How long a request waits to be worked on before it is answered 503, in milliseconds.",
        sample="5000",
        default="5000",
        parse=v.number_within(50, 30_000),
    ),
    Variable(
        "TRUSTED_PROXY_COUNT",
        "How many proxies of ours stand in front and append to X-Forwarded-For; 0 believes no such header.",
        sample="0",
        default="0",
        parse=v.parse_count,
        required_when_served=True,
    ),
    Variable(
        "RATE_LIMIT_SCALE",
        "Multiplies the limits that spread load or count an address; not those of one account, sign-in or money.",
        sample="1",
        default="1",
        parse=v.parse_count,
        check=v.at_least_one,
    ),
    Variable(
        "METRICS_TOKEN",
        "Bearer token for /metrics; empty in staging and production leaves it to staff and loopback callers.",
        sample="",
        secret_length=20,
    ),
    Variable(
        "FINANCE_TIME_ZONE",
        "The zone whose days and months finance reports count in.",
        sample="America/New_York",
        default="UTC",
        parse=v.parse_zone,
    ),
    Variable(
        "REPORT_STORAGE",
        "file: keeps reports in OUTLAST_HOME/reports; s3://key:secret@host/bucket in an S3-compatible store.",
        sample="file:",
        default="file:",
        parse=v.parse_store,
        check=v.encrypted_store_when_served,
    ),
    Variable(
        "REPORT_DAYS",
        "How many days a report's file is kept; its row stays for ever.",
        sample="90",
        default="90",
        parse=v.parse_count,
        check=v.at_least_one,
    ),
    Variable(
        "PERSONAL_REPORT_DAYS",
        "The same for reports that name people.",
        sample="14",
        default="14",
        parse=v.parse_count,
        check=v.at_least_one,
    ),
    Variable(
        "BREACHED_PASSWORDS",
        "Path of a file Pwned Passwords, ordered by hash (SHA-1); empty: the list that comes along is all there is.",
        sample="",
        parse=v.parse_hash_file,
    ),
    Variable(
        "PRIVATE_STORAGE",
        "file: keeps uploaded files in OUTLAST_HOME/uploads; s3://key:secret@host/bucket in an S3-compatible store.",
        sample="file:",
        default="file:",
        parse=v.parse_store,
        check=v.encrypted_store_when_served,
    ),
    Variable(
        "VIRUS_SCAN",
        "clamd://host:port has a scanner look at what people upload before anybody opens it; off does without.",
        sample="off",
        default="off",
        parse=v.parse_scanner,
    ),
    Variable(
        "DOCUMENT_DAYS",
        "How many days a document that was accepted is kept; 1825 are five years.",
        sample="1825",
        default="1825",
        parse=v.parse_count,
        check=v.at_least_one,
    ),
    Variable(
        "UNUSED_DOCUMENT_DAYS",
        "The same for documents that were rejected, infected or never looked at.",
        sample="30",
        default="30",
        parse=v.parse_count,
        check=v.at_least_one,
    ),
    Variable(
        "LOG_LEVEL",
        "The least severe message that is logged: DEBUG, INFO, WARNING or ERROR.",
        sample="INFO",
        default="INFO",
        test_default="WARNING",
        parse=v.one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
)

# Each signs something else: one that leaks must not open the other doors.
DISTINCT_KEYS = (
    "SECRET_KEY",
    "JWT_SIGNING_KEY",
    "JWT_PREVIOUS_SIGNING_KEYS",
    "SLIP_SIGNING_KEY",
    "PERSONAL_DATA_KEYS",
)

TOGETHER = (
    ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
    ("APPLE_CLIENT_ID", "APPLE_TEAM_ID", "APPLE_KEY_ID", "APPLE_PRIVATE_KEY"),
)


class BadEnvironment(ImproperlyConfigured):
    """One or more variables are missing or wrong; the message lists all of them."""

    def __init__(self, environment: str, faults: list[str]) -> None:
        self.faults = faults
        listed = "\n".join(f"  - {fault}" for fault in faults)
        noun = "fault" if len(faults) == 1 else "faults"
        super().__init__(f"The {environment} environment has {len(faults)} {noun}:\n{listed}\nSee .env.example.")


class Settings:
    """The values of all variables, read and checked, by name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A text variable."""
        return cast(str, self._values[name])

    def flag(self, name: str) -> bool:
        """A true/false variable."""
        return cast(bool, self._values[name])

    def number(self, name: str) -> int:
        """A whole number."""
        return cast(int, self._values[name])

    def texts(self, name: str) -> list[str]:
        """A comma-separated variable."""
        return cast(list[str], self._values[name])

    def value(self, name: str) -> Any:
        """Whatever the variable's parser makes."""
        return self._values[name]


def environment_of(source: Mapping[str, str]) -> Environment:
    """Which environment the variables describe, before anything else is read."""
    name = source.get("OUTLAST_ENV", "").strip() or "local"
    if name not in list(Environment):
        raise BadEnvironment(name, [f"OUTLAST_ENV must be one of {', '.join(Environment)}."])
    return Environment(name)


def read(source: Mapping[str, str]) -> Settings:
    """Read and check every variable. Raises one `BadEnvironment` with all faults, never the first alone."""
    environment = environment_of(source)
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable in VARIABLES:
        try:
            values[variable.name] = variable.read(source.get(variable.name, ""), environment)
        except ValueError as fault:
            faults.append(f"{variable.name} {fault}. {variable.meaning}")
    faults.extend(_shared_keys(source))
    faults.extend(_half_given(source))
    if faults:
        raise BadEnvironment(environment, faults)
    return Settings(values)


def _shared_keys(source: Mapping[str, str]) -> list[str]:
    given = [(name, set(v.parse_list(source.get(name, "")))) for name in DISTINCT_KEYS]
    return [
        f"{name} must differ from {other}."
        for i, (name, keys) in enumerate(given)
        for other, known in given[:i]
        if keys & known
    ]


def _half_given(source: Mapping[str, str]) -> list[str]:
    """A provider of sign-ins is set up as a whole or not at all."""
    faults = []
    for names in TOGETHER:
        given = [name for name in names if source.get(name, "").strip()]
        if given and len(given) < len(names):
            faults += [f"{name} is missing: {given[0]} is given." for name in names if name not in given]
    return faults


LINE = re.compile(r"^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$")


def read_file(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a `.env` file; comments and blank lines are skipped, quotes around a value dropped."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = LINE.match(line)
        if match:
            name, value = match.groups()
            quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
            found[name] = value[1:-1] if quoted else value
    return found
