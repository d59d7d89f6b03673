"""Fails loudly when a private name of aiortc or pylibsrtp that we rely on goes away."""

from typing import cast

from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import State
from aiortc.rtcicetransport import RTCIceTransport
from pylibsrtp import Policy, Session, _binding


def test_the_private_names_of_aiortc_are_there() -> None:
    dtls = RTCDtlsTransport(cast("RTCIceTransport", object()), [RTCCertificate.generateCertificate()])
    for name in ("_set_role", "_set_state", "_do_handshake"):
        assert callable(getattr(dtls, name))
    assert (dtls._rx_srtp, dtls._tx_srtp, dtls._ssl) == (None, None, None)
    assert dtls.encrypted is False
    assert dtls.state == "new"
    assert State.FAILED


def test_the_private_names_of_pylibsrtp_are_there() -> None:
    policy = Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND)
    session = Session(policy)
    memory = _binding.ffi.new("char[200]")
    length = _binding.ffi.new("int *")
    packet = b"\x80\x60" + bytes(10) + b"payload"
    _binding.ffi.buffer(memory)[: len(packet)] = packet
    length[0] = len(packet)
    assert _binding.lib.srtp_protect(session._srtp[0], memory, length) == 0
    assert length[0] == len(packet) + 10
    for name in ("srtp_unprotect", "srtp_unprotect_rtcp", "srtp_protect_rtcp"):
        assert callable(getattr(_binding.lib, name))
