"""A real SMTP server for tests: STARTTLS and a login are required, and every mail becomes a file.

Arguments: folder of packages, folder for mails, certificate, key.
Listens on a free port, prints the port, and ends when its standard input closes.

A recipient gone@… does not exist. A recipient later@… is refused the first time, for now. A mail to slow@… is
accepted, but the answer comes only after 12 seconds. While the folder for mails has a file `refuse`, every
recipient is refused by policy. While it has a file `utf8`, addresses with non-ASCII characters are accepted
(SMTPUTF8). A client that greets with a name without a dot is refused as Postfix does it.
"""

import asyncio
import email
import email.policy
import json
import logging
import os
import ssl
import sys

packages, folder, certificate, key = sys.argv[1:]
sys.path.insert(0, packages)

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword  # noqa: E402

# Logging is off, because handshakes fail in the tests on purpose.
logging.disable(logging.CRITICAL)

USER, PASSWORD = b"t3", b"planted-smtp-password"
seen = set()
received = 0


def authenticate(server, session, envelope, mechanism, auth_data):
    right = isinstance(auth_data, LoginPassword) and auth_data == LoginPassword(USER, PASSWORD)
    session.mechanism = mechanism
    return AuthResult(success=right, handled=False)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if "." not in session.host_name:
            return f"504 5.5.2 <{session.host_name}>: Helo command rejected: need fully-qualified hostname"
        if os.path.exists(os.path.join(folder, "refuse")):
            return "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"
        if address.startswith("gone@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later@") and address not in seen:
            seen.add(address)
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        global received
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: mail.get_body((kind,)).get_content()
        told = {
            "tls": session.ssl is not None,
            "authenticated": bool(session.authenticated),
            "mechanism": session.mechanism,
            "hello": session.host_name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "plain": part("plain"),
            "html": part("html"),
        }
        received += 1
        path = os.path.join(folder, f"{received:04}.json")
        with open(path + ".new", "w") as file:
            json.dump(told, file)
        os.rename(path + ".new", path)
        if envelope.rcpt_tos[0].startswith("slow@"):
            await asyncio.sleep(12)
        return "250 taken"


async def main():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def smtp():
        return SMTP(
            Handler(),
            hostname="localhost",
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
            enable_SMTPUTF8=os.path.exists(os.path.join(folder, "utf8")),
        )

    server = await loop.create_server(smtp, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
