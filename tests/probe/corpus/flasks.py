"""Flask: the caller's tenant by its token, and answers to what is denied."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from werkzeug.wrappers import Response as Answer

from tests.probe.corpus.walls import DeniedError, tenant_of

__all__ = ["Answer", "Response", "caller", "flask_app"]


def caller() -> str:
    """The tenant whose token was shown."""
    return tenant_of(request.headers.get("Authorization"))


def denied(error: DeniedError) -> tuple[Response, int]:
    """What is denied."""
    return jsonify(error=error.detail), error.status


def flask_app(name: str) -> Flask:
    """An application without routes."""
    app = Flask(name)
    app.register_error_handler(DeniedError, denied)
    return app
