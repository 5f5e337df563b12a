-- GENERATED ALWAYS AS IDENTITY over all tenants: the gaps tell A how much B inserts.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.orders (
  id bigint GENERATED ALWAYS AS IDENTITY,
  org_id int NOT NULL,
  ref text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.orders OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.orders TO app_user;
ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_tenant ON public.orders FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.orders (org_id, ref) VALUES (1,'A-data'), (2,'CANARY_B');
