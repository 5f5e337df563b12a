-- No row security at all: the application only reaches definer views with security_barrier and the tenant filter, which do not even show the tenant column; the tables are out of reach.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE ROLE med_owner NOLOGIN;
CREATE ROLE med LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO med_owner;
GRANT USAGE ON SCHEMA public TO med;
CREATE SCHEMA data AUTHORIZATION med_owner;
CREATE TABLE data.patients (
  practice text NOT NULL DEFAULT current_setting('med.practice'),
  no int NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (practice, no)
);
ALTER TABLE data.patients OWNER TO med_owner;
CREATE TABLE data.findings (
  practice text NOT NULL DEFAULT current_setting('med.practice'),
  no int NOT NULL,
  on_day date NOT NULL,
  finding text NOT NULL,
  PRIMARY KEY (practice, no, on_day),
  FOREIGN KEY (practice, no) REFERENCES data.patients (practice, no)
);
ALTER TABLE data.findings OWNER TO med_owner;
CREATE VIEW public.patients WITH (security_barrier = true) AS SELECT no, name FROM data.patients WHERE practice = (SELECT current_setting('med.practice', true)) WITH LOCAL CHECK OPTION;
CREATE VIEW public.findings WITH (security_barrier = true) AS SELECT no, on_day, finding FROM data.findings WHERE practice = (SELECT current_setting('med.practice', true)) WITH LOCAL CHECK OPTION;
CREATE VIEW public.chart WITH (security_barrier = true) AS SELECT p.name, f.on_day, f.finding FROM public.patients p JOIN public.findings f USING (no);
ALTER VIEW public.patients OWNER TO med_owner;
ALTER VIEW public.findings OWNER TO med_owner;
ALTER VIEW public.chart OWNER TO med_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.patients, public.findings TO med;
GRANT SELECT ON public.chart TO med;
INSERT INTO data.patients VALUES ('linden',1,'A-data'), ('ahorn',1,'CANARY_B'), ('ahorn',2,'CANARY_B two');
INSERT INTO data.findings VALUES ('linden',1,'2024-01-01','A-data'), ('ahorn',1,'2024-01-01','CANARY_B finding');
