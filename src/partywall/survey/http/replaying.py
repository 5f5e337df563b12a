"""Open channels as commands that can be pasted into bash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.shell import cookies, headers, variables_of, word

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
    secrets = variables_of([actor])
    sent = [
        word(secrets, f"{name}: ", value)
        for name, value in headers(actor.headers, dict(request.headers))
    ]
    if told := cookies(actor, request):
        sent.append(word(secrets, f"Cookie: {told[0]}", *told[1:]))
    said = [word(secrets, one) for one in messages]
    words = ["python", "-c", f'"{PROGRAM}"', word(secrets, url), str(len(sent))]
    return " ".join([*words, *sent, *said])
