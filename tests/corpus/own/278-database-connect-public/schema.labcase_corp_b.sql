CREATE TABLE public.contacts (id int PRIMARY KEY, name text NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.contacts TO staff;
INSERT INTO public.contacts VALUES (1,'CANARY_B');
