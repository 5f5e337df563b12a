-- Read-only reference tables (countries, currencies, units) without row security, referenced by protected tables.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.countries (code char(2) PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.currencies (code char(3) PRIMARY KEY, digits smallint NOT NULL);
CREATE TABLE public.tax_rates (country char(2) NOT NULL REFERENCES public.countries (code), rate numeric NOT NULL, PRIMARY KEY (country, rate));
CREATE TABLE public.units (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, symbol text NOT NULL UNIQUE);
CREATE TABLE public.schema_migrations (version text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE public.countries OWNER TO app_owner;
ALTER TABLE public.currencies OWNER TO app_owner;
ALTER TABLE public.tax_rates OWNER TO app_owner;
ALTER TABLE public.units OWNER TO app_owner;
GRANT SELECT ON public.countries, public.currencies, public.tax_rates, public.units TO app_user;
CREATE TABLE public.addresses (
  org_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  country char(2) NOT NULL REFERENCES public.countries (code),
  street text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.addresses OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.addresses TO app_user;
ALTER TABLE public.addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.addresses FORCE ROW LEVEL SECURITY;
CREATE POLICY addresses_tenant ON public.addresses FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::uuid));
CREATE TABLE public.prices (
  org_id uuid NOT NULL,
  sku text NOT NULL,
  unit int NOT NULL REFERENCES public.units (id),
  currency char(3) NOT NULL REFERENCES public.currencies (code),
  cents bigint NOT NULL,
  PRIMARY KEY (org_id, sku, currency)
);
ALTER TABLE public.prices OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.prices TO app_user;
ALTER TABLE public.prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.prices FORCE ROW LEVEL SECURITY;
CREATE POLICY prices_tenant ON public.prices FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::uuid));
INSERT INTO public.countries VALUES ('DE','Germany'), ('FR','France');
INSERT INTO public.currencies VALUES ('EUR',2), ('JPY',0);
INSERT INTO public.tax_rates VALUES ('DE',19), ('FR',20);
INSERT INTO public.units (symbol) VALUES ('kg'), ('m');
INSERT INTO public.schema_migrations (version) VALUES ('0001');
INSERT INTO public.addresses (org_id, country, street) VALUES ('11111111-1111-4111-8111-111111111111','DE','A-data'), ('22222222-2222-4222-8222-222222222222','FR','CANARY_B');
INSERT INTO public.prices VALUES ('11111111-1111-4111-8111-111111111111','s1',1,'EUR',100), ('22222222-2222-4222-8222-222222222222','CANARY_B',2,'EUR',100);
