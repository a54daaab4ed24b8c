"""What an operator sees, and how a server ends."""

from config.env import parsing
from config.env.variable import Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "LOG_FORMAT",
        "How log lines look: json, or text for people; empty means json in staging and production.",
        sample="",
        parse=parsing.one_of("", "json", "text"),
    ),
    Variable(
        "SLOW_STATEMENT_MS",
        "From how many milliseconds on a statement is written down as slow.",
        sample="200",
        default="200",
        test_default="60000",
        parse=parsing.number_within(1, 60_000),
    ),
    Variable(
        "DRAIN_SECONDS",
        "How long a web server that was told to end goes on serving, while /health/ready already says 503; 0 to 300.",
        sample="10",
        default="10",
        test_default="0",
        parse=parsing.number_within(0, 300),
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Where spans are sent, OTLP over HTTP, as http://127.0.0.1:4318; empty: nowhere. Needs the extra `telemetry`.",
        sample="",
        parse=parsing.url_with("http", "https"),
    ),
)
