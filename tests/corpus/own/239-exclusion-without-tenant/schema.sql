-- An exclusion constraint over room and time, without the tenant.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE EXTENSION btree_gist;
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.reservations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id int NOT NULL,
  room int NOT NULL,
  during daterange NOT NULL,
  guest text NOT NULL,
  EXCLUDE USING gist (room WITH =, during WITH &&)
);
ALTER TABLE public.reservations OWNER TO app_owner;
CREATE INDEX ON public.reservations (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.reservations TO app_user;
ALTER TABLE public.reservations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.reservations FORCE ROW LEVEL SECURITY;
CREATE POLICY reservations_tenant ON public.reservations FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.reservations (org_id, room, during, guest) VALUES (1,1,'[2024-01-01,2024-01-03)','A-data'), (2,5,'[2024-03-01,2024-03-09)','CANARY_B guest');
