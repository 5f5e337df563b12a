-- Enum, domain, checks, generated column, expression index and an exclusion constraint, each led by the clinic.
-- leak: False; model: rls; loaded by a superuser into an empty database named labcase
CREATE EXTENSION btree_gist;
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE app_user LOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
GRANT USAGE ON SCHEMA public TO app_user;
CREATE TYPE public.visit_state AS ENUM ('planned', 'done', 'missed');
CREATE DOMAIN public.email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE public.rooms (
  clinic_id uuid NOT NULL,
  room_no int NOT NULL CHECK (room_no > 0),
  label text NOT NULL,
  PRIMARY KEY (clinic_id, room_no)
);
ALTER TABLE public.rooms OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.rooms TO app_user;
ALTER TABLE public.rooms ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.rooms FORCE ROW LEVEL SECURITY;
CREATE POLICY rooms_tenant ON public.rooms FOR ALL TO app_user
  USING (clinic_id = (SELECT current_setting('app.clinic', true)::uuid))
  WITH CHECK (clinic_id = (SELECT current_setting('app.clinic', true)::uuid));
CREATE TABLE public.patients (
  clinic_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  first_name text NOT NULL,
  last_name text NOT NULL,
  mail public.email,
  full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
  PRIMARY KEY (clinic_id, id),
  UNIQUE (clinic_id, mail)
);
ALTER TABLE public.patients OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.patients TO app_user;
ALTER TABLE public.patients ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.patients FORCE ROW LEVEL SECURITY;
CREATE POLICY patients_tenant ON public.patients FOR ALL TO app_user
  USING (clinic_id = (SELECT current_setting('app.clinic', true)::uuid))
  WITH CHECK (clinic_id = (SELECT current_setting('app.clinic', true)::uuid));
CREATE TABLE public.visits (
  clinic_id uuid NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  room_no int NOT NULL,
  patient_id uuid NOT NULL,
  during tstzrange NOT NULL,
  state public.visit_state NOT NULL DEFAULT 'planned',
  PRIMARY KEY (clinic_id, id),
  FOREIGN KEY (clinic_id, room_no) REFERENCES public.rooms (clinic_id, room_no),
  FOREIGN KEY (clinic_id, patient_id) REFERENCES public.patients (clinic_id, id) ON DELETE CASCADE,
  EXCLUDE USING gist (clinic_id WITH =, room_no WITH =, during WITH &&)
);
ALTER TABLE public.visits OWNER TO app_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.visits TO app_user;
ALTER TABLE public.visits ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.visits FORCE ROW LEVEL SECURITY;
CREATE POLICY visits_tenant ON public.visits FOR ALL TO app_user
  USING (clinic_id = (SELECT current_setting('app.clinic', true)::uuid))
  WITH CHECK (clinic_id = (SELECT current_setting('app.clinic', true)::uuid));
INSERT INTO public.rooms VALUES ('11111111-1111-4111-8111-111111111111',1,'A-data');
INSERT INTO public.patients (clinic_id, id, first_name, last_name, mail) VALUES ('11111111-1111-4111-8111-111111111111','00000000-0000-4000-8000-0000000000a1','A-data','Doe','A-data@x.example');
INSERT INTO public.visits (clinic_id, room_no, patient_id, during) VALUES ('11111111-1111-4111-8111-111111111111',1,'00000000-0000-4000-8000-0000000000a1','[2024-05-01 10:00+00,2024-05-01 11:00+00)');
INSERT INTO public.rooms VALUES ('22222222-2222-4222-8222-222222222222',1,'CANARY_B');
INSERT INTO public.patients (clinic_id, id, first_name, last_name, mail) VALUES ('22222222-2222-4222-8222-222222222222','00000000-0000-4000-8000-0000000000b1','CANARY_B','Doe','CANARY_B@x.example');
INSERT INTO public.visits (clinic_id, room_no, patient_id, during) VALUES ('22222222-2222-4222-8222-222222222222',1,'00000000-0000-4000-8000-0000000000b1','[2024-05-02 10:00+00,2024-05-02 11:00+00)');
CREATE UNIQUE INDEX patients_name ON public.patients (clinic_id, lower(full_name));
