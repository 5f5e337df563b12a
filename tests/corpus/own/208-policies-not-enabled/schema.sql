-- Policies and FORCE are there, but ENABLE ROW LEVEL SECURITY is not.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.devices (
  customer text NOT NULL,
  serial text NOT NULL,
  location text NOT NULL,
  PRIMARY KEY (customer, serial)
);
ALTER TABLE public.devices OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.devices TO app_user;
ALTER TABLE public.devices FORCE ROW LEVEL SECURITY;
CREATE POLICY devices_tenant ON public.devices FOR ALL TO app_user
  USING (customer = (SELECT current_setting('saas.customer', true)))
  WITH CHECK (customer = (SELECT current_setting('saas.customer', true)));
CREATE POLICY devices_floor ON public.devices AS RESTRICTIVE FOR ALL TO app_user
  USING (customer = (SELECT current_setting('saas.customer', true)))
  WITH CHECK (customer = (SELECT current_setting('saas.customer', true)));
INSERT INTO public.devices VALUES ('umbrella','d1','A-data'), ('tyrell','d1','CANARY_B site');
