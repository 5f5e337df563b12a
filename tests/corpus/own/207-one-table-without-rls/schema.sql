-- Five of six tables have RLS; the migration that added attachments forgot it.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.users (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  email text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE public.users OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.users TO app_user;
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.users FORCE ROW LEVEL SECURITY;
CREATE POLICY users_tenant ON public.users FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.projects (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  title text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE public.projects OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.projects TO app_user;
ALTER TABLE public.projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.projects FORCE ROW LEVEL SECURITY;
CREATE POLICY projects_tenant ON public.projects FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.milestones (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  label text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id)
);
ALTER TABLE public.milestones OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.milestones TO app_user;
ALTER TABLE public.milestones ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.milestones FORCE ROW LEVEL SECURITY;
CREATE POLICY milestones_tenant ON public.milestones FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.tasks (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES public.projects (tenant_id, id)
);
ALTER TABLE public.tasks OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tasks TO app_user;
ALTER TABLE public.tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY tasks_tenant ON public.tasks FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.time_entries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  task_id uuid NOT NULL,
  minutes int NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES public.tasks (tenant_id, id)
);
ALTER TABLE public.time_entries OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.time_entries TO app_user;
ALTER TABLE public.time_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.time_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY time_entries_tenant ON public.time_entries FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.attachments (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  task_id uuid NOT NULL,
  file_name text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, task_id) REFERENCES public.tasks (tenant_id, id)
);
ALTER TABLE public.attachments OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.attachments TO app_user;
INSERT INTO public.users VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a1','A-data@x.example');
INSERT INTO public.projects VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.milestones VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a3','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.tasks VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a4','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.time_entries VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a5','00000000-0000-4000-8000-0000000000a4',30);
INSERT INTO public.attachments VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a6','00000000-0000-4000-8000-0000000000a4','A-data.pdf');
INSERT INTO public.users VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b1','CANARY_B@x.example');
INSERT INTO public.projects VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b2','CANARY_B');
INSERT INTO public.milestones VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b3','00000000-0000-4000-8000-0000000000b2','CANARY_B');
INSERT INTO public.tasks VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b4','00000000-0000-4000-8000-0000000000b2','CANARY_B');
INSERT INTO public.time_entries VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b5','00000000-0000-4000-8000-0000000000b4',30);
INSERT INTO public.attachments VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b6','00000000-0000-4000-8000-0000000000b4','CANARY_B.pdf');
