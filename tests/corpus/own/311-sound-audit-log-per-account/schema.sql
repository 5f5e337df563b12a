-- Definer trigger writes an audit log that row security splits per account; other triggers keep updated_at.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.accounts_settings (
  account_id bigint PRIMARY KEY,
  timezone text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE public.accounts_settings OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.accounts_settings TO app_user;
ALTER TABLE public.accounts_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.accounts_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY accounts_settings_tenant ON public.accounts_settings FOR ALL TO app_user
  USING (account_id = (SELECT current_setting('app.account_id', true)::bigint))
  WITH CHECK (account_id = (SELECT current_setting('app.account_id', true)::bigint));
CREATE TABLE public.shipments (
  account_id bigint NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  address text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, id)
);
ALTER TABLE public.shipments OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.shipments TO app_user;
ALTER TABLE public.shipments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.shipments FORCE ROW LEVEL SECURITY;
CREATE POLICY shipments_tenant ON public.shipments FOR ALL TO app_user
  USING (account_id = (SELECT current_setting('app.account_id', true)::bigint))
  WITH CHECK (account_id = (SELECT current_setting('app.account_id', true)::bigint));
CREATE TABLE public.audit_log (
  account_id bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  action text NOT NULL,
  old_row jsonb,
  new_row jsonb,
  PRIMARY KEY (account_id, at, id)
);
ALTER TABLE public.audit_log OWNER TO app_owner;
GRANT SELECT ON public.audit_log TO app_user;
ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_log_tenant ON public.audit_log FOR ALL TO app_user
  USING (account_id = (SELECT current_setting('app.account_id', true)::bigint))
  WITH CHECK (account_id = (SELECT current_setting('app.account_id', true)::bigint));
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE FUNCTION public.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.audit_log (account_id, action, old_row, new_row)
  VALUES (CASE TG_OP WHEN 'DELETE' THEN OLD.account_id ELSE NEW.account_id END, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
  RETURN NULL;
END $$;
ALTER FUNCTION public.record() OWNER TO app_owner;
REVOKE EXECUTE ON FUNCTION public.record(), public.touch() FROM PUBLIC;
CREATE TRIGGER touch BEFORE UPDATE ON public.shipments FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE TRIGGER touch BEFORE UPDATE ON public.accounts_settings FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON public.shipments FOR EACH ROW EXECUTE FUNCTION public.record();
INSERT INTO public.accounts_settings VALUES (501,'A-data'), (502,'CANARY_B');
INSERT INTO public.shipments (account_id, address) VALUES (501,'A-data'), (502,'CANARY_B street');
