"""What changed about people, append-only, written by triggers."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.audit import Change, append_only, feeds


class UserChange(Change):
    """What somebody may do here changed: role, superuser, active, closed. Names nobody, so it outlives the person."""

    subject_id = models.BigIntegerField(db_index=True)
    field = models.CharField(max_length=20)
    from_value = models.CharField(max_length=20, blank=True, default="", db_default="")
    to_value = models.CharField(max_length=20)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes = [
            models.Index(fields=["actor_id"], condition=Q(actor_id__isnull=False), name="user_change_actor"),
        ]
        triggers = [
            *append_only(),
            feeds(
                "user",
                verb="n.field",
                subject="n.subject_id",
                person="n.subject_id",
                data="'from', n.from_value, 'to', n.to_value",
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of user {self.subject_id}"
