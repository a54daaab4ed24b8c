"""Alarms and dashboard: they load, speak of figures that exist, and each alarm rings when it should and no sooner."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest
import yaml

from config import metrics
from config.env import PROJECT
from tests.support.prometheus import FOLDER, needs_prometheus, promtool

RULES = FOLDER / "alerts.yml"
DASHBOARD = FOLDER / "grafana" / "outlast.json"
PAGE = PROJECT / "docs" / "observability.md"
# Whoever counts without being imported by Django's apps.
COUNTING = ("config.web.gate", "config.live.figures", "config.api.ratelimit", "config.scraping", "config.celery")
# Made by the collector itself, and by Prometheus.
OTHERS = {"outlast_database_up", "outlast_questions_unanswered", "outlast_draining", "up"}
NAME = re.compile(r"\b(outlast_[a-z_]+|up)\b(?=\s*[{\[=<>)]|\s|$)")


def known():
    for module in COUNTING:
        import_module(module)
    endings = {"histogram": ("_bucket", "_sum", "_count")}
    return OTHERS | {
        name + ending for name, figure in metrics.made.items() for ending in endings.get(figure.kind, ("",))
    }


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def panels():
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def questions():
    return [target["expr"] for panel in panels() for target in panel["targets"]]


class TestTheyLoad:
    def test_prometheus_takes_the_configuration_and_the_rules(self):
        needs_prometheus()
        assert "SUCCESS" in promtool("check", "config", "prometheus.yml")
        assert f"{len(alerts())} rules found" in promtool("check", "rules", "alerts.yml")

    def test_every_question_of_the_dashboard_is_one(self, tmp_path):
        needs_prometheus()
        file = tmp_path / "questions.yml"
        rules = [
            {"record": f"q:{number}", "expr": expr.replace("$__rate_interval", "5m")}
            for number, expr in enumerate(questions())
        ]
        file.write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": rules}]}))
        assert f"{len(rules)} rules found" in promtool("check", "rules", file)


class TestTheySpeakOfWhatExists:
    @pytest.mark.parametrize("expr", [pytest.param(rule["expr"], id=name) for name, rule in alerts().items()])
    def test_alarms(self, expr):
        named = set(NAME.findall(expr))
        assert named
        assert named - known() == set()

    def test_the_dashboard(self):
        assert set(NAME.findall("\n".join(questions()))) - known() == set()

    def test_what_must_be_counted_is(self):
        """The list of what an operator must be able to see."""
        wanted = """
            picks_total pick_edge_to_decision_seconds_bucket picks_refused_after_deadline_total late_accepted
            pool_oversold ledger_imbalance_cents outbox_oldest_seconds due_rows_overdue task_attempts_total
            beat_heartbeat_age
            webhook_lag_seconds_bucket webhook_duplicates_total stripe_call_seconds_bucket stripe_unknown_outcomes_total
            idempotency_total refresh_reuse_total login_failed_total limiter_mode_total waited_seconds_bucket
            db_connections db_lock_waiting db_lock_wait_seconds feed_age_seconds turned_away_total
        """
        assert {f"outlast_{name}" for name in wanted.split()} - known() == set()

    def test_each_alarm_says_what_to_do(self):
        page = PAGE.read_text()
        said = {heading.lower() for heading in re.findall(r"^#### (\w+)$", page, re.MULTILINE)}
        assert said == {name.lower() for name in alerts()}
        for name, rule in alerts().items():
            assert rule["annotations"]["runbook"] == f"docs/observability.md#{name.lower()}"
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.slow
def test_a_web_server_asks_postgresql_for_all_that_alarms_speak_of():
    """Figures are registered by the modules that are imported, and the worker's are others."""
    code = "import config.wsgi; from config import metrics; print(*metrics.questions)"
    environment = {**os.environ, "OUTLAST_PROCESS": "web", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    asked = {f"outlast_{name}" for name in done.stdout.split()}
    known()
    named = set(NAME.findall("\n".join([rule["expr"] for rule in alerts().values()] + questions())))
    assert named & {f"outlast_{name}" for name in metrics.questions} <= asked


class TestDashboard:
    """Grafana itself is not run here: this is what its provisioning asks of a file."""

    def test_it_can_be_provisioned(self):
        board = json.loads(DASHBOARD.read_text())
        assert (board["uid"], board["title"]) == ("outlast", "Outlast")
        # An id of a database elsewhere would clash.
        assert "id" not in board
        assert board["schemaVersion"] >= 36
        (source,) = board["templating"]["list"]
        assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")

    def test_every_panel_is_whole(self):
        ids = [panel["id"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
        assert len(ids) == len(set(ids))
        for panel in panels():
            assert panel["type"] in ("stat", "timeseries")
            assert panel["title"]
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert {"defaults", "overrides"} <= set(panel["fieldConfig"])
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            assert steps[0]["value"] is None
            refs = [target["refId"] for target in panel["targets"]]
            assert refs
            assert len(refs) == len(set(refs))

    def test_no_panel_covers_another(self):
        taken = set()
        for panel in json.loads(DASHBOARD.read_text())["panels"]:
            grid = panel["gridPos"]
            assert grid["x"] + grid["w"] <= 24
            cells = {
                (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
            }
            assert not cells & taken
            taken |= cells

    def test_provisioning_names_a_folder_and_the_source(self):
        provisioning = FOLDER / "grafana" / "provisioning"
        (provider,) = yaml.safe_load((provisioning / "dashboards.yml").read_text())["providers"]
        assert (provider["type"], provider["options"]["path"]) == ("file", "/var/lib/grafana/dashboards")
        (source,) = yaml.safe_load((provisioning / "datasources.yml").read_text())["datasources"]
        assert (source["type"], source["access"]) == ("prometheus", "proxy")


# Of each alarm: series that ring it by the end of twenty minutes, and series that come close and must not.
# `a+bxn` begins at a and grows by b each ten seconds.
STEPS = 120
BUCKETS = 'outlast_{name}_bucket{{le="{le}"}}'


def flat(value):
    return f"{value}x{STEPS}"


def rising(by):
    return f"0+{by}x{STEPS}"


def slower_than(name, seconds, *, others=()):
    """A distribution with everything in the bucket above."""
    edges = [*others, seconds, "+Inf"]
    series = {f'outlast_{name}_bucket{{le="{edge}"}}': rising(0) for edge in edges[:-1]}
    return {**series, f'outlast_{name}_bucket{{le="{edges[-1]}"}}': rising(10)}


def faster_than(name, seconds):
    return {f'outlast_{name}_bucket{{le="{seconds}"}}': rising(10), f'outlast_{name}_bucket{{le="+Inf"}}': rising(10)}


def answers(bad, status="500"):
    good = 'outlast_http_requests_total{status="200",instance="a"}'
    return {good: rising(100), f'outlast_http_requests_total{{status="{status}",instance="a"}}': rising(bad)}


UP = {"outlast_database_up": flat(1)}
CASES = {
    "LateAccepted": ({"outlast_late_accepted": f"0 1 0x{STEPS}"}, {"outlast_late_accepted": flat(0)}),
    "PoolOversold": ({"outlast_pool_oversold": f"0 1 0x{STEPS}"}, {"outlast_pool_oversold": flat(0)}),
    "LedgerImbalance": (
        {"outlast_ledger_imbalance_cents": f"0 1 0x{STEPS}"}, {"outlast_ledger_imbalance_cents": flat(0)},
    ),
    "ServerAway": ({'up{job="outlast"}': flat(0)}, {'up{job="outlast"}': flat(1), 'up{job="other"}': flat(0)}),
    "DatabaseAway": ({"outlast_database_up": flat(0)}, UP),
    "FiguresMissing": (
        {"outlast_questions_unanswered": flat(1), **UP},
        {"outlast_questions_unanswered": flat(9), "outlast_database_up": flat(0)},
    ),
    "RedisAway": (
        {'outlast_limiter_mode_total{mode="open"}': rising(1)}, {'outlast_limiter_mode_total{mode="redis"}': rising(9)},
    ),
    "ServerErrors": (answers(5), {**answers(0), **answers(50, "503")}),
    "TurnedAway": (
        {"outlast_turned_away_total": rising(5), "outlast_http_requests_total": rising(100)},
        {"outlast_turned_away_total": rising(1), "outlast_http_requests_total": rising(100)},
    ),
    "PicksSlowBeforeLock": (
        {**slower_than("pick_edge_to_decision_seconds", 2, others=(1,)), "outlast_next_lock_seconds": flat(1800)},
        {**slower_than("pick_edge_to_decision_seconds", 2, others=(1,)), "outlast_next_lock_seconds": flat(7200)},
    ),
    "PicksSlow": (
        slower_than("pick_edge_to_decision_seconds", 1, others=(0.5,)),
        faster_than("pick_edge_to_decision_seconds", 0.5),
    ),
    "LockWaits": (
        {"outlast_db_lock_wait_seconds": flat(6)},
        {"outlast_db_lock_wait_seconds": flat(4), 'outlast_db_refusals_total{because="statement_timeout"}': rising(9)},
    ),
    "TransactionTooOld": (
        {"outlast_db_transaction_oldest_seconds": flat(700)}, {"outlast_db_transaction_oldest_seconds": flat(500)},
    ),
    "ConnectionsRunOut": (
        {'outlast_db_connections{state="idle"}': flat(90), 'outlast_db_connections{state="max"}': flat(100)},
        {'outlast_db_connections{state="idle"}': flat(80), 'outlast_db_connections{state="max"}': flat(100)},
    ),
    "StatementsSlow": (
        {'outlast_slow_statements_total{fingerprint="a"}': rising(1)},
        {'outlast_slow_statements_total{fingerprint="a"}': flat(900)},
    ),
    "OutboxBehind": ({"outlast_outbox_oldest_seconds": flat(61)}, {"outlast_outbox_oldest_seconds": flat(59)}),
    "OutboxDead": ({"outlast_outbox_dead": flat(1)}, {"outlast_outbox_dead": flat(0)}),
    "SchedulerSilent": (
        {"outlast_beat_heartbeat_age": flat(121), **UP}, {"outlast_beat_heartbeat_age": flat(119), **UP},
    ),
    "RowsOverdue": (
        {'outlast_due_rows_overdue{what="reveal"}': flat(1)}, {'outlast_due_rows_overdue{what="reveal"}': flat(0)},
    ),
    "TasksFail": (
        {'outlast_task_attempts_total{outcome="failure",task="a"}': rising(1)},
        {'outlast_task_attempts_total{outcome="success",task="a"}': rising(9)},
    ),
    "ReportsMissing": (
        {
            "outlast_exports_failed": flat(0), "outlast_export_schedules_stopped": flat(1),
            "outlast_export_schedules_late": flat(0),
        },
        {
            "outlast_exports_failed": flat(0), "outlast_export_schedules_stopped": flat(0),
            "outlast_export_schedules_late": flat(0),
        },
    ),
    "FeedOld": (
        {'outlast_feed_age_seconds{competition="a"}': flat(700), 'outlast_games_in_play{competition="a"}': flat(2)},
        {'outlast_feed_age_seconds{competition="a"}': flat(700), 'outlast_games_in_play{competition="b"}': flat(2)},
    ),
    "AuditBehind": ({"outlast_audit_unlinked_seconds": flat(301)}, {"outlast_audit_unlinked_seconds": flat(299)}),
    "ProviderOutcomesUnknown": (
        {"outlast_stripe_unknown_outcomes_total": rising(1)}, {"outlast_stripe_unknown_outcomes_total": flat(50)},
    ),
    "ProviderSlow": (
        slower_than("stripe_call_seconds", 5, others=(2.5,)), faster_than("stripe_call_seconds", 2.5),
    ),
    "ProviderNewsDead": ({"outlast_webhooks_dead": flat(1)}, {"outlast_webhooks_dead": flat(0)}),
    "ProviderNewsUnsigned": (
        {'outlast_webhook_refusals_total{provider="stripe"}': rising(1)},
        {'outlast_webhook_refusals_total{provider="stripe"}': flat(900)},
    ),
    "ReconciliationBehind": (
        {"outlast_reconciliation_behind_seconds": flat(10801)}, {"outlast_reconciliation_behind_seconds": flat(10799)},
    ),
    "SignInsRefused": (
        {'outlast_login_failed_total{because="credentials"}': rising(60)},
        {'outlast_login_failed_total{because="credentials"}': rising(40)},
    ),
    "TokensReused": ({"outlast_refresh_reuse_total": rising(1)}, {"outlast_refresh_reuse_total": flat(900)}),
    "DeliveriesFail": (
        {
            'outlast_webhook_attempts_total{outcome="refused"}': rising(6),
            'outlast_webhook_attempts_total{outcome="delivered"}': rising(4),
        },
        {
            'outlast_webhook_attempts_total{outcome="refused"}': rising(4),
            'outlast_webhook_attempts_total{outcome="delivered"}': rising(6),
        },
    ),
    "DeliveriesBehind": (
        {"outlast_webhook_oldest_due_seconds": flat(601)}, {"outlast_webhook_oldest_due_seconds": flat(599)},
    ),
    "LiveLags": (slower_than("live_lag_seconds", 5, others=(2,)), faster_than("live_lag_seconds", 2)),
}  # fmt: skip


def case(series, alert, rings):
    """One run of the rules over twenty minutes, of which the end is looked at."""
    found = {f"count(ALERTS{{alertname='{alert}',alertstate='firing'}}) or vector(0)": 1 if rings else 0}
    return {
        "interval": "10s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": expr, "eval_time": "20m", "exp_samples": [{"labels": "{}", "value": value}]}
            for expr, value in found.items()
        ],
    }


def rules_of_one(alert, folder):
    """The rules with this alarm alone, in a file: what is tried of one need not reckon all others."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    alone = [{**group, "rules": [rule for rule in group["rules"] if rule["alert"] == alert]} for group in groups]
    file = folder / f"{alert}.yml"
    file.write_text(yaml.safe_dump({"groups": [group for group in alone if group["rules"]]}, sort_keys=False))
    return file


def test_each_alarm_rings_when_it_should_and_no_sooner(tmp_path):
    needs_prometheus()
    assert set(CASES) == set(alerts())
    files = []
    for alert, pair in CASES.items():
        tests = [case(series, alert, rings) for series, rings in zip(pair, (True, False), strict=True)]
        rules = [str(rules_of_one(alert, tmp_path))]
        file = tmp_path / f"{alert}_test.yml"
        file.write_text(
            yaml.safe_dump({"rule_files": rules, "evaluation_interval": "10s", "tests": tests}, sort_keys=False)
        )
        files.append(file)
    assert promtool("test", "rules", *files).count("SUCCESS") == len(CASES)


def test_an_alarm_that_is_silenced_by_a_change_is_noticed(tmp_path):
    """The test above can fail: the same rules with one limit moved do not pass it."""
    needs_prometheus()
    changed = tmp_path / "alerts.yml"
    changed.write_text(
        RULES.read_text().replace("outlast_outbox_oldest_seconds > 60", "outlast_outbox_oldest_seconds > 6e9")
    )
    file = tmp_path / "alerts_test.yml"
    tests = [case(CASES["OutboxBehind"][0], "OutboxBehind", rings=True)]
    file.write_text(yaml.safe_dump({"rule_files": [str(changed)], "evaluation_interval": "10s", "tests": tests}))
    with pytest.raises(AssertionError, match="OutboxBehind"):
        promtool("test", "rules", file)
