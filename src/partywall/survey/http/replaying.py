"""Open channels as commands that can be pasted into bash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.curl import _headers, _secrets, _word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.wire import Request

PROGRAM = (
    "import sys; from websockets.sync.client import connect; "
    "url, n, *more = sys.argv[1:]; "
    "sent = dict(one.split(': ', 1) for one in more[:int(n)]); "
    "s = connect(url, additional_headers=sent, proxy=None); "
    "[s.send(one) for one in more[int(n):]]; "
    "[print(one, flush=True) for one in s]"
)


def replayed(actor: Actor, request: Request, url: str, messages: Sequence[str]) -> str:
    """The command that connects as *actor*, sends *messages*, and prints what comes.

    After the address stand the number of headers, the headers and the messages; credentials come
    from the environment.
    """
    secrets = _secrets([actor])
    headers = [
        _word(secrets, f"{name}: ", value)
        for name, value in _headers(actor.headers, dict(request.headers))
    ]
    if cookies := {**actor.cookies, **dict(request.cookies)}:
        parts = [part for name, value in cookies.items() for part in (f"; {name}=", value)]
        headers.append(_word(secrets, "Cookie: " + parts[0][2:], *parts[1:]))
    said = [_word(secrets, one) for one in messages]
    words = ["python", "-c", f'"{PROGRAM}"', _word(secrets, url), str(len(headers))]
    return " ".join([*words, *headers, *said])
