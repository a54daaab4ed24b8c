"""What sets of values are called in the schema, so that a typed client has a name for each that says what it is of.

Where none is given, drf-spectacular makes one of the field's name, which another field of that name would change: a
breaking change for typed clients that nobody meant.
"""

ENUM_NAMES = {
    "AccessScope": "config.api.scopes.SCOPES",
    "AccountKind": "payments.ledger.accounts.Kind",
    "AccountingSystem": "payments.models.AccountingSystem",
    "CountryCode": "accounts.api.serializers.COUNTRIES",
    "DocumentKind": "accounts.models.DocumentKind",
    "DocumentStatus": "accounts.models.DocumentStatus",
    "EliminationReason": "entries.models.entry.EliminationReason",
    "EntryStatus": "entries.models.EntryStatus",
    "ErrorCode": "config.errors.Code",
    "ExportOrigin": "payments.models.ExportOrigin",
    "ExportStatus": "payments.models.ExportState",
    "FileFormat": "payments.models.FileFormat",
    "GameStatus": "pools.models.GameStatus",
    "JournalBatchStatus": "payments.models.BatchState",
    "LanguageCode": "accounts.api.messages.LANGUAGES",
    "ManualMethod": "payments.models.ManualMethod",
    "MoneySource": "payments.queries.MoneySource",
    "NotPlayedStatus": "entries.api.serializers.rulings.NOT_PLAYED_STATUSES",
    "PaymentState": "payments.queries.ShownStatus",
    "PaymentStatus": "entries.models.PaymentStatus",
    "PeriodStatus": "payments.models.PeriodState",
    "PickResult": "entries.queries.grades.PickResult",
    "PickSource": "entries.models.PickSource",
    "PoolStatus": "pools.models.PoolStatus",
    # Of amendments and of rulings: both are proposed by one person and decided by another.
    "ProposalStatus": "pools.models.AmendmentStatus",
    "ProposedKind": "entries.api.serializers.rulings.PROPOSED_KINDS",
    "ReminderHours": "accounts.api.messages.HOURS",
    "ReportFate": "entries.queries.rounds.Fate",
    "RequestKind": "entries.models.RequestKind",
    "RequestStatus": "entries.models.RequestStatus",
    "Role": "accounts.models.Role",
    "RoundStatus": "pools.queries.RoundStatus",
    "RuleKey": "pools.models.Rules.KEYS",
    "RulingKind": "entries.models.RulingKind",
    "RulingVerdict": "entries.services.rulings.games.TAKES",
    "ScheduleInterval": "payments.models.export_schedule.Every",
    "ScheduleStatus": "payments.models.ScheduleState",
    "WebhookAttemptCause": "accounts.models.webhook_types.AttemptCause",
    "WebhookCovers": "accounts.models.webhook_types.Covers",
    "WebhookEventType": "accounts.services.webhooks.endpoints.SUBSCRIBABLE",
}
