-- The clone's default still takes numbers from the sequence of B.
-- leak: True; model: schema; loaded by a superuser into an empty database named labcase
CREATE ROLE tenant_a LOGIN;
CREATE ROLE tenant_b LOGIN;
CREATE SCHEMA tenant_b;
CREATE TABLE tenant_b.orders (id bigserial PRIMARY KEY, memo text NOT NULL);
CREATE SCHEMA tenant_a;
CREATE TABLE tenant_a.orders (LIKE tenant_b.orders INCLUDING ALL);
GRANT USAGE ON SCHEMA tenant_a TO tenant_a;
GRANT USAGE ON SCHEMA tenant_b TO tenant_b;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_a.orders TO tenant_a;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_b.orders TO tenant_b;
GRANT USAGE ON SEQUENCE tenant_b.orders_id_seq TO tenant_a, tenant_b;
INSERT INTO tenant_a.orders (memo) VALUES ('A-data');
INSERT INTO tenant_b.orders (memo) VALUES ('CANARY_B');
