"""Hints and sweeps."""

from celery import current_app
from celery.signals import task_postrun, task_prerun

from config.celery import BEAT, app
from config.logging import current_request_id


def test_every_periodic_task_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT.values()} - set(app.tasks) == set()


def test_a_lost_worker_loses_no_task():
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1


def test_redelivery_waits_longer_than_any_task_may_take():
    options = app.conf.broker_transport_options
    assert options["visibility_timeout"] > app.conf.task_time_limit > app.conf.task_soft_time_limit
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 10


def test_log_lines_of_a_task_carry_its_id():
    task_prerun.send(sender=None, task_id="task-1", task=current_app)
    assert current_request_id.get() == "task-1"
    task_postrun.send(sender=None, task_id="task-1", task=current_app)
    assert current_request_id.get() == "-"
