"""Durable workflows of tenants: one way to write, start and read them, whatever the engine."""

from partywall.runtime.workflows.front import TenantWorkflows
from partywall.runtime.workflows.running import AsyncRun, Run
from partywall.runtime.workflows.values import Execution, Schedule, Status

__all__ = ["AsyncRun", "Execution", "Run", "Schedule", "Status", "TenantWorkflows"]
