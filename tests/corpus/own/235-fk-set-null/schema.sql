-- ON DELETE SET NULL over tenants: deleting A's label empties a column of B's row.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.labels (
  org_id int NOT NULL,
  id uuid PRIMARY KEY,
  name text NOT NULL
);
ALTER TABLE public.labels OWNER TO app_owner;
CREATE INDEX ON public.labels (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.labels TO app_user;
ALTER TABLE public.labels ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.labels FORCE ROW LEVEL SECURITY;
CREATE POLICY labels_tenant ON public.labels FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE TABLE public.mails (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id int NOT NULL,
  label_id uuid REFERENCES public.labels (id) ON DELETE SET NULL,
  subject text NOT NULL
);
ALTER TABLE public.mails OWNER TO app_owner;
CREATE INDEX ON public.mails (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.mails TO app_user;
ALTER TABLE public.mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.mails FORCE ROW LEVEL SECURITY;
CREATE POLICY mails_tenant ON public.mails FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.labels VALUES (1,'d0000000-0000-4000-8000-00000000000a','A-data');
INSERT INTO public.mails (org_id, label_id, subject) VALUES (2,'d0000000-0000-4000-8000-00000000000a','CANARY_B mail');
