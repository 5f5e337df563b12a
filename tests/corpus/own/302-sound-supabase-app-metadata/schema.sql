-- Supabase style: the organisation comes from app_metadata (server-side); a service_role with BYPASSRLS exists but the login is no member of it.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated TO authenticator;
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth, public TO anon, authenticated, service_role;
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$ SELECT NULLIF(current_setting('request.jwt.claims', true), '')::jsonb $$;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT (auth.jwt() ->> 'sub')::uuid $$;
CREATE TABLE public.profiles (
  org uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  display_name text NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (org, id)
);
CREATE INDEX ON public.profiles (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.profiles TO authenticated, service_role;
ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY profiles_read ON public.profiles FOR SELECT TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY profiles_add ON public.profiles FOR INSERT TO authenticated WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY profiles_change ON public.profiles FOR UPDATE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid)) WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY profiles_remove ON public.profiles FOR DELETE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE TABLE public.channels (
  org uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (org, id)
);
CREATE INDEX ON public.channels (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.channels TO authenticated, service_role;
ALTER TABLE public.channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY channels_read ON public.channels FOR SELECT TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY channels_add ON public.channels FOR INSERT TO authenticated WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY channels_change ON public.channels FOR UPDATE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid)) WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY channels_remove ON public.channels FOR DELETE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE TABLE public.messages (
  org uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  channel_id uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org, channel_id) REFERENCES public.channels (org, id) ON DELETE CASCADE
);
CREATE INDEX ON public.messages (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.messages TO authenticated, service_role;
ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY messages_read ON public.messages FOR SELECT TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY messages_add ON public.messages FOR INSERT TO authenticated WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY messages_change ON public.messages FOR UPDATE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid)) WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY messages_remove ON public.messages FOR DELETE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE TABLE public.reactions (
  org uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  message_id uuid NOT NULL,
  emoji text NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org, message_id) REFERENCES public.messages (org, id) ON DELETE CASCADE
);
CREATE INDEX ON public.reactions (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.reactions TO authenticated, service_role;
ALTER TABLE public.reactions ENABLE ROW LEVEL SECURITY;
CREATE POLICY reactions_read ON public.reactions FOR SELECT TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY reactions_add ON public.reactions FOR INSERT TO authenticated WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY reactions_change ON public.reactions FOR UPDATE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid)) WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY reactions_remove ON public.reactions FOR DELETE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE TABLE public.uploads (
  org uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  channel_id uuid NOT NULL,
  object_name text NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org, channel_id) REFERENCES public.channels (org, id) ON DELETE CASCADE
);
CREATE INDEX ON public.uploads (org);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.uploads TO authenticated, service_role;
ALTER TABLE public.uploads ENABLE ROW LEVEL SECURITY;
CREATE POLICY uploads_read ON public.uploads FOR SELECT TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY uploads_add ON public.uploads FOR INSERT TO authenticated WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY uploads_change ON public.uploads FOR UPDATE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid)) WITH CHECK (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
CREATE POLICY uploads_remove ON public.uploads FOR DELETE TO authenticated USING (org = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org')::uuid));
INSERT INTO public.profiles VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a1','A-data');
INSERT INTO public.channels VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.messages VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a3','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.reactions VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a4','00000000-0000-4000-8000-0000000000a3','A-data');
INSERT INTO public.uploads VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a5','00000000-0000-4000-8000-0000000000a2','A-data');
INSERT INTO public.profiles VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b1','CANARY_B');
INSERT INTO public.channels VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b2','CANARY_B');
INSERT INTO public.messages VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b3','00000000-0000-4000-8000-0000000000b2','CANARY_B');
INSERT INTO public.reactions VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b4','00000000-0000-4000-8000-0000000000b3','CANARY_B');
INSERT INTO public.uploads VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b5','00000000-0000-4000-8000-0000000000b2','CANARY_B');
