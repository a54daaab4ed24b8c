"""Money: payments, receipts, refunds, disputes, prizes, what was passed by hand, the inbox, and what is unclear."""

from payments.ledger.models import Account, Checkpoint, Currency, JournalEntry, Posting
from payments.models.accounting import (
    AccountingSystem,
    AccountMapping,
    AccountMappingChange,
    BatchState,
    JournalBatch,
    JournalBatchChange,
    JournalBatchDay,
)
from payments.models.bank import (
    BankAccount,
    BankFile,
    BankFormat,
    BankLine,
    BankLineChange,
    BankLineState,
    BankStatement,
)
from payments.models.bank_match import BankMatch, FoundBy, MatchKind
from payments.models.cancellation import Cancellation, CancellationChange, CancellationState
from payments.models.discrepancy import (
    Act,
    Discrepancy,
    DiscrepancyAct,
    DiscrepancyChange,
    DiscrepancyKind,
    DiscrepancyState,
)
from payments.models.dispute import Dispute, DisputeChange, DisputeState, LossBearer
from payments.models.entry_money import EntryMoney
from payments.models.export import (
    DownloadWay,
    Export,
    ExportChange,
    ExportDownload,
    ExportOrigin,
    ExportState,
    FileFormat,
)
from payments.models.export_schedule import Every, ExportSchedule, ExportScheduleChange, ScheduleState
from payments.models.foreign import ForeignObject, ForeignObjectChange, ForeignState
from payments.models.instrument import Instrument
from payments.models.manual import Evidence, ManualMethod, ManualRecord, ManualRecordChange, ManualState
from payments.models.movement import Movement, MovementKind
from payments.models.payment import Payment, PaymentChange, PaymentState, Provider
from payments.models.payout import Payout, PayoutChange, PayoutState, PrizeBooking
from payments.models.payout_account import PayoutAccount, PayoutAccountChange, PayoutAccountState
from payments.models.period import PeriodClose, PeriodCloseChange, PeriodState
from payments.models.prize_correction import CorrectionKind, CorrectionState, PrizeCorrection, PrizeCorrectionChange
from payments.models.provider_payout import (
    ProviderPayout,
    ProviderPayoutChange,
    ProviderPayoutItem,
    ProviderPayoutState,
)
from payments.models.receipt import Receipt, ReceiptChange, ReceiptState
from payments.models.reconciliation import (
    FeedCursor,
    ObjectKind,
    ReconciliationRun,
    ReconciliationRunChange,
    RunKind,
    RunPhase,
    RunStatus,
    SourceKind,
    StagedMovement,
    StagedObject,
)
from payments.models.refund import Refund, RefundChange, RefundOrigin, RefundState, TakenFrom
from payments.models.tax import TaxForm, TaxYear
from payments.models.unpaid import UnpaidRequest
from payments.models.webhook import NoticeCursor, WebhookEvent, WebhookRefusal, WebhookState
from payments.models.write_off import WriteOff, WriteOffChange, WriteOffState

__all__ = [
    "Account",
    "AccountMapping",
    "AccountMappingChange",
    "AccountingSystem",
    "Act",
    "BankAccount",
    "BankFile",
    "BankFormat",
    "BankLine",
    "BankLineChange",
    "BankLineState",
    "BankMatch",
    "BankStatement",
    "BatchState",
    "Cancellation",
    "CancellationChange",
    "CancellationState",
    "Checkpoint",
    "CorrectionKind",
    "CorrectionState",
    "Currency",
    "Discrepancy",
    "DiscrepancyAct",
    "DiscrepancyChange",
    "DiscrepancyKind",
    "DiscrepancyState",
    "Dispute",
    "DisputeChange",
    "DisputeState",
    "DownloadWay",
    "EntryMoney",
    "Every",
    "Evidence",
    "Export",
    "ExportChange",
    "ExportDownload",
    "ExportOrigin",
    "ExportSchedule",
    "ExportScheduleChange",
    "ExportState",
    "FeedCursor",
    "FileFormat",
    "ForeignObject",
    "ForeignObjectChange",
    "ForeignState",
    "FoundBy",
    "Instrument",
    "JournalBatch",
    "JournalBatchChange",
    "JournalBatchDay",
    "JournalEntry",
    "LossBearer",
    "ManualMethod",
    "ManualRecord",
    "ManualRecordChange",
    "ManualState",
    "MatchKind",
    "Movement",
    "MovementKind",
    "NoticeCursor",
    "ObjectKind",
    "Payment",
    "PaymentChange",
    "PaymentState",
    "Payout",
    "PayoutAccount",
    "PayoutAccountChange",
    "PayoutAccountState",
    "PayoutChange",
    "PayoutState",
    "PeriodClose",
    "PeriodCloseChange",
    "PeriodState",
    "Posting",
    "PrizeBooking",
    "PrizeCorrection",
    "PrizeCorrectionChange",
    "Provider",
    "ProviderPayout",
    "ProviderPayoutChange",
    "ProviderPayoutItem",
    "ProviderPayoutState",
    "Receipt",
    "ReceiptChange",
    "ReceiptState",
    "ReconciliationRun",
    "ReconciliationRunChange",
    "Refund",
    "RefundChange",
    "RefundOrigin",
    "RefundState",
    "RunKind",
    "RunPhase",
    "RunStatus",
    "ScheduleState",
    "SourceKind",
    "StagedMovement",
    "StagedObject",
    "TakenFrom",
    "TaxForm",
    "TaxYear",
    "UnpaidRequest",
    "WebhookEvent",
    "WebhookRefusal",
    "WebhookState",
    "WriteOff",
    "WriteOffChange",
    "WriteOffState",
]
