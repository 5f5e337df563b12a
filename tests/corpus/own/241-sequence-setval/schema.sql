-- UPDATE on the shared sequence: setval() to its end stops every insert.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE SEQUENCE public.ticket_no AS int;
GRANT USAGE, UPDATE ON SEQUENCE public.ticket_no TO app_user;
CREATE TABLE public.tickets (
  no int NOT NULL DEFAULT nextval('public.ticket_no'),
  org_id int NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (org_id, no)
);
ALTER TABLE public.tickets OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.tickets TO app_user;
ALTER TABLE public.tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY tickets_tenant ON public.tickets FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
INSERT INTO public.tickets (org_id, title) VALUES (1,'A-data'), (2,'CANARY_B');
