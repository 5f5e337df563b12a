-- FOR UPDATE ... WITH CHECK (true): A moves its own row into tenant B.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.pages (
  workspace_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  title text NOT NULL,
  PRIMARY KEY (id)
);
ALTER TABLE public.pages OWNER TO app_owner;
CREATE INDEX ON public.pages (workspace_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.pages TO app_user;
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.pages FORCE ROW LEVEL SECURITY;
CREATE POLICY pages_select ON public.pages FOR SELECT TO app_user USING (workspace_id = (SELECT current_setting('app.workspace', true)::int));
CREATE POLICY pages_insert ON public.pages FOR INSERT TO app_user WITH CHECK (workspace_id = (SELECT current_setting('app.workspace', true)::int));
CREATE POLICY pages_update ON public.pages FOR UPDATE TO app_user USING (workspace_id = (SELECT current_setting('app.workspace', true)::int)) WITH CHECK (true);
CREATE POLICY pages_delete ON public.pages FOR DELETE TO app_user USING (workspace_id = (SELECT current_setting('app.workspace', true)::int));
INSERT INTO public.pages (workspace_id, title) VALUES (7,'A-data'), (8,'CANARY_B page');
