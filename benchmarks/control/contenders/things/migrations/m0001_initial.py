"""Creates all tables, as Django's `makemigrations` writes it for such models.

Installed in the peers' environment only: type checkers see `Any`.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import migrations, models


def created(number: int) -> object:
    """The operation that creates one table."""
    before = models.ForeignKey(
        f"things.Things{max(number - 1, 0)}",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
    )
    fields = [
        ("id", models.AutoField(primary_key=True, serialize=False)),
        ("body", models.TextField()),
        ("made_at", models.DateTimeField()),
        ("before", before),
    ]
    options = {"db_table": f"things{number}"}
    return migrations.CreateModel(name=f"Things{number}", fields=fields, options=options)


class Migration(migrations.Migration):  # type: ignore[misc]  # Any, here
    """The first."""

    initial = True
    dependencies: ClassVar[list[object]] = []
    operations: ClassVar[list[object]] = [
        created(number) for number in range(settings.BENCH_TABLES)
    ]
