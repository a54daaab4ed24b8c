"""What pages are made of, counted: one row for each transaction that changed something of a topic."""

from django.db import models


class PageChange(models.Model):
    """Something that pages show of the topic has changed `raised` more times.

    The sum of a topic's rows is its version: it grows with each transaction that changes something, when that commits
    and not before. Rows are only ever added, so nobody waits for anybody; what has piled up is folded into one row of
    the same sum (`config.pages.changes`).
    """

    topic = models.CharField(max_length=40)
    raised = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["topic"], include=["raised"], name="page_change_topic")]

    def __str__(self) -> str:
        return f"{self.topic} +{self.raised}"
