"""A mail server on loopback that keeps what it is given, and refuses or drops the line when told to."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What arrived, and how the server answers: ``refuse`` is a reply to DATA instead of taking it.

    ``drop`` closes the line after the message was taken and before the sender is told.
    """

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: str = ""
    drop: bool = False


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        mailbox: Mailbox = self.server.mailbox  # type: ignore[attr-defined]
        self._say("220 loopback ready")
        sender, recipients = "", []
        while line := self.rfile.readline():
            text = line.decode("utf-8").strip()
            verb = text.upper().split(" ")[0]
            if verb in ("EHLO", "HELO"):
                self._say("250-loopback", "250 AUTH PLAIN")
            elif verb == "AUTH":
                mailbox.logins.append(text.split(" ")[-1])
                self._say("235 welcome")
            elif verb == "MAIL":
                sender = text[10:].partition(">")[0].strip("<")
                self._say("250 go on")
            elif verb == "RCPT":
                recipients.append(text[8:].strip("<>"))
                self._say("250 go on")
            elif verb == "DATA":
                if mailbox.refuse:
                    self._say(mailbox.refuse)
                    continue
                self._say("354 end with a dot")
                mailbox.envelopes.append((sender, tuple(recipients)))
                mailbox.messages.append(self._message())
                if mailbox.drop:
                    return
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                sender, recipients = "", []
                self._say("250 done")

    def _message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return message_from_bytes(b"".join(lines), policy=policy.default)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        self.wfile.flush()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A running server; plain SMTP on ``port`` of the mailbox."""
    mailbox = Mailbox()
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.mailbox = mailbox  # type: ignore[attr-defined]
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()
