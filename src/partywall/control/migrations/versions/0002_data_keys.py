"""The tenants' data keys, wrapped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make their table; nobody but its owner may read it."""
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('seal', 'index')", name=op.f("data_keys_purpose_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="data_keys_tenant_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="data_keys_pkey"),
        sa.UniqueConstraint(
            "tenant_id", "purpose", "number", name="data_keys_tenant_id_purpose_number_key"
        ),
        schema="partywall",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("REVOKE ALL ON partywall.data_keys FROM PUBLIC")
