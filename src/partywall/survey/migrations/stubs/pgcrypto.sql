-- What migrations use of pgcrypto, on functions of the server; nothing here encrypts:
-- https://www.postgresql.org/docs/current/pgcrypto.html
CREATE FUNCTION gen_random_bytes(count integer) RETURNS bytea LANGUAGE sql VOLATILE AS $$
    SELECT substring(string_agg(decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), ''::bytea)
                     FROM 1 FOR count)
    FROM generate_series(0, count / 16)
$$;
CREATE FUNCTION gen_salt(type text) RETURNS text LANGUAGE sql VOLATILE AS
    $$SELECT '$2a$06$' || left(md5(random()::text), 22)$$;
CREATE FUNCTION gen_salt(type text, iterations integer) RETURNS text LANGUAGE sql VOLATILE AS
    $$SELECT '$2a$06$' || left(md5(random()::text), 22)$$;
CREATE FUNCTION crypt(password text, salt text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$SELECT left(salt, 29) || md5(left(salt, 29) || password)$$;
CREATE FUNCTION digest(data text, type text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$SELECT sha256(convert_to(type || data, 'UTF8'))$$;
CREATE FUNCTION digest(data bytea, type text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$SELECT sha256(convert_to(type, 'UTF8') || data)$$;
CREATE FUNCTION hmac(data text, key text, type text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$SELECT sha256(convert_to(type || key || data, 'UTF8'))$$;
CREATE FUNCTION hmac(data bytea, key bytea, type text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$SELECT sha256(convert_to(type, 'UTF8') || key || data)$$;
CREATE FUNCTION pgp_sym_encrypt(data text, psw text) RETURNS bytea LANGUAGE sql VOLATILE AS
    $$SELECT convert_to(data, 'UTF8')$$;
CREATE FUNCTION pgp_sym_decrypt(msg bytea, psw text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$SELECT convert_from(msg, 'UTF8')$$;
