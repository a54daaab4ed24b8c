"""`manage.py export_journals SYSTEM -o FOLDER`: the daily journals for QuickBooks Online or Xero, each day once."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.errors import DomainError
from config.money import format_amount
from payments.accounting.batches import make_batch
from payments.management.commands.export_report import a_day
from payments.models import AccountingSystem, JournalBatch
from payments.services.booking import livemode


class Command(BaseCommand):
    """Makes a batch, or writes the file of one anew."""

    help = "Export the journals of every day that was not exported before, and what was corrected since."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("system", metavar="SYSTEM", choices=AccountingSystem.values, help="quickbooks or xero")
        parser.add_argument("--through", type=a_day, metavar="D", help="last day, in the finance zone; else yesterday")
        parser.add_argument("--again", type=int, metavar="NUMBER", help="export nothing: the file of that batch")
        parser.add_argument("-o", "--output", default=".", metavar="FOLDER", help="where the file goes; else here")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, system = Path(options["output"]), AccountingSystem(options["system"])
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        if options["again"] is not None:
            batch = _made_before(system, options["again"])
        else:
            try:
                batch = make_batch(system=system, through=options["through"], by=None)
            except DomainError as refusal:
                raise CommandError(refusal.message) from refusal
        path = folder / batch.file_name
        try:
            path.write_bytes(bytes(batch.content))
        except OSError as failure:
            raise CommandError(
                f"{path} cannot be written: {failure.strerror}. Batch {batch.number} is kept: --again {batch.number}"
            ) from failure
        sums = ", ".join(format_amount(of["debits"], currency) for currency, of in batch.totals.items())
        self.stdout.write(f"{path}: {batch.first_day} to {batch.through_day}, {batch.lines} lines, debits {sums}")


def _made_before(system: AccountingSystem, number: int) -> JournalBatch:
    batch = JournalBatch.objects.filter(system=system, number=number, livemode=livemode()).first()
    if batch is None:
        raise CommandError(f"There is no batch {number} for {system.label}.")
    return batch
