-- The policy says tenant AND open OR archived: archived rows are open to all.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.offers (
  org_id int NOT NULL,
  no int NOT NULL,
  state text NOT NULL,
  text text NOT NULL,
  PRIMARY KEY (org_id, no)
);
ALTER TABLE public.offers OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.offers TO app_user;
ALTER TABLE public.offers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.offers FORCE ROW LEVEL SECURITY;
CREATE POLICY offers_tenant ON public.offers FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int) AND state = 'open' OR state = 'archived')
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int) AND state = 'open' OR state = 'archived');
INSERT INTO public.offers VALUES (1,1,'open','A-data'), (2,1,'open','CANARY_X'), (2,2,'archived','CANARY_B offer');
