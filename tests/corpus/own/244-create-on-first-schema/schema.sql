-- The application may create in public, which stands before the schema of the tables in its search_path: a table there shadows the protected one.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE SCHEMA core AUTHORIZATION app_owner;
GRANT USAGE ON SCHEMA core TO app_user;
GRANT CREATE ON SCHEMA public TO app_user;
ALTER ROLE app_user SET search_path = public, core;
CREATE TABLE core.messages (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  text text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE core.messages OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON core.messages TO app_user;
ALTER TABLE core.messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.messages FORCE ROW LEVEL SECURITY;
CREATE POLICY messages_tenant ON core.messages FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO core.messages (org_id, text) VALUES (1,'A-data'), (2,'CANARY_B');
