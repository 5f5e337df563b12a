-- Hierarchical account path compared with LIKE prefix and no separator: /acc/1 sees /acc/12.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.budgets (
  account_path text NOT NULL,
  name text NOT NULL,
  amount numeric NOT NULL,
  PRIMARY KEY (account_path, name)
);
ALTER TABLE public.budgets OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.budgets TO app_user;
ALTER TABLE public.budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY budgets_tenant ON public.budgets FOR ALL TO app_user
  USING (account_path LIKE current_setting('app.path', true) || '%')
  WITH CHECK (account_path LIKE current_setting('app.path', true) || '%');
INSERT INTO public.budgets VALUES ('/acc/1','A-data',1), ('/acc/12','CANARY_B budget',2);
