"""Run AgentOS with one agent and a SQLite store.

    python serve.py PORT STORE [--isolated]

Tokens are JWTs signed with the key that login.py knows. `--isolated` asks for what versions from
2.6 offer and don't do by default: keep users apart.
"""

from __future__ import annotations

import sys

from agno.agent import Agent  # type: ignore[import-not-found]  # see start.sh
from agno.db.sqlite import SqliteDb  # type: ignore[import-not-found]  # see start.sh
from agno.os import AgentOS  # type: ignore[import-not-found]  # see start.sh
from agno.os.config import AuthorizationConfig  # type: ignore[import-not-found]  # see start.sh

KEY = "lab-secret-lab-secret-lab-secret"

port, store, *options = sys.argv[1:]
isolated = {"user_isolation": True} if "--isolated" in options else {}
system = AgentOS(
    id="lab",
    agents=[Agent(id="helper", name="Helper", db=SqliteDb(db_file=store), telemetry=False)],
    authorization=True,
    authorization_config=AuthorizationConfig(
        verification_keys=[KEY], algorithm="HS256", **isolated
    ),
    telemetry=False,
)
if __name__ == "__main__":
    system.serve(system.get_app(), host="127.0.0.1", port=int(port))
