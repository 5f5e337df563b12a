"""Which expressions a scoped statement may be made of: lists of what is known to be harmless."""

from __future__ import annotations

from pglast import ast

EXPRESSIONS = (
    ast.A_ArrayExpr,
    ast.A_Const,
    ast.A_Expr,
    ast.A_Indices,
    ast.A_Indirection,
    ast.A_Star,
    ast.BitString,
    ast.BoolExpr,
    ast.Boolean,
    ast.BooleanTest,
    ast.CaseExpr,
    ast.CaseWhen,
    ast.CoalesceExpr,
    ast.CollateClause,
    ast.ColumnRef,
    ast.Float,
    ast.FuncCall,
    ast.GroupingFunc,
    ast.GroupingSet,
    ast.Integer,
    ast.MinMaxExpr,
    ast.MultiAssignRef,
    ast.NullTest,
    ast.ParamRef,
    ast.ResTarget,
    ast.RowExpr,
    ast.SQLValueFunction,
    ast.SetToDefault,
    ast.SortBy,
    ast.String,
    ast.SubLink,
    ast.TypeCast,
    ast.TypeName,
    ast.WindowDef,
)
"""The nodes whose parts are looked at one by one; subqueries are analysed in their own scope."""

AGGREGATES = """
    array_agg avg bit_and bit_or bool_and bool_or corr count covar_pop covar_samp every group_concat
    json_agg json_group_array json_group_object json_object_agg jsonb_agg jsonb_object_agg max min
    mode percentile_cont percentile_disc regr_slope stddev stddev_pop stddev_samp string_agg sum
    total var_pop var_samp variance
"""
WINDOW = """
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank
    row_number
"""
NUMBERS = """
    abs acos asin atan atan2 cbrt ceil ceiling cos degrees div exp floor gcd greatest lcm least ln
    log log10 mod pi power radians random round sign sin sqrt tan trunc width_bucket
"""
TEXTS = """
    ascii bit_length btrim char_length character_length chr concat concat_ws format hex initcap
    instr left length like_escape lower lpad ltrim md5 normalize octet_length overlay position
    quote_literal regexp_count regexp_like regexp_match regexp_replace regexp_split_to_array
    regexp_substr repeat replace reverse right rpad rtrim sha256 soundex split_part starts_with
    strpos substr substring to_hex translate trim upper
"""
DATES = """
    age clock_timestamp date date_bin date_part date_trunc datetime extract isfinite julianday
    justify_days justify_hours justify_interval make_date make_interval make_time make_timestamp
    make_timestamptz now overlaps statement_timestamp strftime time timezone to_char to_date
    to_number to_timestamp transaction_timestamp unixepoch
"""
STRUCTURES = """
    array_append array_cat array_length array_position array_remove array_to_json array_to_string
    cardinality json json_array json_array_length json_build_array json_build_object json_extract
    json_extract_path json_extract_path_text json_insert json_object json_patch json_quote
    json_remove json_replace json_set json_type json_typeof json_valid jsonb_array_length
    jsonb_build_array jsonb_build_object jsonb_extract_path jsonb_extract_path_text jsonb_insert
    jsonb_path_exists jsonb_path_query_first jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof
    row_to_json string_to_array to_json to_jsonb
"""
SEARCH = """
    phraseto_tsquery plainto_tsquery setweight to_tsquery to_tsvector ts_headline ts_rank
    ts_rank_cd websearch_to_tsquery
"""
REST = """
    coalesce gen_random_uuid grouping ifnull iif isempty lower_inc nullif num_nonnulls num_nulls
    typeof upper_inc uuidv4 uuidv7
"""
FUNCTIONS = frozenset(
    f"{AGGREGATES}{WINDOW}{NUMBERS}{TEXTS}{DATES}{STRUCTURES}{SEARCH}{REST}".split()
)
"""Functions that see their arguments and nothing else.

Not among them: what executes SQL (`query_to_xml`), reads or sets what the session keeps
(`currval`, `set_config`), reaches other tables, files or servers, or counts for all tenants
(`nextval`).
"""

ROWS = frozenset(
    [
        "generate_series",
        "json_array_elements",
        "json_array_elements_text",
        "json_each",
        "json_each_text",
        "json_object_keys",
        "json_tree",
        "jsonb_array_elements",
        "jsonb_array_elements_text",
        "jsonb_each",
        "jsonb_each_text",
        "jsonb_object_keys",
        "regexp_matches",
        "regexp_split_to_table",
        "string_to_table",
        "unnest",
    ]
)
"""Functions of the same kind that give rows."""

FAITHFUL = frozenset({"uuid", "text", "varchar", "int2", "int4", "int8"})
"""Types to which a tenant's id may be cast without becoming another's."""


def function_name(node: ast.FuncCall) -> str:
    """The name under which a function is looked for in the lists."""
    return ".".join(part.sval for part in node.funcname).removeprefix("pg_catalog.")


def type_name(node: ast.TypeName) -> str:
    """The name of a type, without the schema of PostgreSQL's own."""
    return ".".join(part.sval for part in node.names or ()).removeprefix("pg_catalog.")


def keeps_identity(node: ast.TypeName) -> bool:
    """Whether a cast to this type leaves a tenant's id what it is; one of a length may cut it."""
    return type_name(node) in FAITHFUL and not node.typmods and not node.arrayBounds
