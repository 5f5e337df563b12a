-- The primary key is the slug alone, over all tenants.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.pages (
  slug text PRIMARY KEY,
  tenant_id uuid NOT NULL,
  body text NOT NULL
);
ALTER TABLE public.pages OWNER TO app_owner;
CREATE INDEX ON public.pages (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.pages TO app_user;
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pages FORCE ROW LEVEL SECURITY;
CREATE POLICY pages_tenant ON public.pages FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
INSERT INTO public.pages VALUES ('home','11111111-1111-4111-8111-111111111111','A-data'), ('secret-merger','22222222-2222-4222-8222-222222222222','CANARY_B');
