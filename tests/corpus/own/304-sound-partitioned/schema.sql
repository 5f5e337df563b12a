-- Range and hash partitions: partitions are either out of reach or protected themselves.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE SCHEMA parts AUTHORIZATION app_owner;
CREATE TABLE public.events (
  tenant_id bigint NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  happened_on date NOT NULL,
  payload jsonb NOT NULL,
  PRIMARY KEY (tenant_id, happened_on, id)
) PARTITION BY RANGE (happened_on);
CREATE TABLE parts.events_2023 PARTITION OF public.events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE parts.events_2024 PARTITION OF public.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts.events_default PARTITION OF public.events DEFAULT;
CREATE TABLE public.usage (
  tenant_id bigint NOT NULL,
  metric text NOT NULL,
  amount numeric NOT NULL,
  PRIMARY KEY (tenant_id, metric)
) PARTITION BY HASH (tenant_id);
CREATE TABLE public.usage_0 PARTITION OF public.usage FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.usage_1 PARTITION OF public.usage FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE public.events OWNER TO app_owner;
ALTER TABLE public.usage OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.events, public.usage TO app_user;
GRANT SELECT ON public.usage_0, public.usage_1 TO app_user;
ALTER TABLE public.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.events FORCE ROW LEVEL SECURITY;
CREATE POLICY events_tenant ON public.events FOR ALL TO app_user
  USING (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint))
  WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint));
ALTER TABLE public.usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.usage FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_tenant ON public.usage FOR ALL TO app_user
  USING (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint))
  WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint));
ALTER TABLE public.usage_0 ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.usage_0 FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_0_tenant ON public.usage_0 FOR ALL TO app_user
  USING (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint))
  WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint));
ALTER TABLE public.usage_1 ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.usage_1 FORCE ROW LEVEL SECURITY;
CREATE POLICY usage_1_tenant ON public.usage_1 FOR ALL TO app_user
  USING (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint))
  WITH CHECK (tenant_id = (SELECT NULLIF(current_setting('app.tenant_id', true), '')::bigint));
INSERT INTO public.events (tenant_id, happened_on, payload) VALUES (1,'2023-05-01','{"v":"A-data"}'), (2,'2023-05-01','{"v":"CANARY_B"}'), (2,'2024-06-01','{"v":"CANARY_B"}'), (1,'2030-01-01','{"v":"A-data"}');
INSERT INTO public.usage VALUES (1,'A-data',1), (2,'CANARY_B',2);
