-- Harbour once more, with a schema and a login for each organisation.
--
-- The application logs in as the organisation's own role, whose search_path leads to its schema;
-- nobody else may even look into it.

CREATE ROLE harbour NOLOGIN;
CREATE ROLE acme_app LOGIN;
CREATE ROLE globex_app LOGIN;
ALTER ROLE acme_app IN DATABASE harbour SET search_path = acme, shared;
ALTER ROLE globex_app IN DATABASE harbour SET search_path = globex, shared;
REVOKE ALL ON SCHEMA public FROM PUBLIC;


-- What all organisations share -----------------------------------------------------------------

CREATE SCHEMA shared AUTHORIZATION harbour;
GRANT USAGE ON SCHEMA shared TO acme_app, globex_app;
SET ROLE harbour;

CREATE TABLE shared.plans (
    code   text PRIMARY KEY,
    seats  int NOT NULL,
    price  numeric(10, 2) NOT NULL
);
INSERT INTO shared.plans VALUES ('solo', 1, 0), ('team', 20, 240), ('house', 500, 4800);
GRANT SELECT ON shared.plans TO acme_app, globex_app;

CREATE FUNCTION shared.with_tax(net numeric, rate numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE RETURN round(net * (1 + rate), 2);

RESET ROLE;


-- What belongs to one: the same tables for each --------------------------------------------------

DO $$
DECLARE
    org name;
BEGIN
    FOREACH org IN ARRAY ARRAY['acme', 'globex'] LOOP
        EXECUTE format('CREATE SCHEMA %I AUTHORIZATION harbour', org);
        EXECUTE format('SET LOCAL search_path = %I', org);
        SET LOCAL ROLE harbour;

        CREATE TABLE members (
            id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            email  text NOT NULL UNIQUE CHECK (email LIKE '%@%'),
            name   text NOT NULL
        );
        CREATE TABLE projects (
            id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name  text NOT NULL,
            lead  bigint REFERENCES members
        );
        CREATE TABLE tasks (
            id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
            title       text NOT NULL,
            state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'doing', 'done'))
        );
        CREATE TABLE invoices (
            id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer  text NOT NULL,
            amount    numeric(12, 2) NOT NULL,
            state     text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid'))
        );
        CREATE TABLE files (
            id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            project_id  bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
            path        text NOT NULL UNIQUE
        );
        CREATE VIEW open_invoices AS SELECT * FROM invoices WHERE state = 'open';

        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', org, org || '_app');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I',
                       org, org || '_app');
        RESET ROLE;
    END LOOP;
END $$;
