"""What talks to Temporal: a client for each actor and namespace, on a loop of its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.http.hiding import variable
from partywall.survey.jobs.executions import COMMANDS
from partywall.survey.trying import ADMINISTRATOR, Outcome
from partywall.survey.verdict import WitnessStep

try:
    from temporalio.client import Client
    from temporalio.service import RPCError, RPCStatusCode, TLSConfig
except ImportError as missing:
    raise ConfigurationError(
        "a survey of Temporal needs its client: pip install 'partywall[temporal]'"
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.jobs.executions import Operation
    from partywall.survey.jobs.settings import TemporalLogin

REFUSED = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED})
LIMIT = timedelta(seconds=10)


class TemporalHand:
    """Asks Temporal servers.

    Args:
        reached: actor's name -> address, and what is shown there.
    """

    def __init__(self, reached: Mapping[str, tuple[str, TemporalLogin]]) -> None:
        self._reached = reached
        self._clients: dict[tuple[str, str], Client] = {}
        self._runner = asyncio.Runner()

    def do(self, who: str, call: Operation) -> Outcome:
        """Ask as *who*.

        Raises:
            TargetError: the server can't be reached at all.
        """
        return self._runner.run(self._do(who, call))

    def told(self, who: str, call: Operation, returned: str) -> WitnessStep:
        """The same for Temporal's own command; address and key come from the environment."""
        name = "TEMPORAL_ADMIN" if who == ADMINISTRATOR else f"{variable(who)}_TEMPORAL"
        login = self._reached[who][1]
        key = f' --api-key "${name}_KEY"' if login.api_key else ""
        if login.certificate:
            key += (
                f' --tls-cert-path "${name}_CERTIFICATE" --tls-key-path "${name}_CERTIFICATE_KEY"'
            )
        target = f" -w {call.workflow}" if call.verb != "list" else ""
        command = (
            f'temporal {COMMANDS[call.verb]}{target} --address "${name}_ADDRESS"{key} '
            f"-n {call.namespace}"
        )
        return WitnessStep(who, "", returned, command)

    def close(self) -> None:
        """End the loop and its clients."""
        self._clients.clear()
        self._runner.close()

    async def _do(self, who: str, call: Operation) -> Outcome:
        try:
            client = await self._client(who, call.namespace)
        except RuntimeError as error:
            if who != ADMINISTRATOR:  # who reaches the server: this one is not let in
                return Outcome(error=f"no connection: {error}", refused=True)
            address = self._reached[who][0]
            raise TargetError(f"the Temporal at {address} does not answer: {error}") from error
        try:
            return Outcome(await _asked(client, call))
        except RPCError as error:
            return Outcome(error=error.message, refused=error.status in REFUSED)

    async def _client(self, who: str, namespace: str) -> Client:
        if (who, namespace) not in self._clients:
            address, login = self._reached[who]
            self._clients[who, namespace] = await Client.connect(
                address, namespace=namespace, api_key=login.api_key or None, tls=_tls(login)
            )
        return self._clients[who, namespace]


def _tls(login: TemporalLogin) -> TLSConfig | bool:
    if not (login.certificate or login.authority):
        return bool(login.api_key)
    return TLSConfig(
        server_root_ca_cert=login.authority.read_bytes() if login.authority else None,
        client_cert=login.certificate.read_bytes() if login.certificate else None,
        client_private_key=login.key.read_bytes() if login.key else None,
    )


async def _asked(client: Client, call: Operation) -> str:
    handle: Any = client.get_workflow_handle(call.workflow)
    match call.verb:
        case "start":
            await client.start_workflow(
                "partywall", call.text, id=call.workflow, task_queue=f"partywall-{call.workflow}",
                rpc_timeout=LIMIT,
            )  # fmt: skip
            return "started"
        case "describe":
            told = await handle.describe(rpc_timeout=LIMIT)
            return f"{told.id} {told.status.name if told.status else ''}"
        case "history":
            history = await handle.fetch_history()
            return "\n".join(_event(one) for one in history.events)
        case "list":
            ids = [one.id async for one in client.list_workflows(rpc_timeout=LIMIT)]
            return "\n".join(ids)
        case "signal":
            await handle.signal("partywall", call.text, rpc_timeout=LIMIT)
        case "cancel":
            await handle.cancel(rpc_timeout=LIMIT)
        case "terminate":
            await handle.terminate(rpc_timeout=LIMIT)
    return "done"


def _event(event: Any) -> str:  # noqa: ANN401 - of a generated module
    """An event of a history, with what a workflow was given."""
    given = event.workflow_execution_started_event_attributes.input.payloads
    texts = " ".join(one.data.decode(errors="replace") for one in given)
    return f"{event.event_id} {event.event_type} {texts}".strip()
