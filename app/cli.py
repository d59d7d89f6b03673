"""The operator's commands on accounts, each of which leaves an audit row; and ``verify``, which needs nothing of us."""

import argparse
import asyncio
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from app.wiring import build, close, load_settings
from billing.proof import verifier, words
from core import logs
from core.errors import AppError
from people.accounts import AccountService
from people.origin import Origin
from people.roles import Role
from web.context import House

ROLES = [role.value for role in Role]


def parser() -> argparse.ArgumentParser:
    """The command line, with its help."""
    top = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, purpose in (("grant", "give an account a role"), ("revoke", "take a role from an account")):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("email")
        command.add_argument("role", choices=ROLES)
    create = commands.add_parser("create", help="open an account; the password is asked for, or read from a pipe")
    create.add_argument("email")
    create.add_argument("--name", required=True, help="the name others see")
    create.add_argument("--role", action="append", choices=ROLES, required=True, help="may be given several times")
    disable = commands.add_parser("disable", help="close an account to its owner and end its sessions")
    disable.add_argument("email")
    verify = commands.add_parser("verify", help="check a signed receipt: no settings, no database, no network")
    verify.add_argument("receipt", type=Path, help="the file, as downloaded")
    verify.add_argument("--key", help="the public key it must be signed with: base64url, or a file that holds it")
    return top


def read_password() -> str:
    """From the terminal, unseen and twice; or one line from a pipe. Never from the arguments: they show in ``ps``."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise SystemExit("The two passwords differ; nothing was done.")
    return first


def verify_receipt(file: Path, key: str | None) -> int:
    """Check a receipt by itself and say what was found, a line each; 0 when everything holds."""
    try:
        text = file.read_text(encoding="utf-8")
        given = Path(key).read_text(encoding="utf-8").strip() if key and Path(key).is_file() else key
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"This cannot be read: {error}\n")
        return 1
    document, checks = verifier.verify(text, given)
    lines = words.report(document, checks)
    holds = all(check.holds for check in checks)
    if holds:
        signature = document["signature"]
        lines.append(f"Receipt {document['reference']} of {document['issuer']['name']}: everything holds.")
        lines.append(f"Signed with the key {signature['public_key']} (its name: {signature['key_id']}).")
        if given is None:
            published = f"{document['issuer']['url']}/api/receipt-keys"
            lines.append(f"Whose key it is this file cannot prove: compare it with {published}, or give it with --key.")
    else:
        lines.append("This receipt does not hold.")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if holds else 1


async def run(house: House, arguments: argparse.Namespace, origin: Origin) -> str:
    """Carry out one command; the sentence says what was done."""
    accounts: AccountService = house.accounts
    if arguments.command == "create":
        roles = [Role(name) for name in arguments.role]
        await accounts.create_staff(
            house.db,
            email=arguments.email,
            password=await asyncio.to_thread(read_password),
            display_name=arguments.name,
            roles=roles,
            origin=origin,
        )
        return f"Created {arguments.email} with {', '.join(roles)}."
    async with house.db.begin() as tx:
        if arguments.command == "disable":
            await accounts.disable(tx, arguments.email, origin)
            return f"Disabled {arguments.email}; every session has ended."
        granted = arguments.command == "grant"
        changed = await accounts.set_role(tx, arguments.email, Role(arguments.role), granted=granted, origin=origin)
    if not changed:
        return f"Nothing to do: {arguments.email} {'has' if granted else 'does not have'} {arguments.role}."
    return f"{arguments.email} {'now has' if granted else 'no longer has'} {arguments.role}."


async def execute(arguments: argparse.Namespace) -> int:
    """Build the house, run the command, close the house."""
    house = build(load_settings())
    origin = Origin(operator=getpass.getuser())
    try:
        async with house.jobs.app.open_async():
            sys.stdout.write(await run(house, arguments, origin) + "\n")
    except AppError as error:
        sys.stderr.write(error.message + "\n")
        return 1
    finally:
        await close(house)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``python -m app``."""
    arguments = parser().parse_args(argv)
    if arguments.command == "verify":
        return verify_receipt(arguments.receipt, arguments.key)
    logs.configure("cli")
    return asyncio.run(execute(arguments))
