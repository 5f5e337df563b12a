-- A view in public joins the orders of all schemas for the dashboard, granted to every tenant.
-- leak: True; model: schema; loaded by a superuser into an empty database named labcase
CREATE ROLE acme LOGIN;
CREATE ROLE globex LOGIN;
GRANT USAGE ON SCHEMA public TO acme, globex;
CREATE SCHEMA acme;
GRANT USAGE ON SCHEMA acme TO acme;
CREATE TABLE acme.products (sku text PRIMARY KEY, name text NOT NULL);
CREATE TABLE acme.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL REFERENCES acme.products (sku), memo text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA acme TO acme;
INSERT INTO acme.products VALUES ('A-data-sku','A-data product');
INSERT INTO acme.orders (sku, memo) VALUES ('A-data-sku','A-data memo');
CREATE SCHEMA globex;
GRANT USAGE ON SCHEMA globex TO globex;
CREATE TABLE globex.products (sku text PRIMARY KEY, name text NOT NULL);
CREATE TABLE globex.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL REFERENCES globex.products (sku), memo text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA globex TO globex;
INSERT INTO globex.products VALUES ('CANARY_B-sku','CANARY_B product');
INSERT INTO globex.orders (sku, memo) VALUES ('CANARY_B-sku','CANARY_B memo');
CREATE VIEW public.all_orders AS SELECT 'acme' AS tenant, memo FROM acme.orders UNION ALL SELECT 'globex', memo FROM globex.orders;
GRANT SELECT ON public.all_orders TO PUBLIC;
