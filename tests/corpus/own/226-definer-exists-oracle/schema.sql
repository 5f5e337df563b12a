-- email_taken(): a definer function answers for all tenants whether an e-mail address is in use.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.people (
  tenant_id uuid NOT NULL,
  email text NOT NULL,
  PRIMARY KEY (tenant_id, email)
);
ALTER TABLE public.people OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.people TO app_user;
ALTER TABLE public.people ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.people FORCE ROW LEVEL SECURITY;
CREATE POLICY people_tenant ON public.people FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
INSERT INTO public.people VALUES ('11111111-1111-4111-8111-111111111111','a@a.example'), ('22222222-2222-4222-8222-222222222222','CANARY_B@b.example');
CREATE FUNCTION public.email_taken(p text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ SELECT EXISTS (SELECT 1 FROM public.people WHERE email = p) $$;
REVOKE EXECUTE ON FUNCTION public.email_taken(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.email_taken(text) TO app_user;
