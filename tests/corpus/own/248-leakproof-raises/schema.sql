-- A function marked LEAKPROOF raises on values it does not like, before the policy is checked.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE FUNCTION public.must_be_short(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE LEAKPROOF COST 0.000001 AS $$ BEGIN IF length(v) > 12 THEN RAISE EXCEPTION 'too long: %', v; END IF; RETURN true; END $$;
CREATE TABLE public.coupons (
  org_id int NOT NULL,
  code text NOT NULL,
  PRIMARY KEY (org_id, code)
);
ALTER TABLE public.coupons OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.coupons TO app_user;
ALTER TABLE public.coupons ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.coupons FORCE ROW LEVEL SECURITY;
CREATE POLICY coupons_tenant ON public.coupons FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.coupons VALUES (1,'A-data'), (2,'CANARY_B-secret-code');
ANALYZE public.coupons;
