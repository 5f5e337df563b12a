-- The tenant is used as a regular expression: the dot in 'eu.shop' matches 'eu-shop'.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.visitors (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  site text NOT NULL,
  ip text NOT NULL
);
ALTER TABLE public.visitors OWNER TO app_owner;
CREATE INDEX ON public.visitors (site);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.visitors TO app_user;
ALTER TABLE public.visitors ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.visitors FORCE ROW LEVEL SECURITY;
CREATE POLICY visitors_tenant ON public.visitors FOR ALL TO app_user
  USING (site ~ ('^' || (SELECT current_setting('app.site', true)) || '$'))
  WITH CHECK (site ~ ('^' || (SELECT current_setting('app.site', true)) || '$'));
INSERT INTO public.visitors (site, ip) VALUES ('eu.shop','A-data'), ('eu-shop','CANARY_B 10.0.0.1');
