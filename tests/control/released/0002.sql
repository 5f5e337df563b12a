-- A small house as the second revision has it; for PostgreSQL and SQLite alike.
INSERT INTO tenants (id, slug, skeleton, name, status, settings, created_at, changed_at)
VALUES ('11111111-1111-4111-8111-111111111111', 'acme', 'acme', 'Acme', 'active', '{"plan": "a"}',
    '2026-01-02 03:04:05.000000+00:00', '2026-01-02 03:04:05.000000+00:00');
INSERT INTO users (id, email, email_key, created_at)
VALUES ('22222222-2222-4222-8222-222222222222', 'Ann@acme.example', 'ann@acme.example',
    '2026-01-02 03:04:05.000000+00:00');
INSERT INTO memberships (tenant_id, user_id, role, version, created_at)
VALUES ('11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222', 'owner', 3,
    '2026-01-02 03:04:05.000000+00:00');
INSERT INTO quotas (tenant_id, kind, "limit", used)
VALUES ('11111111-1111-4111-8111-111111111111', 'rows', 100, 7);
INSERT INTO data_keys (id, tenant_id, purpose, number, kek, wrapped, created_at)
VALUES ('33333333-3333-4333-8333-333333333333', '11111111-1111-4111-8111-111111111111', 'seal', 1,
    '2026-10', 'wrapped', '2026-01-02 03:04:05.000000+00:00');
