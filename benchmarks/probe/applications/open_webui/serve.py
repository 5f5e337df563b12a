"""Run Open WebUI with an embedding service of its own, so that nothing leaves this machine.

    python serve.py PORT

The service answers what an OpenAI-compatible one would, with vectors made from a digest: equal
texts have equal vectors, and that is all that a test of access needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Embeddings(BaseHTTPRequestHandler):
    """Answers every POST with one vector for each text."""

    def do_POST(self) -> None:
        """Answer one request."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        texts = [asked] if isinstance(asked, str) else asked
        vectors = [
            [byte / 255 for byte in hashlib.sha256(text.encode()).digest()] for text in texts
        ]
        data = [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Say nothing."""


if __name__ == "__main__":
    service = ThreadingHTTPServer(("127.0.0.1", 0), Embeddings)
    Thread(target=service.serve_forever, daemon=True).start()
    os.environ["RAG_OPENAI_API_BASE_URL"] = f"http://127.0.0.1:{service.server_port}"
    os.environ["FROM_INIT_PY"] = "true"
    import uvicorn

    uvicorn.run("open_webui.main:app", host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
