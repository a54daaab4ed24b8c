"""What every resolver knows of the question: who asks, and until when it is worth answering."""

import time
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode
from rest_framework.request import Request
from strawberry import Info

from config.errors import Code, Unavailable
from config.graphql.limits import LIMITS


@dataclass
class Context:
    """One question. The caller was found by the same authentication as any call of the API."""

    request: Request
    document: DocumentNode
    deadline: float = field(default_factory=lambda: time.monotonic() + LIMITS.seconds)

    @property
    def viewer(self) -> Any:
        """The person, or an anonymous one."""
        return self.request.user

    def check_time(self) -> None:
        """Refuses to look anything up for a question that takes too long. Asked before each look."""
        if time.monotonic() > self.deadline:
            raise Unavailable(Code.SERVICE_UNAVAILABLE, "The question took too long. Ask for less.")


Asking = Info[Context, Any]
