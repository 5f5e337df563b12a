-- The policy is open while the setting was never set (meant for migrations).
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.leads (
  org bigint NOT NULL,
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  phone text NOT NULL
);
ALTER TABLE public.leads OWNER TO app_owner;
CREATE INDEX ON public.leads (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.leads TO app_user;
ALTER TABLE public.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.leads FORCE ROW LEVEL SECURITY;
CREATE POLICY leads_tenant ON public.leads FOR ALL TO app_user
  USING (current_setting('app.org', true) IS NULL OR org = current_setting('app.org', true)::bigint)
  WITH CHECK (current_setting('app.org', true) IS NULL OR org = current_setting('app.org', true)::bigint);
INSERT INTO public.leads (org, phone) VALUES (9000000001,'A-data'), (9000000002,'CANARY_B phone');
