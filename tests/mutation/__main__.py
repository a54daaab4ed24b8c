"""`python -m tests.mutation` writes docs/guards.md anew."""

import os
import subprocess
import sys

from tests.mutation.code_guards import ROOT

if __name__ == "__main__":
    call = [sys.executable, "-m", "pytest", "-q", "tests/mutation/test_document.py"]
    environment = os.environ | {"OUTLAST_ENV": "test", "OUTLAST_WRITE_GUARDS": "1"}
    sys.exit(subprocess.call(call, cwd=ROOT, env=environment))
