-- The trigger on A's table still calls the function of B's schema, which writes into the log of B.
-- leak: True; model: schema; loaded by a superuser into an empty database named labcase
CREATE ROLE tenant_a LOGIN;
CREATE ROLE tenant_b LOGIN;
GRANT USAGE ON SCHEMA public TO tenant_a, tenant_b;
CREATE SCHEMA tenant_a;
GRANT USAGE ON SCHEMA tenant_a TO tenant_a;
CREATE TABLE tenant_a.products (sku text PRIMARY KEY, name text NOT NULL);
CREATE TABLE tenant_a.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL REFERENCES tenant_a.products (sku), memo text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tenant_a TO tenant_a;
INSERT INTO tenant_a.products VALUES ('A-data-sku','A-data product');
INSERT INTO tenant_a.orders (sku, memo) VALUES ('A-data-sku','A-data memo');
CREATE SCHEMA tenant_b;
GRANT USAGE ON SCHEMA tenant_b TO tenant_b;
CREATE TABLE tenant_b.products (sku text PRIMARY KEY, name text NOT NULL);
CREATE TABLE tenant_b.orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL REFERENCES tenant_b.products (sku), memo text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tenant_b TO tenant_b;
INSERT INTO tenant_b.products VALUES ('CANARY_B-sku','CANARY_B product');
INSERT INTO tenant_b.orders (sku, memo) VALUES ('CANARY_B-sku','CANARY_B memo');
CREATE TABLE tenant_b.log (line text NOT NULL);
GRANT SELECT ON tenant_b.log TO tenant_b;
CREATE FUNCTION tenant_b.log_order() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tenant_b, pg_temp AS $$ BEGIN INSERT INTO log VALUES (NEW.memo); RETURN NEW; END $$;
CREATE TRIGGER log_order AFTER INSERT ON tenant_b.orders FOR EACH ROW EXECUTE FUNCTION tenant_b.log_order();
CREATE TRIGGER log_order AFTER INSERT ON tenant_a.orders FOR EACH ROW EXECUTE FUNCTION tenant_b.log_order();
