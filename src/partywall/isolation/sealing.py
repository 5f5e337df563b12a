"""Sealed contexts: a setting that only a holder of the key can have made, for one transaction.

The application proves who enters by answering the server's challenge; the server then seals the
tenant to the transaction, and the policies verify the seal. Nothing here needs an extension: HMAC
is built of the core's sha256.

1. `challenge()` draws a random value, keeps it in a setting of the session, and returns it. The
   client asks for it together with the COMMIT or ROLLBACK of the transaction before, so that no
   SQL of any tenant runs between the drawing and the answer.
2. `enter(tenant, proof)` compares the proof with HMAC(key, "enter" tenant challenge), uses the
   challenge up, and sets the tenant with its seal, HMAC(key, "seal" tenant transaction), for the
   transaction.
3. `tenant_id()`, which every policy asks, computes the seal again and raises where it differs.

The key lies in a table that only the owner of these functions may read.
https://www.rfc-editor.org/rfc/rfc2104
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from partywall.isolation.naming import identifier, literal

if TYPE_CHECKING:
    from partywall.isolation.row_security import RowSecurity

BLOCK = 64
"""Bytes of a block of SHA-256."""

INNER, OUTER = 0x36, 0x5C

CHALLENGE = "partywall.challenge"
"""The setting of the session that holds the challenge until it is answered."""


def proof(model: RowSecurity, tenant: str, challenge: str) -> str:
    """The answer to a challenge: that whoever holds the key lets *tenant* enter now."""
    message = f"enter {tenant} {challenge}".encode()
    return hmac.new(model.key, message, hashlib.sha256).hexdigest()


def entering(model: RowSecurity, tenant: str, challenge: str) -> tuple[str, ...]:
    """The statement that enters with a proof."""
    answer = proof(model, tenant, challenge)
    return (f"SELECT {identifier(model.schema)}.enter({literal(tenant)}, {literal(answer)})",)


def asking(model: RowSecurity) -> str:
    """The query that draws a challenge."""
    return f"SELECT {identifier(model.schema)}.challenge()"


def padded(key: bytes, pad: int) -> bytes:
    """The key as HMAC takes it: hashed when it is longer than a block, filled up, and masked."""
    short = hashlib.sha256(key).digest() if len(key) > BLOCK else key
    return bytes(byte ^ pad for byte in short.ljust(BLOCK, b"\0"))


def sealed_functions(model: RowSecurity) -> tuple[str, ...]:
    """The statements that make the key's table and the functions, for whoever owns the tables.

    They contain no key: `install_key` brings it.
    """
    schema = identifier(model.schema)
    return (
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"""CREATE TABLE IF NOT EXISTS {schema}.seal_key (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    inner_block bytea NOT NULL, outer_block bytea NOT NULL
)""",
        f"REVOKE ALL ON {schema}.seal_key FROM PUBLIC",
        # Also the type of k: a domain pg_temp.record would run its maker's CHECK on the key.
        f"""CREATE OR REPLACE FUNCTION {schema}.hmac(message pg_catalog.text)
RETURNS pg_catalog.text LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $$
DECLARE
    k pg_catalog.record;
BEGIN
    SELECT inner_block, outer_block INTO STRICT k FROM {schema}.seal_key;
    RETURN pg_catalog.encode(pg_catalog.sha256(k.outer_block OPERATOR(pg_catalog.||)
        pg_catalog.sha256(k.inner_block OPERATOR(pg_catalog.||)
            pg_catalog.convert_to(message, 'UTF8'))), 'hex');
END
$$""",
        f"REVOKE ALL ON FUNCTION {schema}.hmac(text) FROM PUBLIC",
        comparing(schema),
        f"REVOKE ALL ON FUNCTION {schema}.same(text, text) FROM PUBLIC",
        challenging(schema),
        f"REVOKE ALL ON FUNCTION {schema}.challenge() FROM PUBLIC",
        admitting(model, schema),
        f"REVOKE ALL ON FUNCTION {schema}.enter(text, text) FROM PUBLIC",
        verifying(model, schema),
        f"REVOKE ALL ON FUNCTION {schema}.tenant_id() FROM PUBLIC",
    )


def comparing(schema: str) -> str:
    """The comparison whose time tells nothing of how far a guess is right: it is of digests."""
    digest = "pg_catalog.sha256(pg_catalog.convert_to({}, 'UTF8'))"
    return f"""CREATE OR REPLACE FUNCTION {schema}.same(one pg_catalog.text, other pg_catalog.text)
RETURNS pg_catalog.bool LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT {digest.format("one")} OPERATOR(pg_catalog.=) {digest.format("other")}
$$"""


def challenging(schema: str) -> str:
    """The function that draws a challenge: 122 random bits and the backend that is asked.

    It takes the place of the one before.
    """
    drawn = (
        "pg_catalog.gen_random_uuid()::pg_catalog.text OPERATOR(pg_catalog.||) ' ' "
        f"OPERATOR(pg_catalog.||) {BACKEND}"
    )
    return f"""CREATE OR REPLACE FUNCTION {schema}.challenge() RETURNS pg_catalog.text
LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.set_config('{CHALLENGE}', {drawn}, false) $$"""


BACKEND = "pg_catalog.pg_backend_pid()::pg_catalog.text"

TRANSACTION = f"""{BACKEND} OPERATOR(pg_catalog.||) ' '
        OPERATOR(pg_catalog.||) pg_catalog.extract('epoch', pg_catalog.transaction_timestamp())
            ::pg_catalog.text"""
"""What names a transaction among all of the server's: its backend, and when it began, in
microseconds. One backend has one transaction at a time, and the next one begins later. The time is
a numeric: of a float, extra_float_digits, which anybody may set, decides how much is written."""


def admitting(model: RowSecurity, schema: str) -> str:
    """The function that lets a tenant enter.

    Anybody may write the setting that holds the challenge. So a challenge counts only in the
    backend that drew it, and only in its one length: else a part of the tenant's id could pass
    for a part of the challenge.
    """
    refusal = "the proof does not answer the challenge of this session"
    return f"""CREATE OR REPLACE FUNCTION
    {schema}.enter(tenant pg_catalog.text, proof pg_catalog.text)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
DECLARE
    asked pg_catalog.text := pg_catalog.current_setting('{CHALLENGE}', true);
BEGIN
    PERFORM pg_catalog.set_config('{CHALLENGE}', '', false);
    IF (tenant OPERATOR(pg_catalog.<>) ''
        AND pg_catalog.substr(asked, 37) OPERATOR(pg_catalog.=) (' ' OPERATOR(pg_catalog.||)
            {BACKEND})
        AND {schema}.same(proof, {schema}.hmac('enter ' OPERATOR(pg_catalog.||) tenant
            OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) asked))) IS NOT TRUE
    THEN
        RAISE EXCEPTION '{refusal}' USING ERRCODE = 'insufficient_privilege',
            HINT = 'RowSecurity(key=...) must be the key that install_key stored last';
    END IF;
    PERFORM pg_catalog.set_config({literal(model.setting)}, {schema}.hmac('seal '
        OPERATOR(pg_catalog.||) tenant OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||)
        {TRANSACTION}) OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) tenant, true);
END
$$"""


def verifying(model: RowSecurity, schema: str) -> str:
    """The function that says who acts, once it has verified the seal."""
    from partywall.isolation.row_walls import server_type  # noqa: PLC0415 - which calls this module

    return f"""CREATE OR REPLACE FUNCTION {schema}.tenant_id()
RETURNS pg_catalog.{server_type(model)} LANGUAGE plpgsql STABLE SECURITY DEFINER
PARALLEL RESTRICTED AS $$
DECLARE
    carried pg_catalog.text := pg_catalog.current_setting({literal(model.setting)}, true);
    tenant pg_catalog.text;
BEGIN
    IF carried IS NULL OR carried OPERATOR(pg_catalog.=) '' THEN
        RAISE EXCEPTION 'no tenant is set in {model.setting}'
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'begin the transaction with tenancy.session(context)';
    END IF;
    tenant := pg_catalog.substr(carried, 66);
    IF {schema}.same(pg_catalog.left(carried, 64), {schema}.hmac('seal '
        OPERATOR(pg_catalog.||) tenant OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||)
        {TRANSACTION}))
    THEN
        RETURN tenant;
    END IF;
    RAISE EXCEPTION 'the tenant in {model.setting} carries no seal of this transaction'
        USING ERRCODE = 'insufficient_privilege';
END
$$"""


def install_key(model: RowSecurity) -> tuple[str, str, str]:
    """The statement that stores the key, and its two values, to be sent as parameters.

    The values are in hexadecimal. Run it as the owner of the functions, never as the
    application's login; running it again replaces the key.
    """
    schema = identifier(model.schema)
    statement = (
        f"INSERT INTO {schema}.seal_key (inner_block, outer_block) VALUES "
        "(pg_catalog.decode(%s, 'hex'), pg_catalog.decode(%s, 'hex')) ON CONFLICT (single) "
        "DO UPDATE SET inner_block = EXCLUDED.inner_block, outer_block = EXCLUDED.outer_block"
    )
    return (
        statement,
        padded(model.key, INNER).hex(),
        padded(model.key, OUTER).hex(),
    )


def sealing_grants(model: RowSecurity, login: str) -> tuple[str, ...]:
    """What the application's login needs to enter."""
    schema, user = identifier(model.schema), identifier(login)
    return (
        f"GRANT EXECUTE ON FUNCTION {schema}.challenge() TO {user}",
        f"GRANT EXECUTE ON FUNCTION {schema}.enter(text, text) TO {user}",
    )
