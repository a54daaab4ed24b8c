"""A process of its own that compares what a run has read, and says the most memory that it ever held."""

import sys

import django


def main(run_id: str) -> None:
    """Print the megabytes."""
    django.setup()
    from config.local.benches.runs import _peak_megabytes
    from payments.models import ReconciliationRun
    from payments.reconciliation.differences import compare

    compare(ReconciliationRun.objects.get(pk=int(run_id)))
    print(_peak_megabytes())


if __name__ == "__main__":
    main(sys.argv[1])
