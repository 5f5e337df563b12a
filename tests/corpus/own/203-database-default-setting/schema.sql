-- ALTER DATABASE ... SET left a tenant as the default context of every session.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE api LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO api;
CREATE TABLE public.tickets (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  subject text NOT NULL
);
ALTER TABLE public.tickets OWNER TO app_owner;
CREATE INDEX ON public.tickets (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tickets TO api;
ALTER TABLE public.tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY tickets_tenant ON public.tickets FOR ALL TO api
  USING (org_id = (SELECT NULLIF(current_setting('request.org', true), '')::uuid))
  WITH CHECK (org_id = (SELECT NULLIF(current_setting('request.org', true), '')::uuid));
CREATE POLICY tickets_floor ON public.tickets AS RESTRICTIVE FOR ALL TO api
  USING (org_id = (SELECT NULLIF(current_setting('request.org', true), '')::uuid))
  WITH CHECK (org_id = (SELECT NULLIF(current_setting('request.org', true), '')::uuid));
INSERT INTO public.tickets (org_id, subject) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B subject');
ALTER DATABASE labcase SET request.org = '22222222-2222-4222-8222-222222222222';
