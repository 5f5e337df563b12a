-- The types of pgvector as texts of any content, and its operators; distances are made up:
-- https://github.com/pgvector/pgvector
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring, oid, integer) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'varcharin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varcharout';
CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodin';
CREATE FUNCTION vector_typmod_out(integer) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodout';
CREATE TYPE vector (
    INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_typmod_in, TYPMOD_OUT = vector_typmod_out,
    LIKE = varchar
);
CREATE CAST (vector AS text) WITH INOUT;
CREATE CAST (text AS vector) WITH INOUT;
CREATE FUNCTION vector_distance(one vector, other vector) RETURNS double precision LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN one::text = other::text THEN 0 ELSE 1 END::double precision';
CREATE OPERATOR <-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_distance, COMMUTATOR = <->);
CREATE OPERATOR <#> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_distance, COMMUTATOR = <#>);
CREATE OPERATOR <=> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = vector_distance, COMMUTATOR = <=>);
