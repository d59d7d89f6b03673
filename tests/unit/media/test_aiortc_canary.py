"""Fails loudly when a private name of aiortc or aioice that we rely on goes away."""

from aioice.ice import CandidatePair, Connection, StunProtocol
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport


async def test_the_private_names_are_there() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    ice = RTCIceTransport(gatherer)
    dtls = RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])
    connection = ice._connection
    assert isinstance(connection, Connection)
    await gatherer.gather()
    assert connection._protocols
    assert all(isinstance(protocol, StunProtocol) for protocol in connection._protocols)
    assert all(hasattr(protocol, "id") and hasattr(protocol, "transport") for protocol in connection._protocols)
    assert connection._nominated == {}
    assert connection._check_list == []
    assert callable(connection.data_received)
    assert callable(dtls._set_role)
    assert dtls._rx_srtp is None
    assert dtls._tx_srtp is None
    assert CandidatePair.State.SUCCEEDED
    await ice.stop()
