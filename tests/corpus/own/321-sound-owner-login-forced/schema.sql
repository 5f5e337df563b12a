-- The login owns its tables, but row security is forced on it.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE solo LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO solo;
CREATE TABLE public.songs (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  title text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE public.songs OWNER TO solo;
ALTER TABLE public.songs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.songs FORCE ROW LEVEL SECURITY;
CREATE POLICY songs_tenant ON public.songs FOR ALL TO PUBLIC
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.playlists (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE public.playlists OWNER TO solo;
ALTER TABLE public.playlists ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.playlists FORCE ROW LEVEL SECURITY;
CREATE POLICY playlists_tenant ON public.playlists FOR ALL TO PUBLIC
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE TABLE public.listeners (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  nick text NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
ALTER TABLE public.listeners OWNER TO solo;
ALTER TABLE public.listeners ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.listeners FORCE ROW LEVEL SECURITY;
CREATE POLICY listeners_tenant ON public.listeners FOR ALL TO PUBLIC
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
INSERT INTO public.songs VALUES ('11111111-1111-4111-8111-111111111111',DEFAULT,'A-data'), ('22222222-2222-4222-8222-222222222222',DEFAULT,'CANARY_B');
INSERT INTO public.playlists VALUES ('11111111-1111-4111-8111-111111111111',DEFAULT,'A-data'), ('22222222-2222-4222-8222-222222222222',DEFAULT,'CANARY_B');
INSERT INTO public.listeners VALUES ('11111111-1111-4111-8111-111111111111',DEFAULT,'A-data'), ('22222222-2222-4222-8222-222222222222',DEFAULT,'CANARY_B');
