-- Harbour: projects, tasks and invoices for many organisations in one schema.
--
-- A row belongs to the organisation in its org_id. The application logs in as `app`, owns nothing,
-- and begins every transaction with
--
--     SELECT set_config('app.org_id', '…', true);

CREATE ROLE harbour NOLOGIN;
CREATE ROLE app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO harbour;
SET ROLE harbour;

-- The organisation this transaction works for: NULL without one, and NULL equals nothing.
CREATE FUNCTION current_org() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.org_id', true), '')::uuid;


-- What all organisations share -----------------------------------------------------------------

CREATE TABLE plans (
    code   text PRIMARY KEY,
    seats  int NOT NULL,
    price  numeric(10, 2) NOT NULL
);
INSERT INTO plans VALUES ('solo', 1, 0), ('team', 20, 240), ('house', 500, 4800);


-- What belongs to one --------------------------------------------------------------------------
-- Every key begins with org_id, so that no reference can point across, and every number and
-- address is unique within its organisation only.

CREATE TABLE organisations (
    id    uuid PRIMARY KEY,
    name  text NOT NULL,
    plan  text NOT NULL DEFAULT 'team' REFERENCES plans
);
INSERT INTO organisations (id, name) VALUES
    ('a1111111-1111-4111-8111-111111111111', 'Acme'),
    ('b2222222-2222-4222-8222-222222222222', 'Globex');

CREATE TABLE members (
    org_id  uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id      uuid NOT NULL DEFAULT gen_random_uuid(),
    email   text NOT NULL CHECK (email LIKE '%@%'),
    name    text NOT NULL,
    role    text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, email)
);

CREATE TABLE projects (
    org_id  uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id      uuid NOT NULL DEFAULT gen_random_uuid(),
    name    text NOT NULL,
    lead    uuid,
    due     date,
    closed  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead) REFERENCES members
);

CREATE TABLE tasks (
    org_id      uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    project_id  uuid NOT NULL,
    title       text NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'doing', 'done')),
    PRIMARY KEY (org_id, id),
    CONSTRAINT tasks_project FOREIGN KEY (org_id, project_id) REFERENCES projects ON DELETE CASCADE
);

CREATE TABLE comments (
    org_id   uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id       uuid NOT NULL DEFAULT gen_random_uuid(),
    task_id  uuid NOT NULL,
    author   uuid NOT NULL,
    body     text NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, task_id) REFERENCES tasks ON DELETE CASCADE,
    FOREIGN KEY (org_id, author) REFERENCES members
);

CREATE TABLE files (
    org_id      uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    project_id  uuid NOT NULL,
    path        text NOT NULL,
    bytes       bigint NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, path),
    FOREIGN KEY (org_id, project_id) REFERENCES projects ON DELETE CASCADE
);

CREATE TABLE invoices (
    org_id    uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id        uuid NOT NULL DEFAULT gen_random_uuid(),
    number    bigint NOT NULL,
    customer  text NOT NULL,
    state     text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid')),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, number)
);

CREATE TABLE invoice_lines (
    org_id      uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    invoice_id  uuid NOT NULL,
    position    int NOT NULL CHECK (position > 0),
    text        text NOT NULL,
    amount      numeric(12, 2) NOT NULL,
    PRIMARY KEY (org_id, invoice_id, position),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE CASCADE
);

CREATE TABLE api_keys (
    org_id   uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id       uuid NOT NULL DEFAULT gen_random_uuid(),
    label    text NOT NULL,
    digest   text NOT NULL,
    revoked  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (org_id, id)
);

CREATE TABLE audit_log (
    org_id  uuid NOT NULL DEFAULT current_org() REFERENCES organisations,
    id      uuid NOT NULL DEFAULT gen_random_uuid(),
    at      timestamptz NOT NULL DEFAULT now(),
    what    text NOT NULL,
    PRIMARY KEY (org_id, id)
);


-- The walls ------------------------------------------------------------------------------------
-- FORCE binds the owner too; one policy rules reading and writing alike.

DO $$
DECLARE
    belongs name;
BEGIN
    FOREACH belongs IN ARRAY ARRAY['members', 'projects', 'tasks', 'comments', 'files', 'invoices',
                                   'invoice_lines', 'api_keys', 'audit_log']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', belongs);
        EXECUTE format('CREATE POLICY own ON %I USING (org_id = (SELECT current_org()))'
                       ' WITH CHECK (org_id = (SELECT current_org()))', belongs);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO app', belongs);
    END LOOP;
END $$;

ALTER TABLE organisations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organisations USING (id = (SELECT current_org()));
GRANT SELECT, UPDATE (name) ON organisations TO app;

REVOKE UPDATE, DELETE ON audit_log FROM app;   -- what is written there stays
GRANT SELECT ON plans TO app;


-- What the application asks for ----------------------------------------------------------------

-- With security_invoker the policies see the reader, not the view's owner.
CREATE VIEW open_invoices WITH (security_invoker = true) AS
    SELECT i.org_id, i.id, i.number, i.customer, sum(l.amount) AS amount
    FROM invoices i JOIN invoice_lines l USING (org_id)
    WHERE l.invoice_id = i.id AND i.state = 'open'
    GROUP BY i.org_id, i.id, i.number, i.customer;

CREATE VIEW progress WITH (security_invoker = true) AS
    SELECT org_id, project_id, count(*) FILTER (WHERE state = 'done') AS done, count(*) AS tasks
    FROM tasks GROUP BY org_id, project_id;

GRANT SELECT ON open_invoices, progress TO app;

CREATE FUNCTION invoice_total(invoice uuid) RETURNS numeric LANGUAGE sql STABLE
    RETURN (SELECT sum(amount) FROM invoice_lines WHERE invoice_id = invoice);

CREATE FUNCTION close_project(project uuid) RETURNS int LANGUAGE sql
BEGIN ATOMIC
    UPDATE tasks SET state = 'done' WHERE project_id = project;
    UPDATE projects SET closed = true WHERE id = project RETURNING 1;
END;

CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (org_id, what) VALUES (NEW.org_id, TG_OP || ' ' || TG_TABLE_NAME);
    RETURN NEW;
END $$;

CREATE TRIGGER noted AFTER INSERT OR UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER noted AFTER INSERT OR UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION note();

RESET ROLE;
