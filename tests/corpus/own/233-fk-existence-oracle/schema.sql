-- A child references the parent by its integer id alone: A learns which ids exist in B.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.projects (
  org_id int NOT NULL,
  id int PRIMARY KEY,
  name text NOT NULL
);
ALTER TABLE public.projects OWNER TO app_owner;
GRANT SELECT ON public.projects TO app_user;
ALTER TABLE public.projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.projects FORCE ROW LEVEL SECURITY;
CREATE POLICY projects_tenant ON public.projects FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE TABLE public.tasks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id int NOT NULL,
  project_id int NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
  title text NOT NULL
);
ALTER TABLE public.tasks OWNER TO app_owner;
CREATE INDEX ON public.tasks (org_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tasks TO app_user;
ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY tasks_tenant ON public.tasks FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.projects VALUES (1,10,'A-data'), (2,20,'CANARY_B project');
INSERT INTO public.tasks (org_id, project_id, title) VALUES (1,10,'A-data'), (2,20,'CANARY_B');
