-- The policy looks for the row's team in a comma-separated list with position(): 'team-1' is in 'team-12'.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.boards (
  team text NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (team, name)
);
ALTER TABLE public.boards OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.boards TO app_user;
ALTER TABLE public.boards ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.boards FORCE ROW LEVEL SECURITY;
CREATE POLICY boards_tenant ON public.boards FOR ALL TO app_user
  USING (position(team in (SELECT current_setting('app.teams', true))) > 0)
  WITH CHECK (position(team in (SELECT current_setting('app.teams', true))) > 0);
INSERT INTO public.boards VALUES ('team-12','A-data'), ('team-1','CANARY_B board');
