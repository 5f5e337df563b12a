-- Wide policies, a bypassing worker, an unfiltered view, a materialized view and a definer function exist, but only for roles the application cannot become.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
CREATE ROLE reporting LOGIN;
CREATE ROLE worker LOGIN BYPASSRLS;
CREATE ROLE dba LOGIN SUPERUSER;
CREATE ROLE migrator LOGIN INHERIT;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
GRANT app_owner TO migrator;
GRANT USAGE ON SCHEMA public TO reporting, worker;
CREATE TABLE public.jobs (
  tenant_id uuid NOT NULL,
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind text NOT NULL,
  payload jsonb NOT NULL DEFAULT '{}'
);
ALTER TABLE public.jobs OWNER TO app_owner;
CREATE INDEX ON public.jobs (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.jobs TO app_user;
ALTER TABLE public.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY jobs_tenant ON public.jobs FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE POLICY jobs_reporting ON public.jobs FOR SELECT TO reporting USING (true);
GRANT SELECT ON public.jobs TO reporting;
GRANT SELECT, UPDATE ON public.jobs TO worker;
CREATE TABLE public.metrics (
  tenant_id uuid NOT NULL,
  day date NOT NULL,
  name text NOT NULL,
  value numeric NOT NULL,
  PRIMARY KEY (tenant_id, day, name)
);
ALTER TABLE public.metrics OWNER TO app_owner;
CREATE INDEX ON public.metrics (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.metrics TO app_user;
ALTER TABLE public.metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY metrics_tenant ON public.metrics FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
CREATE POLICY metrics_reporting ON public.metrics FOR SELECT TO reporting USING (true);
GRANT SELECT ON public.metrics TO reporting;
GRANT SELECT, UPDATE ON public.metrics TO worker;
CREATE TABLE public.api_tokens (
  tenant_id uuid NOT NULL,
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  hash bytea NOT NULL,
  label text NOT NULL
);
ALTER TABLE public.api_tokens OWNER TO app_owner;
CREATE INDEX ON public.api_tokens (tenant_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.api_tokens TO app_user;
ALTER TABLE public.api_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.api_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY api_tokens_tenant ON public.api_tokens FOR ALL TO app_user
  USING (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id', true)::uuid));
GRANT SELECT ON public.api_tokens TO reporting;
GRANT SELECT, UPDATE ON public.api_tokens TO worker;
CREATE MATERIALIZED VIEW public.metrics_monthly AS SELECT tenant_id, name, sum(value) AS value FROM public.metrics GROUP BY 1, 2;
GRANT SELECT ON public.metrics_monthly TO reporting;
CREATE VIEW public.all_jobs AS SELECT * FROM public.jobs;
GRANT SELECT ON public.all_jobs TO worker;
CREATE FUNCTION public.claim_job() RETURNS SETOF public.jobs LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ SELECT * FROM public.jobs FOR UPDATE SKIP LOCKED LIMIT 1 $$;
REVOKE EXECUTE ON FUNCTION public.claim_job() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.claim_job() TO worker;
INSERT INTO public.jobs (tenant_id, kind) VALUES ('11111111-1111-4111-8111-111111111111','A-data');
INSERT INTO public.metrics VALUES ('11111111-1111-4111-8111-111111111111','2024-01-01','A-data',1);
INSERT INTO public.api_tokens (tenant_id, hash, label) VALUES ('11111111-1111-4111-8111-111111111111','\x01','A-data');
INSERT INTO public.jobs (tenant_id, kind) VALUES ('22222222-2222-4222-8222-222222222222','CANARY_B');
INSERT INTO public.metrics VALUES ('22222222-2222-4222-8222-222222222222','2024-01-01','CANARY_B',1);
INSERT INTO public.api_tokens (tenant_id, hash, label) VALUES ('22222222-2222-4222-8222-222222222222','\x01','CANARY_B');
