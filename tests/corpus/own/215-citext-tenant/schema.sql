-- Tenant slugs are citext, so 'Delta' and 'delta' are one tenant to the policy.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE EXTENSION citext;
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.reports (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug citext NOT NULL,
  content text NOT NULL
);
ALTER TABLE public.reports OWNER TO app_owner;
CREATE INDEX ON public.reports (slug);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.reports TO app_user;
ALTER TABLE public.reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.reports FORCE ROW LEVEL SECURITY;
CREATE POLICY reports_tenant ON public.reports FOR ALL TO app_user
  USING (slug = (SELECT current_setting('app.slug', true)::citext))
  WITH CHECK (slug = (SELECT current_setting('app.slug', true)::citext));
INSERT INTO public.reports (slug, content) VALUES ('delta','A-data'), ('Delta','CANARY_B content');
