"""A mail server that speaks SMTP, and misbehaves when it is told to."""

import socketserver
import threading
from email import message_from_bytes


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it is sent; `plan` says how to treat the next connections.

    "drop" closes a connection at once; "hang" leaves the client waiting for
    the end of its mail. Without a plan the mail is accepted.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.mails, self.plan, self.connections = [], [], 0
        self.hanging = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        server = self.server
        server.connections += 1
        behaviour = server.plan.pop(0) if server.plan else "accept"
        if behaviour == "drop":
            return
        self.say("220 test")
        while line := self.rfile.readline():
            command = line[:4].strip().upper()
            if command == b"DATA":
                self.say("354 go on")
                self.take_mail(behaviour)
            elif command == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take_mail(self, behaviour):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if behaviour == "hang":
            self.server.hanging.set()
            self.rfile.readline()  # until the client is gone
            return
        self.server.mails.append(message_from_bytes(b"".join(lines)))
        self.say("250 taken")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
