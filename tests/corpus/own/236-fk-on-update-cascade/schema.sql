-- ON UPDATE CASCADE over tenants: A renames its code and B's rows change.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.cost_centres (
  org_id int NOT NULL,
  code text PRIMARY KEY,
  name text NOT NULL
);
ALTER TABLE public.cost_centres OWNER TO app_owner;
CREATE INDEX ON public.cost_centres (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.cost_centres TO app_user;
ALTER TABLE public.cost_centres ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.cost_centres FORCE ROW LEVEL SECURITY;
CREATE POLICY cost_centres_tenant ON public.cost_centres FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE TABLE public.bookings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id int NOT NULL,
  centre text NOT NULL REFERENCES public.cost_centres (code) ON UPDATE CASCADE,
  memo text NOT NULL
);
ALTER TABLE public.bookings OWNER TO app_owner;
CREATE INDEX ON public.bookings (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.bookings TO app_user;
ALTER TABLE public.bookings ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bookings FORCE ROW LEVEL SECURITY;
CREATE POLICY bookings_tenant ON public.bookings FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.cost_centres VALUES (1,'K100','A-data');
INSERT INTO public.bookings (org_id, centre, memo) VALUES (2,'K100','CANARY_B memo');
