"""What is compared beside the attacks on an API: code and name of each, and its fix."""

from __future__ import annotations

EXISTENCE = ("PW320", "existence-told")
EXISTENCE_FIX = (
    "answer for what is another tenant's as for what isn't there: 404, with the same body"
)
UNIQUE = ("PW323", "unique-told")
UNIQUE_FIX = "make the value unique within the tenant: UNIQUE (tenant_id, …)"
TIME = ("PW324", "time-told")
TIME_FIX = "do the same work for an id that isn't the caller's as for one that isn't there"
