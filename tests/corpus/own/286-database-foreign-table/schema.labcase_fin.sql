REVOKE ALL ON DATABASE labcase_fin FROM PUBLIC;
GRANT CONNECT ON DATABASE labcase_fin TO fin_b;
CREATE TABLE public.ledger (id int PRIMARY KEY, text text NOT NULL);
GRANT SELECT, INSERT ON public.ledger TO fin_b;
INSERT INTO public.ledger VALUES (1,'CANARY_B');
