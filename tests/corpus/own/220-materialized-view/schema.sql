-- A materialized view over all tenants is readable by the application; row security does not reach it.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.sales (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  region text NOT NULL,
  cents bigint NOT NULL
);
ALTER TABLE public.sales OWNER TO app_owner;
CREATE INDEX ON public.sales (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.sales TO app_user;
ALTER TABLE public.sales ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.sales FORCE ROW LEVEL SECURITY;
CREATE POLICY sales_tenant ON public.sales FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::uuid));
CREATE POLICY sales_floor ON public.sales AS RESTRICTIVE FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::uuid));
INSERT INTO public.sales (org_id, region, cents) VALUES ('11111111-1111-4111-8111-111111111111','A-data',100), ('22222222-2222-4222-8222-222222222222','CANARY_B region',900);
CREATE MATERIALIZED VIEW public.sales_by_region AS SELECT org_id, region, sum(cents) AS cents FROM public.sales GROUP BY 1, 2;
GRANT SELECT ON public.sales_by_region TO app_user;
