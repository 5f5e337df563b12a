-- A points at B's parent and B can no longer delete it.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.customers (
  tenant_id uuid NOT NULL,
  id uuid PRIMARY KEY,
  name text NOT NULL
);
ALTER TABLE public.customers OWNER TO app_owner;
CREATE INDEX ON public.customers (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.customers TO app_user;
ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.customers FORCE ROW LEVEL SECURITY;
CREATE POLICY customers_tenant ON public.customers FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.orders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  customer_id uuid NOT NULL REFERENCES public.customers (id)
);
ALTER TABLE public.orders OWNER TO app_owner;
CREATE INDEX ON public.orders (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.orders TO app_user;
ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_tenant ON public.orders FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
INSERT INTO public.customers VALUES ('11111111-1111-4111-8111-111111111111','c0000000-0000-4000-8000-00000000000a','A-data'), ('22222222-2222-4222-8222-222222222222','c0000000-0000-4000-8000-00000000000b','CANARY_B');
INSERT INTO public.orders (tenant_id, customer_id) VALUES ('11111111-1111-4111-8111-111111111111','c0000000-0000-4000-8000-00000000000a');
