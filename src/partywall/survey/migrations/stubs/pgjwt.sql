-- What migrations use of pgjwt; what it signs nobody can verify: https://github.com/michelp/pgjwt
CREATE FUNCTION sign(payload json, secret text, algorithm text DEFAULT 'HS256') RETURNS text
LANGUAGE sql IMMUTABLE AS $$SELECT 'header.' || encode(convert_to(payload::text, 'UTF8'), 'base64') || '.' || md5(secret)$$;
CREATE FUNCTION verify(token text, secret text, algorithm text DEFAULT 'HS256')
RETURNS TABLE (header json, payload json, valid boolean) LANGUAGE sql IMMUTABLE AS $$
    SELECT NULL::json, convert_from(decode(split_part(token, '.', 2), 'base64'), 'UTF8')::json,
           split_part(token, '.', 3) = md5(secret)
$$;
