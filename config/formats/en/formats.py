"""As in the changes of a row, in mails and reports: short enough for a column, and nobody mistakes the month."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i e"
