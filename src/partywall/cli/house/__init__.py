"""What the commands on the control plane do once their command line is understood."""

from importlib.util import find_spec

from partywall.errors import ConfigurationError

for _needed in ("sqlalchemy", "alembic", "argon2", "dns", "email_validator", "idna", "jwt"):
    if find_spec(_needed) is None:
        raise ConfigurationError(
            f"the control plane needs {_needed}: `pip install partywall[control]` brings it"
        )
