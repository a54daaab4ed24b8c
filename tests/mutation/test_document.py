"""The table in `docs/` is that of the guards there are."""

import os

import pytest

from tests.mutation.catalog import guards
from tests.mutation.document import FILE, document

WRITE = "OUTLAST_WRITE_GUARDS"


@pytest.mark.django_db
def test_the_table_is_up_to_date():
    """Run `python -m tests.mutation` where it is not."""
    text = document(guards())
    if os.environ.get(WRITE):
        FILE.write_text(text)
    assert FILE.read_text() == text
