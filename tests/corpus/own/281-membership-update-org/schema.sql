-- A user may update its own membership, its organisation included.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.members (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  org_id uuid NOT NULL,
  display_name text
);
ALTER TABLE public.members OWNER TO app_owner;
GRANT SELECT, UPDATE ON public.members TO app_user;
ALTER TABLE public.members ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.members FORCE ROW LEVEL SECURITY;
CREATE POLICY members_tenant ON public.members FOR ALL TO app_user
  USING (user_id = (SELECT current_setting('app.user_id', true)::uuid))
  WITH CHECK (user_id = (SELECT current_setting('app.user_id', true)::uuid));
CREATE TABLE public.files (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  name text NOT NULL
);
ALTER TABLE public.files OWNER TO app_owner;
CREATE INDEX ON public.files (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.files TO app_user;
ALTER TABLE public.files ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.files FORCE ROW LEVEL SECURITY;
CREATE POLICY files_tenant ON public.files FOR ALL TO app_user
  USING (org_id IN (SELECT m.org_id FROM public.members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::uuid)))
  WITH CHECK (org_id IN (SELECT m.org_id FROM public.members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::uuid)));
INSERT INTO public.members (user_id, org_id) VALUES ('aaaaaaaa-0000-4000-8000-000000000001','11111111-1111-4111-8111-111111111111'), ('bbbbbbbb-0000-4000-8000-000000000002','22222222-2222-4222-8222-222222222222');
INSERT INTO public.files (org_id, name) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B file');
