-- The gateway takes on a role per tenant, but the policy asks for session_user, which is the gateway for all.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE gateway LOGIN NOINHERIT;
CREATE ROLE red NOLOGIN;
CREATE ROLE blue NOLOGIN;
GRANT red, blue TO gateway;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO red, blue;
CREATE TABLE public.letters (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant name NOT NULL DEFAULT current_user,
  written_by name NOT NULL DEFAULT session_user,
  body text NOT NULL
);
ALTER TABLE public.letters OWNER TO app_owner;
CREATE INDEX ON public.letters (tenant);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.letters TO red, blue;
ALTER TABLE public.letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.letters FORCE ROW LEVEL SECURITY;
CREATE POLICY letters_tenant ON public.letters FOR ALL TO red, blue
  USING (written_by = SESSION_USER)
  WITH CHECK (written_by = SESSION_USER);
INSERT INTO public.letters (tenant, written_by, body) VALUES ('red','gateway','A-data'), ('blue','gateway','CANARY_B letter');
