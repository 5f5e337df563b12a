-- A definer function returns the row with the given number, whosever it is.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.contracts (
  org_id int NOT NULL,
  no bigint NOT NULL,
  terms text NOT NULL,
  PRIMARY KEY (org_id, no)
);
ALTER TABLE public.contracts OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.contracts TO app_user;
ALTER TABLE public.contracts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.contracts FORCE ROW LEVEL SECURITY;
CREATE POLICY contracts_tenant ON public.contracts FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.contracts VALUES (1,100,'A-data'), (2,200,'CANARY_B terms');
CREATE FUNCTION public.contract_terms(p_no bigint) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN RETURN (SELECT terms FROM public.contracts WHERE no = p_no ORDER BY org_id DESC LIMIT 1); END $$;
REVOKE EXECUTE ON FUNCTION public.contract_terms(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.contract_terms(bigint) TO app_user;
