-- A definer trigger marks invoices as paid by their number, B's too.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.invoices (
  org_id int NOT NULL,
  number text NOT NULL,
  status text NOT NULL DEFAULT 'open',
  PRIMARY KEY (org_id, number)
);
ALTER TABLE public.invoices OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.invoices TO app_user;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY invoices_tenant ON public.invoices FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE TABLE public.payments (
  org_id int NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  invoice_number text NOT NULL,
  reference text NOT NULL,
  PRIMARY KEY (org_id, id)
);
ALTER TABLE public.payments OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.payments TO app_user;
ALTER TABLE public.payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.payments FORCE ROW LEVEL SECURITY;
CREATE POLICY payments_tenant ON public.payments FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE FUNCTION public.settle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN UPDATE public.invoices SET status = 'paid ' || NEW.reference WHERE number = NEW.invoice_number; RETURN NEW; END $$;
REVOKE EXECUTE ON FUNCTION public.settle() FROM PUBLIC;
CREATE TRIGGER settle AFTER INSERT ON public.payments FOR EACH ROW EXECUTE FUNCTION public.settle();
INSERT INTO public.invoices VALUES (1,'R-1','open'), (2,'R-2','CANARY_B open');
