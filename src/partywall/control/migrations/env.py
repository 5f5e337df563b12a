"""How Alembic runs the migrations: on the transaction that `migrate` has begun."""

from alembic import context

from partywall.control.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=None if connection.dialect.name == "sqlite" else SCHEMA,
    include_schemas=connection.dialect.name != "sqlite",
)
context.run_migrations()
