-- Child rows are read through their parent, but WITH CHECK (true) lets A hang its photo into an album of B.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.albums (
  id uuid PRIMARY KEY,
  owner_no int NOT NULL,
  title text NOT NULL
);
ALTER TABLE public.albums OWNER TO app_owner;
CREATE INDEX ON public.albums (owner_no);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.albums TO app_user;
ALTER TABLE public.albums ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.albums FORCE ROW LEVEL SECURITY;
CREATE POLICY albums_tenant ON public.albums FOR ALL TO app_user
  USING (owner_no = (SELECT current_setting('app.owner_no', true)::int))
  WITH CHECK (owner_no = (SELECT current_setting('app.owner_no', true)::int));
CREATE TABLE public.photos (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  album_id uuid NOT NULL REFERENCES public.albums (id),
  caption text NOT NULL
);
ALTER TABLE public.photos OWNER TO app_owner;
CREATE INDEX ON public.photos (album_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.photos TO app_user;
ALTER TABLE public.photos ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.photos FORCE ROW LEVEL SECURITY;
CREATE POLICY photos_tenant ON public.photos FOR ALL TO app_user
  USING (EXISTS (SELECT 1 FROM public.albums a WHERE a.id = album_id AND a.owner_no = (SELECT current_setting('app.owner_no', true)::int)))
  WITH CHECK (true);
INSERT INTO public.albums VALUES ('f0000000-0000-4000-8000-00000000000a',1,'A-data'), ('f0000000-0000-4000-8000-00000000000b',2,'CANARY_B album');
INSERT INTO public.photos (album_id, caption) SELECT id, title FROM public.albums;
