"""Pooled connections: what one tenant leaves in a session, and who is handed it next."""
