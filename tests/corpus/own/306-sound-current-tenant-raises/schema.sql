-- current_tenant() raises when no tenant is set; it is also the default of the tenant column.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO app_user, app_owner;
CREATE FUNCTION app.current_tenant() RETURNS int LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE value text := current_setting('app.tenant', true);
BEGIN
  IF value IS NULL OR value = '' THEN RAISE EXCEPTION 'no tenant' USING ERRCODE = 'insufficient_privilege'; END IF;
  RETURN value::int;
END $$;
CREATE TABLE public.plans (
  tenant_id int NOT NULL DEFAULT app.current_tenant(),
  code text NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (tenant_id, code)
);
ALTER TABLE public.plans OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.plans TO app_user;
ALTER TABLE public.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.plans FORCE ROW LEVEL SECURITY;
CREATE POLICY plans_tenant ON public.plans FOR ALL TO app_user
  USING (tenant_id = (SELECT app.current_tenant()))
  WITH CHECK (tenant_id = (SELECT app.current_tenant()));
CREATE TABLE public.subscribers (
  tenant_id int NOT NULL DEFAULT app.current_tenant(),
  email text NOT NULL,
  plan_code text NOT NULL,
  PRIMARY KEY (tenant_id, email),
  FOREIGN KEY (tenant_id, plan_code) REFERENCES public.plans (tenant_id, code) ON UPDATE CASCADE
);
ALTER TABLE public.subscribers OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.subscribers TO app_user;
ALTER TABLE public.subscribers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.subscribers FORCE ROW LEVEL SECURITY;
CREATE POLICY subscribers_tenant ON public.subscribers FOR ALL TO app_user
  USING (tenant_id = (SELECT app.current_tenant()))
  WITH CHECK (tenant_id = (SELECT app.current_tenant()));
INSERT INTO public.plans VALUES (10,'pro','A-data'), (20,'pro','CANARY_B');
INSERT INTO public.subscribers VALUES (10,'A-data@x.example','pro'), (20,'CANARY_B@x.example','pro');
