-- A LEAKPROOF function that is leakproof: another name for the built-in equality of texts.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE FUNCTION public.same_text(text, text) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'texteq';
CREATE TABLE public.documents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  title text NOT NULL
);
ALTER TABLE public.documents OWNER TO app_owner;
CREATE INDEX ON public.documents (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.documents TO app_user;
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.documents FORCE ROW LEVEL SECURITY;
CREATE POLICY documents_tenant ON public.documents FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
INSERT INTO public.documents (tenant_id, title) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B title');
