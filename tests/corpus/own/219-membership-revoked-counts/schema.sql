-- The policy ignores the status of a membership: A's user was revoked in B and still reads it.
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
CREATE TABLE public.notes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  body text NOT NULL
);
ALTER TABLE public.notes OWNER TO app_owner;
CREATE INDEX ON public.notes (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO app_user;
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.notes FORCE ROW LEVEL SECURITY;
CREATE POLICY notes_tenant ON public.notes FOR ALL TO app_user
  USING (org_id IN (SELECT m.org_id FROM public.members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::uuid)))
  WITH CHECK (org_id IN (SELECT m.org_id FROM public.members m WHERE m.user_id = (SELECT current_setting('app.user_id', true)::uuid)));
INSERT INTO public.members VALUES ('aaaaaaaa-0000-4000-8000-000000000001','11111111-1111-4111-8111-111111111111','active'), ('aaaaaaaa-0000-4000-8000-000000000001','22222222-2222-4222-8222-222222222222','revoked'), ('bbbbbbbb-0000-4000-8000-000000000002','22222222-2222-4222-8222-222222222222','active');
INSERT INTO public.notes (org_id, body) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B note');
