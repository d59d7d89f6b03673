"""The network test of the device check: a connection to a media server that belongs to no call."""

from typing import Annotated

from pydantic import Field

from signaling.messages import IceServer, Sdp
from web.routing import Access, Call, route
from web.schemas import Empty, Input, Output


class NetworkTest(Output):
    """The server's offer; it sends back the sound it gets, for ten seconds. Without TURN ``ice_servers`` is empty."""

    probe_id: str
    sdp: str
    ice_servers: list[IceServer]


class NetworkAnswer(Input):
    """The browser's answer to the offer of a test."""

    probe_id: Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\x00@]+@[^\x00@]+$")]
    sdp: Sdp


@route("POST", "/api/network/test", access=Access.USER, body=Empty, reply=NetworkTest, limit="preview")
async def post_network_test(call: Call) -> NetworkTest:
    """Begin a network test."""
    found = await call.house.nodes.probe()
    servers = [IceServer.model_validate(one) for one in found.ice_servers]
    return NetworkTest(probe_id=found.probe_id, sdp=found.sdp, ice_servers=servers)


@route("POST", "/api/network/answer", access=Access.USER, body=NetworkAnswer)
async def post_network_answer(call: Call) -> None:
    """Answer the offer of a network test."""
    await call.house.nodes.answer_probe(call.body.probe_id, call.body.sdp)
