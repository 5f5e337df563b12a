-- Both sides are cut to varchar(8), so two customers with the same first eight letters share their rows.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.forecasts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  customer_code text NOT NULL,
  value text NOT NULL
);
ALTER TABLE public.forecasts OWNER TO app_owner;
CREATE INDEX ON public.forecasts (customer_code);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.forecasts TO app_user;
ALTER TABLE public.forecasts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.forecasts FORCE ROW LEVEL SECURITY;
CREATE POLICY forecasts_tenant ON public.forecasts FOR ALL TO app_user
  USING (customer_code::varchar(8) = (SELECT current_setting('app.customer', true)::varchar(8)))
  WITH CHECK (customer_code::varchar(8) = (SELECT current_setting('app.customer', true)::varchar(8)));
INSERT INTO public.forecasts (customer_code, value) VALUES ('northwind-eu','A-data'), ('northwind-us','CANARY_B value');
