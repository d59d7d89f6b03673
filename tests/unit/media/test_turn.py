import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from app.turn import main
from media.turn import Coturn, TurnServers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_credentials_are_the_keyed_hash_of_a_name_that_runs_out() -> None:
    servers = TurnServers.parse("turn:a.example:3478, turns:a.example:443?transport=tcp", "secret", 600)
    (one,) = servers.ice_servers(NOW)
    assert one["urls"] == ["turn:a.example:3478", "turns:a.example:443?transport=tcp"]
    assert int(one["username"].split(":")[0]) == NOW.timestamp() + 600
    digest = hmac.new(b"secret", one["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(one["credential"]) == digest
    assert servers.ice_servers(NOW)[0]["username"] != one["username"], "each connection has a name of its own"


def test_without_a_relay_there_is_nothing_to_tell() -> None:
    assert TurnServers.parse("", "", 600).ice_servers(NOW) == []


@pytest.mark.parametrize(
    ("urls", "secret"), [("https://a.example", "secret"), ("stun:a.example", "secret"), ("turn:a", "")]
)
def test_settings_that_cannot_work_are_refused(urls: str, secret: str) -> None:
    with pytest.raises(ValueError, match="TURN_"):
        TurnServers.parse(urls, secret, 600)


def test_the_configuration_denies_everything_but_the_nodes() -> None:
    lines = Coturn(secret="s", realm="r", nodes=["203.0.113.7", "2001:db8::7"]).configuration().splitlines()
    assert {line for line in lines if "peer" in line} == {
        "no-multicast-peers",
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "allowed-peer-ip=203.0.113.7",
        "allowed-peer-ip=2001:db8::7",
    }
    assert "no-tcp-relay" in lines


def test_an_address_must_be_one() -> None:
    with pytest.raises(ValueError, match="evil"):
        Coturn(secret="s", realm="r", nodes=["1.2.3.4\nallowed-peer-ip=evil"]).configuration()


def test_the_command_prints_it_and_keeps_the_secret_out_of_the_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TURN_SECRET", raising=False)
    asked = ["--node", "203.0.113.7", "--realm", "a.example", "--certificate", "c.pem", "--key", "k.pem"]
    assert main(asked) == 2
    assert "TURN_SECRET" in capsys.readouterr().err
    monkeypatch.setenv("TURN_SECRET", "from-the-environment")
    assert main(asked) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "static-auth-secret=from-the-environment" in printed
    assert "cert=c.pem" in printed
    assert "no-tls" not in printed
    assert main([*asked[:-2]]) == 2
    assert main(["--node", "nonsense", "--realm", "a.example"]) == 2
