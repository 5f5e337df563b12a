-- The login is a member of pg_write_all_data: it writes to a ledger that was never granted to it.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
GRANT pg_write_all_data TO app_user;
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
CREATE TABLE public.credits (
  tenant_id uuid NOT NULL,
  amount int NOT NULL,
  reason text NOT NULL
);
ALTER TABLE public.credits OWNER TO app_owner;
INSERT INTO public.credits VALUES ('22222222-2222-4222-8222-222222222222',5,'CANARY_B');
CREATE VIEW public.my_credits WITH (security_barrier = true) AS SELECT amount, reason FROM public.credits WHERE tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid);
ALTER VIEW public.my_credits OWNER TO app_owner;
GRANT SELECT ON public.my_credits TO app_user;
