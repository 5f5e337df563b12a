-- A security_invoker view selects from a SECURITY DEFINER function that returns all tenants.
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
CREATE FUNCTION public.all_notes() RETURNS SETOF public.notes LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ SELECT * FROM public.notes $$;
REVOKE EXECUTE ON FUNCTION public.all_notes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.all_notes() TO app_user;
CREATE VIEW public.note_feed WITH (security_invoker = true, security_barrier = true) AS SELECT slug, body FROM public.all_notes();
GRANT SELECT ON public.note_feed TO app_user;
