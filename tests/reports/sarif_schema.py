"""The part of SARIF 2.1.0 that partywall writes, closed: a key that the standard lacks is refused.

From sections 3.13 to 3.58 of
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; names, types, what must be there
and which values there are.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
TEXT: Json = {"type": "string", "minLength": 1}
ANY: Json = {"type": "object"}
LEVEL: Json = {"enum": ["none", "note", "warning", "error"]}
MESSAGE_TEXTS: Json = {"text": TEXT, "markdown": TEXT}


def closed(needed: Json, optional: Json | None = None) -> Json:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": needed | (optional or {}),
        "required": list(needed),
        "additionalProperties": False,
    }


def many(items: Json, least: int = 0) -> Json:
    """A list."""
    return {"type": "array", "items": items, "minItems": least}


MESSAGE = closed({"text": TEXT}, MESSAGE_TEXTS)
ARTIFACT = closed({"uri": {"type": "string", "pattern": r"^[!-;=?-\[\]_a-z~%]+$"}},
                  {"index": {"type": "integer", "minimum": 0}})  # fmt: skip
PHYSICAL = closed(
    {"artifactLocation": ARTIFACT},
    {"region": closed({"startLine": {"type": "integer", "minimum": 1}})},
)
LOCATION = closed({}, {
    "physicalLocation": PHYSICAL,
    "logicalLocations": many(closed({"fullyQualifiedName": TEXT, "kind": TEXT})),
    "message": MESSAGE,
})  # fmt: skip
RULE = closed({"id": TEXT}, {
    "name": TEXT, "shortDescription": MESSAGE, "fullDescription": MESSAGE, "help": MESSAGE,
    "helpUri": {"type": "string", "pattern": "^https://"},
    "defaultConfiguration": closed({"level": LEVEL}), "properties": ANY,
})  # fmt: skip
SUPPRESSION = closed({"kind": {"enum": ["inSource", "external"]}}, {
    "status": {"enum": ["accepted", "underReview", "rejected"]},
    "justification": TEXT, "properties": ANY,
})  # fmt: skip
FLOW_STEP = closed({"location": LOCATION}, {"executionOrder": {"type": "integer", "minimum": 1}})
FLOW = closed({"threadFlows": many(closed({"locations": many(FLOW_STEP, 1)}), 1)})
RESULT: Json = closed(
    {"message": MESSAGE},
    {
        "ruleId": TEXT, "ruleIndex": {"type": "integer", "minimum": 0},
        "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
        "level": LEVEL, "locations": many(LOCATION), "codeFlows": many(FLOW),
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
        "suppressions": many(SUPPRESSION), "properties": ANY,
        "baselineState": {"enum": ["new", "unchanged", "updated", "absent"]},
    },
) | {
    # 3.27.10: what is no failure has no level
    "if": {"properties": {"kind": {"not": {"const": "fail"}}}, "required": ["kind"]},
    "then": {"properties": {"level": {"const": "none"}}},
}  # fmt: skip
INVOCATION = closed({"executionSuccessful": {"type": "boolean"}}, {
    "exitCode": {"type": "integer"}, "exitCodeDescription": TEXT,
    "toolExecutionNotifications": many(closed({"message": MESSAGE}, {"level": LEVEL})),
})  # fmt: skip
DRIVER = closed({"name": TEXT}, {
    "version": TEXT, "semanticVersion": TEXT, "informationUri": TEXT, "rules": many(RULE),
})  # fmt: skip
RUN = closed({"tool": closed({"driver": DRIVER})}, {
    "automationDetails": closed({"id": TEXT}), "invocations": many(INVOCATION),
    "artifacts": many(closed({"location": ARTIFACT})), "results": many(RESULT),
    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]}, "properties": ANY,
})  # fmt: skip
SCHEMA: Json = closed({"version": {"const": "2.1.0"}, "runs": many(RUN)}, {"$schema": TEXT})
