"""Django: ``manage.py migrate`` by the project's own Python, its settings with other databases."""

from __future__ import annotations

import os
import re
from pathlib import Path

from partywall.errors import MigrationError
from partywall.survey.migrations.programs import connection_variables
from partywall.survey.migrations.tool import Address, Command, program, read

NAMED = re.compile(r"""DJANGO_SETTINGS_MODULE['"]\s*[,\]=]+\s*['"](?P<module>[\w.]+)['"]""")
MODULE = "partywall_settings"
SETTINGS = '''\
"""The project's settings; its databases are partywall's disposable one."""
from {module} import *

DATABASES = {{
    name: {{
        "ENGINE": known.get("ENGINE", "")
        if "postg" in known.get("ENGINE", "")
        else "django.db.backends.postgresql",
        "HOST": {host!r}, "PORT": {port}, "NAME": {database!r},
        "USER": {user!r}, "PASSWORD": "unused",
    }}
    for name, known in (DATABASES or {{"default": {{}}}}).items()
}}
'''


def find(folder: Path) -> Path | None:
    """Where manage.py is."""
    return folder if (folder / "manage.py").is_file() else None


@program("Django", find)
def django(folder: Path, python: str, address: Address) -> Command:
    """Migrate every application.

    Raises:
        MigrationError: nothing says which settings are the project's.
    """
    found = NAMED.search(read(folder / "manage.py"))
    module = os.environ.get("DJANGO_SETTINGS_MODULE") or (found["module"] if found else "")
    if not module:
        raise MigrationError(
            f"{folder / 'manage.py'} names no settings: set DJANGO_SETTINGS_MODULE to the project's"
        )
    settings = SETTINGS.format(
        module=module, host=address.host, port=address.port, user=address.user,
        database=address.database,
    )  # fmt: skip
    words = (python, "manage.py", "migrate", "--no-input", f"--settings={MODULE}")
    unset = dict.fromkeys(("SECRET_KEY", "DJANGO_SECRET_KEY"), "of-a-disposable-database")
    return Command(
        words, folder, environment={"DJANGO_SETTINGS_MODULE": MODULE},
        stated=connection_variables(address) | unset, files={f"{MODULE}.py": settings},
    )  # fmt: skip
