-- Database per tenant, but CONNECT stayed with PUBLIC and the tables of B were granted to a group both are in.
-- leak: True; model: database; loaded by a superuser into an empty database named labcase
CREATE ROLE staff NOLOGIN;
CREATE ROLE corp_a LOGIN IN ROLE staff;
CREATE ROLE corp_b LOGIN IN ROLE staff;
CREATE TABLE public.contacts (id int PRIMARY KEY, name text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.contacts TO staff;
INSERT INTO public.contacts VALUES (1,'A-data');
