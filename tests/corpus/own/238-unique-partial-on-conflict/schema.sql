-- A partial unique index without the tenant; ON CONFLICT DO NOTHING answers by its row count.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.subscribers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id int NOT NULL,
  email text NOT NULL,
  active boolean NOT NULL DEFAULT true
);
ALTER TABLE public.subscribers OWNER TO app_owner;
CREATE INDEX ON public.subscribers (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.subscribers TO app_user;
ALTER TABLE public.subscribers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.subscribers FORCE ROW LEVEL SECURITY;
CREATE POLICY subscribers_tenant ON public.subscribers FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE UNIQUE INDEX active_email ON public.subscribers (email) WHERE active;
INSERT INTO public.subscribers (org_id, email) VALUES (1,'a@a.example'), (2,'CANARY_B@b.example');
