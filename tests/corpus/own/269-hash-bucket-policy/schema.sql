-- The policy compares hash buckets instead of tenants, so tenants of one bucket share their rows.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  client text NOT NULL,
  bucket text NOT NULL,
  line text NOT NULL
);
ALTER TABLE public.logs OWNER TO app_owner;
CREATE INDEX ON public.logs (bucket);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.logs TO app_user;
ALTER TABLE public.logs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.logs FORCE ROW LEVEL SECURITY;
CREATE POLICY logs_tenant ON public.logs FOR ALL TO app_user
  USING (bucket = (SELECT left(md5(current_setting('app.client', true)), 1)))
  WITH CHECK (bucket = (SELECT left(md5(current_setting('app.client', true)), 1)));
INSERT INTO public.logs (client, bucket, line) VALUES ('client-1', left(md5('client-1'),1), 'A-data'), ('client-26', left(md5('client-26'),1), 'CANARY_B line');
