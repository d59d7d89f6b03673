"""What the socket takes, and what it refuses."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from signaling import messages as m

CALL = str(uuid4())
GOOD: list[tuple[type[m.ClientMessage], dict[str, Any]]] = [
    (m.Sync, {"v": 1, "version": 0}),
    (m.Heartbeat, {"v": 1}),
    (m.MediaJoin, {"v": 1, "call_id": CALL}),
    (m.MediaAnswer, {"v": 1, "call_id": CALL, "peer_id": "p-1", "sdp": "v=0\r\n"}),
    (m.MediaState, {"v": 1, "call_id": CALL, "microphone": True, "camera": False, "screen": False}),
    (m.ChatSend, {"v": 1, "call_id": CALL, "client_id": "a", "text": "<b>hi</b>\n\tthere"}),
    (m.AuthRefresh, {"v": 1, "token": "x.y.z"}),
]


@pytest.mark.parametrize(("model", "body"), GOOD)
def test_a_well_formed_message_is_taken(model: type[m.ClientMessage], body: dict[str, Any]) -> None:
    model.model_validate(body)


@pytest.mark.parametrize(("model", "body"), GOOD)
def test_an_unknown_field_is_refused(model: type[m.ClientMessage], body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({**body, "admin": True})


@pytest.mark.parametrize(("model", "body"), GOOD)
@pytest.mark.parametrize("version", [0, 2, "1", True, 1.0, None])
def test_another_version_is_refused(model: type[m.ClientMessage], body: dict[str, Any], version: Any) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({**body, "v": version})


@pytest.mark.parametrize(("model", "body"), GOOD)
def test_a_missing_field_is_refused(model: type[m.ClientMessage], body: dict[str, Any]) -> None:
    for field in body:
        with pytest.raises(ValidationError):
            model.model_validate({key: value for key, value in body.items() if key != field})


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (m.Sync, {"version": -1}),
        (m.Sync, {"version": "1"}),
        (m.Sync, {"version": 2**60}),
        (m.MediaJoin, {"call_id": "nonsense"}),
        (m.MediaJoin, {"call_id": 7}),
        (m.MediaAnswer, {"sdp": "x" * (32 * 1024 + 1)}),
        (m.MediaAnswer, {"sdp": "v=0\x00"}),
        (m.MediaAnswer, {"sdp": ""}),
        (m.MediaAnswer, {"peer_id": "../../node"}),
        (m.MediaAnswer, {"peer_id": "p\n"}),
        (m.MediaState, {"microphone": "yes"}),
        (m.MediaState, {"microphone": 1}),
        (m.ChatSend, {"text": ""}),
        (m.ChatSend, {"text": "  \n "}),
        (m.ChatSend, {"text": "x" * 2001}),
        (m.ChatSend, {"text": "a\x00b"}),
        (m.ChatSend, {"text": "a\x1bb"}),
        (m.ChatSend, {"text": "\ud800"}),
        (m.ChatSend, {"text": 5}),
        (m.ChatSend, {"client_id": ""}),
        (m.ChatSend, {"client_id": "x" * 65}),
        (m.AuthRefresh, {"token": "x" * 4097}),
    ],
)
def test_a_value_out_of_its_limits_is_refused(model: type[m.ClientMessage], change: dict[str, Any]) -> None:
    body = next(body for kind, body in GOOD if kind is model)
    with pytest.raises(ValidationError):
        model.model_validate({**body, **change})


@pytest.mark.parametrize("body", [None, [], "text", 5, {}, [1, 2], True])
def test_what_is_no_message_at_all_is_refused(body: Any) -> None:
    for model, _ in GOOD:
        with pytest.raises(ValidationError):
            model.model_validate(body)


def test_chat_text_stays_the_text_it_was() -> None:
    text = "<script>alert(1)</script> & “quotes” 🎉"
    assert m.ChatSend.model_validate({"v": 1, "call_id": CALL, "client_id": "a", "text": text}).text == text
