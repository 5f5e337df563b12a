-- A market place: published products are public by design, drafts and purchase prices are not.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE market LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO market;
CREATE TABLE public.products (
  shop_id int NOT NULL,
  sku text NOT NULL,
  title text NOT NULL,
  published boolean NOT NULL DEFAULT false,
  PRIMARY KEY (shop_id, sku)
);
ALTER TABLE public.products OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.products TO market;
ALTER TABLE public.products ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.products FORCE ROW LEVEL SECURITY;
CREATE POLICY shelf ON public.products FOR SELECT TO market USING (published OR shop_id = (SELECT current_setting('market.shop', true)::int));
CREATE POLICY stock_insert ON public.products FOR INSERT TO market WITH CHECK (shop_id = (SELECT current_setting('market.shop', true)::int));
CREATE POLICY stock_update ON public.products FOR UPDATE TO market USING (shop_id = (SELECT current_setting('market.shop', true)::int)) WITH CHECK (shop_id = (SELECT current_setting('market.shop', true)::int));
CREATE POLICY stock_delete ON public.products FOR DELETE TO market USING (shop_id = (SELECT current_setting('market.shop', true)::int));
CREATE TABLE public.purchase_prices (
  shop_id int NOT NULL,
  sku text NOT NULL,
  cents bigint NOT NULL,
  supplier text NOT NULL,
  PRIMARY KEY (shop_id, sku),
  FOREIGN KEY (shop_id, sku) REFERENCES public.products (shop_id, sku) ON DELETE CASCADE
);
ALTER TABLE public.purchase_prices OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.purchase_prices TO market;
ALTER TABLE public.purchase_prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.purchase_prices FORCE ROW LEVEL SECURITY;
CREATE POLICY purchase_prices_tenant ON public.purchase_prices FOR ALL TO market
  USING (shop_id = (SELECT current_setting('market.shop', true)::int))
  WITH CHECK (shop_id = (SELECT current_setting('market.shop', true)::int));
INSERT INTO public.products VALUES (1,'p1','A-data',false), (1,'p2','A lamp',true), (2,'p1','CANARY_B draft',false), (2,'p2','a chair for all to see',true);
INSERT INTO public.purchase_prices VALUES (1,'p1',100,'A-data'), (2,'p1',100,'CANARY_B supplier');
