"""What scene and contenders agree on, also in the peers' interpreter: it imports nothing."""

LOGIN = "bench_app"
KEYS = 100


def tenant(number: int) -> str:
    """The id of a tenant."""
    return f"{number:08d}-0000-4000-8000-000000000000"


def schema(number: int) -> str:
    """The schema of a tenant, as `SchemaPerTenant` names it."""
    return "t_" + tenant(number).replace("-", "_")
