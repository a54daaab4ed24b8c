"""What checks of runs are for."""

from tests.mutation.statements import Attack, Change

ON_RUNS: dict[str, dict[str, Attack | list[Attack]]] = {
    "payments_reconciliationrun": {
        "run_kind_known": Attack("A kind is one of the layers.", Change("kind = 'zz'")),
        "run_finished_when": [
            Attack("What has ended has an instant.", Change("finished_at = NULL", "status = 'finished'")),
            Attack("What has not ended has none.", Change("finished_at = now()", "status = 'running'")),
        ],
    },
}
