-- A function in A's schema was cloned with SET search_path of B's schema.
-- leak: True; model: schema; loaded by a superuser into an empty database named labcase
CREATE ROLE app LOGIN;
GRANT USAGE ON SCHEMA public TO app;
CREATE SCHEMA t1;
GRANT USAGE ON SCHEMA t1 TO app;
CREATE TABLE t1.products (sku text PRIMARY KEY, name text NOT NULL);
CREATE TABLE t1.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL REFERENCES t1.products (sku), memo text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA t1 TO app;
INSERT INTO t1.products VALUES ('A-data-sku','A-data product');
INSERT INTO t1.orders (sku, memo) VALUES ('A-data-sku','A-data memo');
CREATE SCHEMA t2;
GRANT USAGE ON SCHEMA t2 TO app;
CREATE TABLE t2.products (sku text PRIMARY KEY, name text NOT NULL);
CREATE TABLE t2.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL REFERENCES t2.products (sku), memo text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA t2 TO app;
INSERT INTO t2.products VALUES ('CANARY_B-sku','CANARY_B product');
INSERT INTO t2.orders (sku, memo) VALUES ('CANARY_B-sku','CANARY_B memo');
CREATE FUNCTION t1.order_memos() RETURNS SETOF text LANGUAGE sql STABLE SET search_path = t2 AS $$ SELECT memo FROM orders $$;
CREATE FUNCTION t2.order_memos() RETURNS SETOF text LANGUAGE sql STABLE SET search_path = t2 AS $$ SELECT memo FROM orders $$;
