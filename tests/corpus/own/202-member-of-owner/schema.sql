-- The login inherits from the owner role of the tables, and RLS is not forced.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE deploy NOLOGIN;
CREATE ROLE web LOGIN;
GRANT deploy TO web;
GRANT USAGE, CREATE ON SCHEMA public TO deploy;
GRANT USAGE ON SCHEMA public TO web;
CREATE TABLE public.contracts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account text NOT NULL,
  terms text NOT NULL
);
ALTER TABLE public.contracts OWNER TO deploy;
CREATE INDEX ON public.contracts (account);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.contracts TO web;
ALTER TABLE public.contracts ENABLE ROW LEVEL SECURITY;
CREATE POLICY contracts_tenant ON public.contracts FOR ALL TO web
  USING (account = (SELECT current_setting('my.account', true)))
  WITH CHECK (account = (SELECT current_setting('my.account', true)));
INSERT INTO public.contracts (account, terms) VALUES ('initech','A-data'), ('hooli','CANARY_B terms');
