"""Prints the configuration of a coturn server for this installation: ``python -m app.turn --help``."""

import argparse
import os
import sys
from collections.abc import Sequence

from media.turn import PORT, RELAY_PORTS, TLS_PORT, Coturn


def parser() -> argparse.ArgumentParser:
    """The command line, with its help."""
    top = argparse.ArgumentParser(prog="python -m app.turn", description=__doc__)
    top.add_argument("--node", action="append", required=True, metavar="ADDRESS", help="a media node; may be repeated")
    top.add_argument("--realm", required=True, help="your domain")
    top.add_argument("--listen", action="append", default=[], metavar="ADDRESS", help="where it listens; empty: all")
    top.add_argument("--external", default="", metavar="PUBLIC/PRIVATE", help="behind a 1:1 NAT")
    top.add_argument("--port", type=int, default=PORT)
    top.add_argument("--tls-port", type=int, default=TLS_PORT)
    top.add_argument("--certificate", default="", metavar="PEM", help="switches TLS on; needs --key")
    top.add_argument("--key", default="", metavar="PEM")
    top.add_argument("--relay-ports", default="{}-{}".format(*RELAY_PORTS), metavar="FIRST-LAST")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``python -m app.turn``. The secret comes from TURN_SECRET: arguments show in ``ps``."""
    asked = parser().parse_args(argv)
    secret = os.environ.get("TURN_SECRET", "")
    if not secret:
        sys.stderr.write("Set TURN_SECRET to the secret that `web` has, too (openssl rand -hex 32 makes one).\n")
        return 2
    if bool(asked.certificate) != bool(asked.key):
        sys.stderr.write("--certificate and --key go together.\n")
        return 2
    try:
        first, last = map(int, asked.relay_ports.split("-"))
        server = Coturn(
            secret=secret,
            realm=asked.realm,
            nodes=asked.node,
            listen=asked.listen,
            external=asked.external,
            port=asked.port,
            tls_port=asked.tls_port,
            certificate=asked.certificate,
            key=asked.key,
            relay_ports=(first, last),
        )
        sys.stdout.write(server.configuration())
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
