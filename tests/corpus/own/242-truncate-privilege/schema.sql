-- TRUNCATE is granted to the application; row security does not apply to it.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.drafts (
  org_id int NOT NULL,
  slug text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (org_id, slug)
);
ALTER TABLE public.drafts OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON public.drafts TO app_user;
ALTER TABLE public.drafts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.drafts FORCE ROW LEVEL SECURITY;
CREATE POLICY drafts_tenant ON public.drafts FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE POLICY drafts_floor ON public.drafts AS RESTRICTIVE FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.drafts VALUES (1,'one','A-data'), (2,'two','CANARY_B body');
