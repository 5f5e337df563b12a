-- Foreign keys of one random uuid column, whose target must be of the same org by WITH CHECK: existing and missing targets fail alike.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.folders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org text NOT NULL,
  name text NOT NULL,
  UNIQUE (org, name)
);
ALTER TABLE public.folders OWNER TO app_owner;
CREATE INDEX ON public.folders (org);
GRANT SELECT, INSERT, DELETE, UPDATE (name) ON public.folders TO app_user;
ALTER TABLE public.folders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.folders FORCE ROW LEVEL SECURITY;
CREATE POLICY folders_tenant ON public.folders FOR ALL TO app_user
  USING (org = (SELECT current_setting('app.org', true)))
  WITH CHECK (org = (SELECT current_setting('app.org', true)));
CREATE TABLE public.documents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org text NOT NULL,
  folder_id uuid NOT NULL REFERENCES public.folders (id) ON DELETE CASCADE,
  title text NOT NULL
);
ALTER TABLE public.documents OWNER TO app_owner;
CREATE INDEX ON public.documents (org, folder_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.documents TO app_user;
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.documents FORCE ROW LEVEL SECURITY;
CREATE POLICY documents_tenant ON public.documents FOR ALL TO app_user
  USING (org = (SELECT current_setting('app.org', true)))
  WITH CHECK (org = (SELECT current_setting('app.org', true)) AND EXISTS (SELECT 1 FROM public.folders p WHERE p.id = folder_id AND p.org = (SELECT current_setting('app.org', true))));
CREATE TABLE public.shares (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org text NOT NULL,
  document_id uuid NOT NULL REFERENCES public.documents (id) ON DELETE CASCADE,
  recipient text NOT NULL
);
ALTER TABLE public.shares OWNER TO app_owner;
CREATE INDEX ON public.shares (org, document_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.shares TO app_user;
ALTER TABLE public.shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.shares FORCE ROW LEVEL SECURITY;
CREATE POLICY shares_tenant ON public.shares FOR ALL TO app_user
  USING (org = (SELECT current_setting('app.org', true)))
  WITH CHECK (org = (SELECT current_setting('app.org', true)) AND EXISTS (SELECT 1 FROM public.documents p WHERE p.id = document_id AND p.org = (SELECT current_setting('app.org', true))));
INSERT INTO public.folders VALUES ('00000000-0000-4000-8000-0000000000a1','acme','A-data');
INSERT INTO public.documents VALUES ('00000000-0000-4000-8000-0000000000a2','acme','00000000-0000-4000-8000-0000000000a1','A-data');
INSERT INTO public.shares VALUES ('00000000-0000-4000-8000-0000000000a3','acme','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.folders VALUES ('00000000-0000-4000-8000-0000000000b1','globex','CANARY_B');
INSERT INTO public.documents VALUES ('00000000-0000-4000-8000-0000000000b2','globex','00000000-0000-4000-8000-0000000000b1','CANARY_B');
INSERT INTO public.shares VALUES ('00000000-0000-4000-8000-0000000000b3','globex','00000000-0000-4000-8000-0000000000b2','CANARY_B');
