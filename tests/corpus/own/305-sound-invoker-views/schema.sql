-- Views of views, aggregates and an updatable view, all with security_invoker, over protected tables.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.customers (
  org_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.customers OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.customers TO app_user;
ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.customers FORCE ROW LEVEL SECURITY;
CREATE POLICY customers_tenant ON public.customers FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org', true)::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org', true)::uuid));
CREATE TABLE public.invoices (
  org_id uuid NOT NULL,
  number text NOT NULL,
  customer_id uuid NOT NULL,
  cents bigint NOT NULL,
  PRIMARY KEY (org_id, number),
  FOREIGN KEY (org_id, customer_id) REFERENCES public.customers (org_id, id)
);
ALTER TABLE public.invoices OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO app_user;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY invoices_tenant ON public.invoices FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org', true)::uuid))
  WITH CHECK (org_id = (SELECT current_setting('app.org', true)::uuid));
INSERT INTO public.customers VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a1','A-data');
INSERT INTO public.invoices VALUES ('11111111-1111-4111-8111-111111111111','INV-1','00000000-0000-4000-8000-0000000000a1',100);
INSERT INTO public.customers VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b1','CANARY_B');
INSERT INTO public.invoices VALUES ('22222222-2222-4222-8222-222222222222','INV-1','00000000-0000-4000-8000-0000000000b1',100);
CREATE VIEW public.customer_list WITH (security_invoker = true) AS SELECT id, name FROM public.customers;
CREATE VIEW public.customer_totals WITH (security_invoker = true) AS SELECT c.name, count(*) AS invoices, sum(i.cents) AS cents FROM public.customers c JOIN public.invoices i ON i.customer_id = c.id GROUP BY c.name;
CREATE VIEW public.top_customers WITH (security_invoker = true, security_barrier = true) AS SELECT name, cents, rank() OVER (ORDER BY cents DESC) FROM public.customer_totals;
CREATE VIEW public.invoice_editor WITH (security_invoker = true) AS SELECT org_id, number, customer_id, cents FROM public.invoices;
ALTER VIEW public.customer_list OWNER TO app_owner;
ALTER VIEW public.customer_totals OWNER TO app_owner;
GRANT SELECT ON public.customer_list, public.customer_totals, public.top_customers TO app_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoice_editor TO app_user;
