-- A definer view filters by tenant but is no security barrier: a cheap function in the WHERE sees the rows of B first.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.leads (
  org_id int NOT NULL,
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  phone text NOT NULL
);
ALTER TABLE public.leads OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.leads TO app_user;
ALTER TABLE public.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.leads FORCE ROW LEVEL SECURITY;
CREATE POLICY leads_tenant ON public.leads FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE POLICY leads_floor ON public.leads AS RESTRICTIVE FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.leads (org_id, phone) VALUES (1,'A-data'), (2,'CANARY_B 555');
CREATE VIEW public.my_leads AS SELECT phone FROM public.leads WHERE org_id = current_setting('app.org_id', true)::int;
REVOKE ALL ON public.leads FROM app_user;
GRANT SELECT ON public.my_leads TO app_user;
