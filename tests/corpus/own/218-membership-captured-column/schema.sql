-- The membership sub-query writes m.org_id = org_id; both sides are the membership, so any member sees all.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.members (
  user_id uuid NOT NULL,
  org_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'active',
  PRIMARY KEY (user_id, org_id)
);
ALTER TABLE public.members OWNER TO app_owner;
GRANT SELECT ON public.members TO app_user;
ALTER TABLE public.members ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.members FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON public.members FOR SELECT TO app_user USING (user_id = (SELECT current_setting('app.user_id', true)::uuid));
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
  USING (EXISTS (SELECT 1 FROM public.members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::uuid) AND m.org_id = org_id))
  WITH CHECK (EXISTS (SELECT 1 FROM public.members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::uuid) AND m.org_id = org_id));
INSERT INTO public.members VALUES ('aaaaaaaa-0000-4000-8000-000000000001','11111111-1111-4111-8111-111111111111'), ('bbbbbbbb-0000-4000-8000-000000000002','22222222-2222-4222-8222-222222222222');
INSERT INTO public.files (org_id, name) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B file');
