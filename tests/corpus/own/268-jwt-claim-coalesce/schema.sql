-- The policy falls back from app_metadata to user_metadata, which the user may edit, when the first is missing.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO app_user;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT NULLIF(current_setting('request.jwt.claims', true), '')::jsonb $$;
CREATE TABLE public.invoices (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org uuid NOT NULL,
  note text NOT NULL
);
ALTER TABLE public.invoices OWNER TO app_owner;
CREATE INDEX ON public.invoices (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO app_user;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY invoices_tenant ON public.invoices FOR ALL TO app_user
  USING (org = (SELECT COALESCE(auth.jwt() -> 'app_metadata' ->> 'org', auth.jwt() -> 'user_metadata' ->> 'org')::uuid))
  WITH CHECK (org = (SELECT COALESCE(auth.jwt() -> 'app_metadata' ->> 'org', auth.jwt() -> 'user_metadata' ->> 'org')::uuid));
INSERT INTO public.invoices (org, note) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B');
