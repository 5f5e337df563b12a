-- A definer procedure closes a ticket by its number alone.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.tickets (
  org_id int NOT NULL,
  no int NOT NULL,
  state text NOT NULL DEFAULT 'open',
  PRIMARY KEY (org_id, no)
);
ALTER TABLE public.tickets OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tickets TO app_user;
ALTER TABLE public.tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY tickets_tenant ON public.tickets FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.tickets VALUES (1,1,'open'), (2,1,'open'), (2,2,'CANARY_B');
CREATE PROCEDURE public.close_ticket(p_no int) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$ UPDATE public.tickets SET state = 'closed' WHERE no = p_no $$;
REVOKE EXECUTE ON PROCEDURE public.close_ticket(int) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE public.close_ticket(int) TO app_user;
