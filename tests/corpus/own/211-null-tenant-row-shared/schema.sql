-- Rows without a tenant count as everyone's, and WITH CHECK lets any tenant write them.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.templates (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid,
  body text NOT NULL
);
ALTER TABLE public.templates OWNER TO app_owner;
CREATE INDEX ON public.templates (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.templates TO app_user;
ALTER TABLE public.templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.templates FORCE ROW LEVEL SECURITY;
CREATE POLICY templates_tenant ON public.templates FOR ALL TO app_user
  USING (org_id IS NULL OR org_id = (SELECT current_setting('app.org_id', true)::uuid))
  WITH CHECK (org_id IS NULL OR org_id = (SELECT current_setting('app.org_id', true)::uuid));
INSERT INTO public.templates (org_id, body) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B template'), (NULL,'standard letter');
