-- A monitoring view over pg_statistic belongs to the superuser and is granted to the application.
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
INSERT INTO public.notes SELECT 2, 'n' || g, 'CANARY_B common' FROM generate_series(1,200) g;
ANALYZE public.notes;
CREATE VIEW public.column_stats AS SELECT starelid::regclass::text AS tablename, staattnum, stanullfrac, stavalues1::text AS top FROM pg_catalog.pg_statistic WHERE starelid = 'public.notes'::regclass;
GRANT SELECT ON public.column_stats TO app_user;
