"""The directory: tenants, their members, their log, their quotas. The first revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def document() -> sa.JSON:
    """A JSON column."""
    return sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "attempts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "begun_at", name="attempts_pkey"),
        schema="partywall",
    )
    op.create_table(
        "audit_log",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("detail", document(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="audit_log_pkey"),
        schema="partywall",
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("skeleton", sa.Text(), nullable=True),
        sa.Column("former_slug", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("placement", sa.Text(), server_default="", nullable=False),
        sa.Column("settings", document(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('provisioning', 'active', 'suspended', 'failed', 'deleted')",
            name=op.f("tenants_status_check"),
        ),
        sa.PrimaryKeyConstraint("id", name="tenants_pkey"),
        sa.UniqueConstraint("skeleton", name="tenants_skeleton_key"),
        sa.UniqueConstraint("slug", name="tenants_slug_key"),
        schema="partywall",
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="users_pkey"),
        sa.UniqueConstraint("email_key", name="users_email_key_key"),
        schema="partywall",
    )
    op.create_table(
        "administrators",
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("networks", document(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["partywall.users.id"], name="administrators_user_id_fkey"
        ),
        sa.PrimaryKeyConstraint("user_id", name="administrators_pkey"),
        schema="partywall",
    )
    op.create_table(
        "domains",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="domains_tenant_id_fkey"
        ),
        sa.PrimaryKeyConstraint("name", name="domains_pkey"),
        schema="partywall",
    )
    op.create_index(
        "domains_tenant_id_idx", "domains", ["tenant_id"], unique=False, schema="partywall"
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="grants_tenant_id_fkey"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["partywall.users.id"], name="grants_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="grants_pkey"),
        schema="partywall",
    )
    op.create_index("grants_user_id_idx", "grants", ["user_id"], unique=False, schema="partywall")
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["partywall.users.id"], name="invitations_invited_by_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="invitations_tenant_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="invitations_pkey"),
        sa.UniqueConstraint("token_hash", name="invitations_token_hash_key"),
        schema="partywall",
    )
    op.create_index(
        "invitations_tenant_id_idx", "invitations", ["tenant_id"], unique=False, schema="partywall"
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="memberships_tenant_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["partywall.users.id"], name="memberships_user_id_fkey"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="memberships_pkey"),
        schema="partywall",
    )
    op.create_index(
        "memberships_user_id_idx", "memberships", ["user_id"], unique=False, schema="partywall"
    )
    op.create_table(
        "quotas",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("used >= 0", name=op.f("quotas_used_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="quotas_tenant_id_fkey"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name="quotas_pkey"),
        schema="partywall",
    )
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", document(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="roles_tenant_id_fkey"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="roles_pkey"),
        schema="partywall",
    )
    op.create_table(
        "works",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("certificate", document(), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="works_tenant_id_fkey"
        ),
        sa.CheckConstraint("kind IN ('provision', 'remove')", name=op.f("works_kind_check")),
        sa.PrimaryKeyConstraint("id", name="works_pkey"),
        schema="partywall",
    )
    op.create_index(
        "works_one_at_a_time",
        "works",
        ["tenant_id"],
        unique=True,
        schema="partywall",
        postgresql_where=sa.text("state = 'begun'"),
        sqlite_where=sa.text("state = 'begun'"),
    )
    op.create_index("works_tenant_id_idx", "works", ["tenant_id"], unique=False, schema="partywall")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("permissions", document(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["partywall.memberships.tenant_id", "partywall.memberships.user_id"],
            name="api_keys_tenant_id_user_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["partywall.tenants.id"], name="api_keys_tenant_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="api_keys_pkey"),
        sa.UniqueConstraint("key_hash", name="api_keys_key_hash_key"),
        schema="partywall",
    )
    op.create_index(
        "api_keys_tenant_id_idx", "api_keys", ["tenant_id"], unique=False, schema="partywall"
    )
    only_added_to(op.get_bind().dialect.name)


def only_added_to(dialect: str) -> None:
    """Let the database itself refuse to change or remove what stands in the audit log.

    Whoever owns the table can take the triggers off; the chain of hashes is for that.
    """
    for statement in POSTGRESQL if dialect == "postgresql" else SQLITE:
        op.execute(statement)


REFUSAL = "the audit log is only added to: its entries are neither changed nor removed"

# ALWAYS: also where session_replication_role turns ordinary triggers off.
POSTGRESQL = (
    f"""
    CREATE FUNCTION partywall.only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$
    """,
    """
    CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON partywall.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION partywall.only_added_to()
    """,
    "ALTER TABLE partywall.audit_log ENABLE ALWAYS TRIGGER only_added_to",
)

# INSERT OR REPLACE removes a row without a word to the triggers of DELETE.
SQLITE = (
    f"""
    CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
    f"""
    CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
    f"""
    CREATE TRIGGER audit_log_replace BEFORE INSERT ON audit_log WHEN EXISTS (
        SELECT 1 FROM audit_log
        WHERE tenant_id = NEW.tenant_id AND number = NEW.number OR rowid = NEW.rowid
    )
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
)
