"""The survey of queues, jobs and workflows: in the engine's own store, and through the API."""
