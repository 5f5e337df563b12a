-- A second permissive policy by author number (numbered per tenant) is OR-ed with the tenant policy.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.memos (
  org_id int NOT NULL,
  slug text NOT NULL,
  author int NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (org_id, slug)
);
ALTER TABLE public.memos OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.memos TO app_user;
ALTER TABLE public.memos ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.memos FORCE ROW LEVEL SECURITY;
CREATE POLICY memos_tenant ON public.memos FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE POLICY memos_author ON public.memos FOR SELECT TO app_user USING (author = (SELECT current_setting('app.user_no', true)::int));
INSERT INTO public.memos VALUES (1,'hello',1,'A-data'), (1,'bye',2,'A-data'), (2,'plan',1,'CANARY_B plan');
