"""What is left out, or left untold, is of an operation that there is: a line that outlives its operation goes."""

from config.api.docs import whole_schema
from config.api.document import operations
from tests.fuzz.untold import LEFT_OUT, RULED, UNKNOWN_TO_THE_PROVIDER, UNTOLD


def test_every_line_is_of_an_operation():
    known = {f"{method.upper()} {path}" for path, method, _ in operations(whole_schema())}
    assert {*LEFT_OUT, *UNTOLD, *UNKNOWN_TO_THE_PROVIDER, *RULED} - known == set()
