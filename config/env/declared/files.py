"""Reports, uploads and logs: where they are kept, and for how long."""

from config.env import checks, parsing
from config.env.variable import Variable

VARIABLES: tuple[Variable, ...] = (
    Variable(
        "FINANCE_TIME_ZONE",
        "The zone whose days and months finance reports count in.",
        sample="America/New_York",
        default="UTC",
        parse=parsing.parse_zone,
    ),
    Variable(
        "REPORT_STORAGE",
        "file: keeps reports in OUTLAST_HOME/reports; s3://key:secret@host/bucket in an S3-compatible store.",
        sample="file:",
        default="file:",
        parse=parsing.parse_store,
        check=checks.encrypted_store_when_served,
    ),
    Variable(
        "REPORT_DAYS",
        "How many days a report's file is kept; its row stays for ever.",
        sample="90",
        default="90",
        parse=parsing.parse_count,
        check=checks.at_least_one,
    ),
    Variable(
        "PERSONAL_REPORT_DAYS",
        "The same for reports that name people.",
        sample="14",
        default="14",
        parse=parsing.parse_count,
        check=checks.at_least_one,
    ),
    Variable(
        "BREACHED_PASSWORDS",
        "Path of a file Pwned Passwords, ordered by hash (SHA-1); empty: the list that comes along is all there is.",
        sample="",
        parse=parsing.parse_hash_file,
    ),
    Variable(
        "PRIVATE_STORAGE",
        "file: keeps uploaded files in OUTLAST_HOME/uploads; s3://key:secret@host/bucket in an S3-compatible store.",
        sample="file:",
        default="file:",
        parse=parsing.parse_store,
        check=checks.encrypted_store_when_served,
    ),
    Variable(
        "VIRUS_SCAN",
        "clamd://host:port has a scanner look at what people upload before anybody opens it; off does without.",
        sample="off",
        default="off",
        parse=parsing.parse_scanner,
    ),
    Variable(
        "DOCUMENT_DAYS",
        "How many days a document that was accepted is kept; 1825 are five years.",
        sample="1825",
        default="1825",
        parse=parsing.parse_count,
        check=checks.at_least_one,
    ),
    Variable(
        "UNUSED_DOCUMENT_DAYS",
        "The same for documents that were rejected, infected or never looked at.",
        sample="30",
        default="30",
        parse=parsing.parse_count,
        check=checks.at_least_one,
    ),
    Variable(
        "LOG_LEVEL",
        "The least severe message that is logged: DEBUG, INFO, WARNING or ERROR.",
        sample="INFO",
        default="INFO",
        test_default="WARNING",
        parse=parsing.one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
)
