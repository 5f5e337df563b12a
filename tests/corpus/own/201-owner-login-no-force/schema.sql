-- The application logs in as the owner of its tables; RLS is enabled but not forced.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE shop_app LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO shop_app;
CREATE TABLE public.customers (
  company_id bigint NOT NULL,
  code text NOT NULL,
  full_name text NOT NULL,
  PRIMARY KEY (company_id, code)
);
ALTER TABLE public.customers OWNER TO shop_app;
ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY customers_tenant ON public.customers FOR ALL TO shop_app
  USING (company_id = (SELECT current_setting('shop.company', true)::bigint))
  WITH CHECK (company_id = (SELECT current_setting('shop.company', true)::bigint));
CREATE TABLE public.purchases (
  company_id bigint NOT NULL,
  ref text NOT NULL,
  customer_code text NOT NULL,
  total_cents bigint NOT NULL,
  PRIMARY KEY (company_id, ref),
  FOREIGN KEY (company_id, customer_code) REFERENCES public.customers (company_id, code)
);
ALTER TABLE public.purchases OWNER TO shop_app;
ALTER TABLE public.purchases ENABLE ROW LEVEL SECURITY;
CREATE POLICY purchases_tenant ON public.purchases FOR ALL TO shop_app
  USING (company_id = (SELECT current_setting('shop.company', true)::bigint))
  WITH CHECK (company_id = (SELECT current_setting('shop.company', true)::bigint));
INSERT INTO public.customers VALUES (1001,'c-1','A-data'), (2002,'c-1','CANARY_B buyer');
INSERT INTO public.purchases VALUES (1001,'p-1','c-1',500), (2002,'p-1','c-1',900);
