"""Where a process runs, what it signs and encrypts with, and where its services are."""

from config.env import checks, parsing
from config.env.variable import Environment, Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "OUTLAST_ENV",
        "Where this runs: local, test, staging or production.",
        sample="local",
        default="local",
        parse=parsing.one_of(*Environment),
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
        parse=parsing.one_of("embedded", "off"),
    ),
    Variable(
        "OUTLAST_PROCESS",
        "What this process is, for its database timeouts: web, worker or command.",
        sample="command",
        default="command",
        parse=parsing.one_of("web", "worker", "command"),
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
        parse=parsing.parse_flag,
        check=checks.off_when_served,
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
        parse=parsing.parse_list,
        check=checks.previous_keys,
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
        parse=parsing.parse_list,
        secret_length=43,
        check=checks.personal_data_keys,
        required_when_served=True,
    ),
    Variable(
        "DATABASE_URL",
        "PostgreSQL 15 or newer; empty in local and test starts the embedded one.",
        sample="postgres://outlast:sample-password@127.0.0.1:5432/outlast",
        parse=parsing.url_with("postgres", "postgresql"),
        check=checks.password_when_served,
        required_when_served=True,
    ),
    Variable(
        "REDIS_URL",
        "Redis for caches and rate limits; empty in local and test starts the embedded one.",
        sample="redis://:sample-password@127.0.0.1:6379/0",
        parse=parsing.url_with("redis", "rediss"),
        check=checks.password_when_served,
        required_when_served=True,
    ),
    Variable(
        "CELERY_BROKER_URL",
        "Redis that carries Celery's hints; may be the same server, another database.",
        sample="redis://:sample-password@127.0.0.1:6379/1",
        parse=parsing.url_with("redis", "rediss"),
        check=checks.password_when_served,
        required_when_served=True,
    ),
)
