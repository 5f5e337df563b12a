-- Database per tenant, but a foreign table in A's database reads that of B.
-- leak: True; model: database; loaded by a superuser into an empty database named labcase
CREATE ROLE fin_a LOGIN;
CREATE ROLE fin_b LOGIN;
REVOKE ALL ON DATABASE labcase FROM PUBLIC;
GRANT CONNECT ON DATABASE labcase TO fin_a;
CREATE EXTENSION postgres_fdw;
CREATE TABLE public.ledger (id int PRIMARY KEY, text text NOT NULL);
GRANT SELECT, INSERT ON public.ledger TO fin_a;
INSERT INTO public.ledger VALUES (1,'A-data');
CREATE SERVER sister FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '54915', dbname 'labcase_fin');
CREATE USER MAPPING FOR fin_a SERVER sister OPTIONS (user 'fin_b', password_required 'false');
CREATE FOREIGN TABLE public.sister_ledger (id int, text text) SERVER sister OPTIONS (schema_name 'public', table_name 'ledger');
GRANT SELECT ON public.sister_ledger TO fin_a;
