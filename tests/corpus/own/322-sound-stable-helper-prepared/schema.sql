-- The decoy of an immutable helper: declared STABLE, so a prepared statement asks again in each request.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE FUNCTION public.current_org() RETURNS int LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $$ SELECT current_setting('app.org_id', true)::int $$;
CREATE TABLE public.orders (
  org_id int NOT NULL,
  ref text NOT NULL,
  memo text NOT NULL,
  PRIMARY KEY (org_id, ref)
);
ALTER TABLE public.orders OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.orders TO app_user;
ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY orders_tenant ON public.orders FOR ALL TO app_user
  USING (org_id = public.current_org())
  WITH CHECK (org_id = public.current_org());
INSERT INTO public.orders VALUES (1,'o-1','A-data'), (2,'o-1','CANARY_B order');
