-- Order lines have neither tenant column nor row security; only the orders do.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.orders (
  org_id int NOT NULL,
  id uuid PRIMARY KEY,
  ref text NOT NULL
);
ALTER TABLE public.orders OWNER TO app_owner;
CREATE INDEX ON public.orders (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.orders TO app_user;
ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_tenant ON public.orders FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE TABLE public.order_lines (
  order_id uuid NOT NULL REFERENCES public.orders (id) ON DELETE CASCADE,
  position int NOT NULL,
  article text NOT NULL,
  PRIMARY KEY (order_id, position)
);
ALTER TABLE public.order_lines OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.order_lines TO app_user;
INSERT INTO public.orders VALUES (1,'e0000000-0000-4000-8000-00000000000a','A-data'), (2,'e0000000-0000-4000-8000-00000000000b','CANARY_B');
INSERT INTO public.order_lines VALUES ('e0000000-0000-4000-8000-00000000000a',1,'A-data'), ('e0000000-0000-4000-8000-00000000000b',1,'CANARY_B article');
