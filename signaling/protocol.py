"""The table of all socket messages; the gateway, ``docs/protocol.md`` and the JSON schema follow from it.

``python -m signaling.protocol`` writes the document, ``--json-schema`` prints one schema of all messages and views.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from signaling import messages as m
from signaling import views
from signaling.prose import FOREWORD

DOCUMENT = Path(__file__).parent.parent / "docs" / "protocol.md"


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """A message a client may send, what answers it, and how many a user may send (a burst, then per second)."""

    name: str
    body: type[m.ClientMessage]
    ack: type[m.Ack]
    burst: int
    per_second: float


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """A message the server sends of its own accord."""

    name: str
    body: type[BaseModel]


CLIENT_EVENTS = {
    event.name: event
    for event in (
        ClientEvent("sync", m.Sync, m.SyncAck, burst=20, per_second=2),
        ClientEvent("heartbeat", m.Heartbeat, m.Ack, burst=20, per_second=2),
        ClientEvent("media.join", m.MediaJoin, m.JoinAck, burst=10, per_second=0.5),
        ClientEvent("media.answer", m.MediaAnswer, m.Ack, burst=10, per_second=0.5),
        ClientEvent("media.state", m.MediaState, m.Ack, burst=20, per_second=4),
        ClientEvent("media.stats", m.MediaStats, m.Ack, burst=5, per_second=1),
        ClientEvent("chat.send", m.ChatSend, m.ChatAck, burst=20, per_second=2),
        ClientEvent("auth.refresh", m.AuthRefresh, m.AuthAck, burst=10, per_second=0.2),
    )
}
SERVER_EVENTS = {
    event.name: event
    for event in (
        ServerEvent("snapshot", views.Snapshot),
        ServerEvent("chat.message", m.ChatMessage),
        ServerEvent("directory", m.DirectoryChange),
        ServerEvent("signed_out", m.SignedOut),
        ServerEvent("media.replaced", m.MediaReplaced),
    )
}


def bodies() -> list[type[BaseModel]]:
    """Every type on the wire, once."""
    client: list[type[BaseModel]] = [event.body for event in CLIENT_EVENTS.values()]
    acks: list[type[BaseModel]] = [event.ack for event in CLIENT_EVENTS.values()]
    server: list[type[BaseModel]] = [event.body for event in SERVER_EVENTS.values()]
    return list(dict.fromkeys([*client, *acks, m.Refusal, *server, views.CallSummary]))


def json_schema() -> dict[str, Any]:
    """One JSON schema document: every message and view under ``$defs``, the events under ``x-events``."""
    # Serialization mode: a field with a default is always there in what the server sends.
    _, schema = models_json_schema([(body, "serialization") for body in bodies()], title="Consultant Connect socket")
    schema["x-version"] = m.VERSION
    schema["x-events"] = {
        "client": {e.name: {"body": e.body.__name__, "ack": e.ack.__name__} for e in CLIENT_EVENTS.values()},
        "server": {e.name: {"body": e.body.__name__} for e in SERVER_EVENTS.values()},
    }
    return schema


def _type_of(schema: dict[str, Any]) -> str:
    """A schema node in words a reader of TypeScript knows."""
    if "anyOf" in schema:
        return " or ".join(_type_of(option) for option in schema["anyOf"])
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{json.dumps(value)}`" for value in values)
    if schema.get("type") == "array":
        return f"list of {_type_of(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def _limits_of(schema: dict[str, Any]) -> str:
    """The limits of a field."""
    names = {"minLength": "at least", "maxLength": "at most", "minimum": "from", "maximum": "to", "pattern": "form"}
    options = [schema, *schema.get("anyOf", [])]
    found = [f"{word} `{option[key]}`" for option in options for key, word in names.items() if key in option]
    return ", ".join(found).replace("|", "\\|")


def _type_lines(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """The section of one type."""
    yield f"### {name}"
    yield ""
    if "description" in schema:
        yield " ".join(schema["description"].split()).replace("``", "`")
        yield ""
    if "enum" in schema:
        yield "One of " + _type_of(schema) + "."
        yield ""
        return
    if not schema.get("properties"):
        return
    yield "| field | type | limits |"
    yield "|---|---|---|"
    required = schema.get("required", [])
    for field, body in schema["properties"].items():
        optional = "" if field in required else "?"
        yield f"| `{field}`{optional} | {_type_of(body)} | {_limits_of(body)} |"
    yield ""


def document() -> str:
    """The whole of ``docs/protocol.md``."""
    lines = [FOREWORD.rstrip(), "", "## What a client sends", ""]
    lines += ["| event | body | ack | limit per user |", "|---|---|---|---|"]
    for event in CLIENT_EVENTS.values():
        body, ack = event.body.__name__, event.ack.__name__
        limit = f"{event.burst} at once, then {event.per_second:g} a second"
        lines.append(f"| `{event.name}` | [{body}](#{body.lower()}) | [{ack}](#{ack.lower()}) | {limit} |")
    lines += ["", "## What the server sends", "", "| event | body |", "|---|---|"]
    for sent in SERVER_EVENTS.values():
        body = sent.body.__name__
        lines.append(f"| `{sent.name}` | [{body}](#{body.lower()}) |")
    lines += ["", "## Types", "", "`?` marks a field that may be left out; `null` is written where it may stand.", ""]
    for name, schema in sorted(json_schema()["$defs"].items()):
        lines += _type_lines(name, schema)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if "--json-schema" in sys.argv[1:]:
        sys.stdout.write(json.dumps(json_schema(), indent=2, sort_keys=True) + "\n")
    else:
        DOCUMENT.write_text(document(), encoding="utf-8")
