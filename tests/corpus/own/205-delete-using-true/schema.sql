-- FOR DELETE USING (true): a DELETE without WHERE empties every tenant.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE svc LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO svc;
CREATE TABLE public.sessions (
  token uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant uuid NOT NULL,
  username text NOT NULL
);
ALTER TABLE public.sessions OWNER TO app_owner;
CREATE INDEX ON public.sessions (tenant);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.sessions TO svc;
ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY s ON public.sessions FOR SELECT TO svc USING (tenant = (SELECT current_setting('t.id', true)::uuid));
CREATE POLICY i ON public.sessions FOR INSERT TO svc WITH CHECK (tenant = (SELECT current_setting('t.id', true)::uuid));
CREATE POLICY u ON public.sessions FOR UPDATE TO svc USING (tenant = (SELECT current_setting('t.id', true)::uuid));
CREATE POLICY d ON public.sessions FOR DELETE TO svc USING (true);
INSERT INTO public.sessions (tenant, username) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B user');
