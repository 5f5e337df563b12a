-- Bigint tenants are compared as double precision, which cannot tell 9007199254740992 from 9007199254740993.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.readings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  meter_owner bigint NOT NULL,
  remark text NOT NULL
);
ALTER TABLE public.readings OWNER TO app_owner;
CREATE INDEX ON public.readings (meter_owner);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.readings TO app_user;
ALTER TABLE public.readings ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.readings FORCE ROW LEVEL SECURITY;
CREATE POLICY readings_tenant ON public.readings FOR ALL TO app_user
  USING (meter_owner::float8 = (SELECT current_setting('app.owner', true)::float8))
  WITH CHECK (meter_owner::float8 = (SELECT current_setting('app.owner', true)::float8));
INSERT INTO public.readings (meter_owner, remark) VALUES (9007199254740993,'A-data'), (9007199254740992,'CANARY_B');
