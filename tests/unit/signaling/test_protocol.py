"""The protocol's document and schema follow from the code."""

import inspect

from signaling import protocol
from signaling.call import CloseReason
from signaling.handlers import Handlers


def test_the_document_is_the_one_the_code_writes() -> None:
    assert protocol.DOCUMENT.read_text(encoding="utf-8") == protocol.document(), "run python -m signaling.protocol"


def test_every_event_and_every_type_is_in_the_document() -> None:
    text = protocol.document()
    for event in (*protocol.CLIENT_EVENTS, *protocol.SERVER_EVENTS):
        assert f"`{event}`" in text
    for name in protocol.json_schema()["$defs"]:
        assert f"### {name}\n" in text


def test_every_event_has_a_handler() -> None:
    for event in protocol.CLIENT_EVENTS:
        assert f'"{event}"' in _source(), event


def test_no_message_of_a_client_takes_unknown_fields() -> None:
    schema = protocol.json_schema()["$defs"]
    for event in protocol.CLIENT_EVENTS.values():
        assert schema[event.body.__name__]["additionalProperties"] is False
        assert "v" in schema[event.body.__name__]["required"]


def test_every_close_reason_is_explained() -> None:
    assert all(f"`{reason}`" in protocol.document() for reason in CloseReason)


def _source() -> str:
    return inspect.getsource(Handlers)
