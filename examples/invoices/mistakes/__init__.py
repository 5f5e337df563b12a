"""Deliberate mistakes, one a file: importing it makes the application leak in one place.

They are made where such mistakes are made: in code that has a session of its own (`unwalled`), so
that each query has to think of the company, and in what stands before or beside the session: a
header, a cache, a pool, a worker, a channel, a folder. All companies' rows stand in one SQLite file
then (`INVOICES_ISOLATION=scoped`).
"""

from __future__ import annotations

MISTAKES = (
    "filter",
    "search",
    "nested",
    "export",
    "batch",
    "write",
    "mass-assignment",
    "existence",
    "header",
    "cache",
    "pool",
    "jobs",
    "channel",
    "files",
)
"""Their names; a file is called so, with `_` for `-`."""
