-- Bodies are large objects owned by the shared login: A removes those of B.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.scans (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id int NOT NULL,
  body oid NOT NULL
);
ALTER TABLE public.scans OWNER TO app_owner;
CREATE INDEX ON public.scans (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.scans TO app_user;
ALTER TABLE public.scans ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.scans FORCE ROW LEVEL SECURITY;
CREATE POLICY scans_tenant ON public.scans FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
SELECT lo_from_bytea(910001, 'A-data'::bytea);
SELECT lo_from_bytea(910002, 'CANARY_B scan'::bytea);
ALTER LARGE OBJECT 910001 OWNER TO app_user;
ALTER LARGE OBJECT 910002 OWNER TO app_user;
INSERT INTO public.scans (org_id, body) VALUES (1,910001), (2,910002);
