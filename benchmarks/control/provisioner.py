"""One contender in a process of its own; it is told what to do line by line.

    python -m benchmarks.control.provisioner with_partywall '{"url": "postgresql://…", …}'

    0e984725-…          provision a tenant of this id; the answer is the seconds that took

Runs in the peers' interpreter too: it imports the standard library and the contender's module.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import time
from typing import Protocol

CLIENT_CORE = 0


class Contender(Protocol):
    """One way of making a tenant's schema with its tables."""

    def ready(self) -> None:
        """Do what nobody waits for."""

    def make(self, tenant: str) -> None:
        """Provision a tenant of an id."""

    def close(self) -> None:
        """Close every connection."""


def main() -> None:
    """Serve the lines of standard input."""
    name, arguments = sys.argv[1:]
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {CLIENT_CORE})
    module = importlib.import_module(f"benchmarks.control.contenders.{name}")
    contender: Contender = module.Schemas(**json.loads(arguments))
    gc.freeze()
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):  # commands of Django's print
            contender.ready()
            started = time.perf_counter()
            contender.make(line.strip())
            took = time.perf_counter() - started
        print(took, flush=True)
    contender.close()


if __name__ == "__main__":
    main()
