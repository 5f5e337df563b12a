-- The policy trusts a second setting, app.role = 'admin', which any client may set.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.payslips (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id uuid NOT NULL,
  salary text NOT NULL
);
ALTER TABLE public.payslips OWNER TO app_owner;
CREATE INDEX ON public.payslips (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.payslips TO app_user;
ALTER TABLE public.payslips ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.payslips FORCE ROW LEVEL SECURITY;
CREATE POLICY payslips_tenant ON public.payslips FOR ALL TO app_user
  USING (current_setting('app.role', true) = 'admin' OR tenant_id = (SELECT current_setting('app.tenant', true)::uuid))
  WITH CHECK (current_setting('app.role', true) = 'admin' OR tenant_id = (SELECT current_setting('app.tenant', true)::uuid));
INSERT INTO public.payslips (tenant_id, salary) VALUES ('11111111-1111-4111-8111-111111111111','A-data'), ('22222222-2222-4222-8222-222222222222','CANARY_B 99000');
