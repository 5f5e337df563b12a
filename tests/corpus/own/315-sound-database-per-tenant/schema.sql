-- Database and login per tenant, CONNECT revoked from PUBLIC in both; inside, everything is granted to its tenant.
-- leak: False; model: database; loaded by a superuser into an empty database named labcase
CREATE ROLE hr_a LOGIN;
CREATE ROLE hr_b LOGIN;
REVOKE ALL ON DATABASE labcase FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE labcase TO hr_a;
GRANT USAGE ON SCHEMA public TO hr_a;
CREATE TABLE public.employees (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE public.leave_requests (id bigserial PRIMARY KEY, employee_id int NOT NULL REFERENCES public.employees (id) ON DELETE CASCADE, reason text NOT NULL);
CREATE TABLE public.audit (at timestamptz NOT NULL DEFAULT now(), what text NOT NULL);
CREATE VIEW public.pending AS SELECT e.name, l.reason FROM public.employees e JOIN public.leave_requests l ON l.employee_id = e.id;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hr_a;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO hr_a;
INSERT INTO public.employees (email, name) VALUES ('A-data@x.example','A-data');
INSERT INTO public.leave_requests (employee_id, reason) VALUES (1,'A-data');
