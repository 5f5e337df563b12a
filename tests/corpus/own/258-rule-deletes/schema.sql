-- A rewrite rule of the superuser deletes by number in all tenants.
-- leak: True; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TABLE public.carts (
  org_id int NOT NULL,
  no int NOT NULL,
  PRIMARY KEY (org_id, no)
);
ALTER TABLE public.carts OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.carts TO app_user;
ALTER TABLE public.carts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.carts FORCE ROW LEVEL SECURITY;
CREATE POLICY carts_tenant ON public.carts FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
CREATE TABLE public.cart_items (
  org_id int NOT NULL,
  cart_no int NOT NULL,
  item text NOT NULL,
  PRIMARY KEY (org_id, cart_no, item)
);
ALTER TABLE public.cart_items OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.cart_items TO app_user;
ALTER TABLE public.cart_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.cart_items FORCE ROW LEVEL SECURITY;
CREATE POLICY cart_items_tenant ON public.cart_items FOR ALL TO app_user
  USING (org_id = (SELECT current_setting('app.org_id', true)::int))
  WITH CHECK (org_id = (SELECT current_setting('app.org_id', true)::int));
ALTER TABLE public.carts OWNER TO CURRENT_USER;
CREATE RULE tidy AS ON DELETE TO public.carts DO ALSO DELETE FROM public.cart_items WHERE cart_no = OLD.no;
INSERT INTO public.carts VALUES (1,1), (2,1);
INSERT INTO public.cart_items VALUES (1,1,'A-data'), (2,1,'CANARY_B item');
