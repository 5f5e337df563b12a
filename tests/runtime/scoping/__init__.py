"""Scoped queries: the analysis of statements, the gate before the driver, the session."""
