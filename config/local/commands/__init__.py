"""The commands of the house. Each module has `main(argv) -> int`; all run inside `.venv`, in local and test only."""

import importlib
import os
import sys

from config.local import home
from config.local.progress import StepFailed
from config.local.services import InUse, ServiceFailed

ELSEWHERE = {"replay": "config.local.replay"}


def run(name: str, argv: list[str]) -> int:
    """Run a command and return its exit code. What can go wrong on a newcomer's machine is said without a trace."""
    from config import env

    for variable, value in env.read_file(env.PROJECT / ".env").items():
        os.environ.setdefault(variable, value)
    module = importlib.import_module(ELSEWHERE.get(name, f"{__name__}.{name}"))
    try:
        # Whole, so that every child means the same folder wherever it runs.
        os.environ["OUTLAST_HOME"] = str(home.home())
        return int(module.main(argv))
    except (ServiceFailed, home.HomeUnusable, InUse) as reason:
        print(reason, file=sys.stderr)
    except StepFailed as failure:
        print(f"{failure}:\n{failure.output[-4000:]}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1
