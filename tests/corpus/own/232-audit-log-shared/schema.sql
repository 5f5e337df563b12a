-- A definer trigger writes old and new rows into an audit log that every tenant may read.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.notes (
  org_id int NOT NULL,
  slug text NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (org_id, slug)
);
ALTER TABLE public.notes OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO app_user;
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.notes FORCE ROW LEVEL SECURITY;
CREATE POLICY notes_tenant ON public.notes FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE POLICY notes_floor ON public.notes AS RESTRICTIVE FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.notes VALUES (1,'one','A-data'), (2,'two','CANARY_B body');
CREATE TABLE public.audit_log (at timestamptz NOT NULL DEFAULT now(), relation text NOT NULL, row_data jsonb NOT NULL);
GRANT SELECT ON public.audit_log TO app_user;
CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN INSERT INTO public.audit_log (relation, row_data) VALUES (TG_TABLE_NAME, to_jsonb(NEW)); RETURN NEW; END $$;
REVOKE EXECUTE ON FUNCTION public.audit() FROM PUBLIC;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON public.notes FOR EACH ROW EXECUTE FUNCTION public.audit();
