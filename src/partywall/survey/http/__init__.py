"""The survey of an HTTP API: attacks it as each tenant, and proves what got through."""
