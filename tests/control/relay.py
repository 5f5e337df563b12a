"""A relay before a server, on which single connections can fall silent, as when a cable is cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Relay:
    """Passes on what clients and a server say; both ends stay open when a connection is frozen."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._wires: list[socket.socket] = []
        self._frozen: set[int] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self, port: int) -> None:
        """Pass on nothing more on the connection that the server knows by that port."""
        self._frozen.add(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for wire in (self._door, *self._wires):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(self._server)
                self._wires += [client, server]
                port = server.getsockname()[1]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._pass, args=(one, other, port), daemon=True
                    ).start()

    def _pass(self, one: socket.socket, other: socket.socket, port: int) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if port not in self._frozen:
                    other.sendall(data)
            if port not in self._frozen:
                other.shutdown(socket.SHUT_WR)
