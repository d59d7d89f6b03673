"""The network test on a real node: sound comes back, nothing of it belongs to a call, and it ends by itself."""

import asyncio
import time

import pytest

from app.robot_peer import MediaPeer
from core.errors import Conflict, NotFound, Upstream
from media import probe
from tests.integration.media.conftest import Scene
from tests.integration.media.test_node import rows, until


async def test_sound_comes_back_and_nothing_is_observed(scene: Scene) -> None:
    found = await scene.nodes.probe()
    peer = MediaPeer()
    scene.peers.append(peer)
    await scene.nodes.answer_probe(found.probe_id, answer := await peer.answer(found.sdp))
    await until(lambda: peer.audio_frames >= 20, "its own sound")
    assert peer.video_frames == 0, "pictures are not sent back"
    assert await rows(scene) == []
    assert scene.node.calls == 0
    with pytest.raises(Conflict):
        await scene.nodes.answer_probe(found.probe_id, answer)


async def test_it_is_over_after_some_seconds(scene: Scene) -> None:
    probes = scene.node._probes
    probe_id, _ = probes.open()
    await probes.watch(time.monotonic() + probe.LASTS_S - 1)
    assert probe_id in probes._open
    await probes.watch(time.monotonic() + probe.LASTS_S + 1)
    with pytest.raises(NotFound):
        await scene.nodes.answer_probe(f"{probe_id}@{scene.node.id}", "v=0")


async def test_there_are_not_too_many_at_once(scene: Scene) -> None:
    await asyncio.gather(*(scene.nodes.probe() for _ in range(probe.MOST)))
    with pytest.raises(Upstream):
        await scene.nodes.probe()


@pytest.mark.parametrize("probe_id", ["x@nowhere", "x@", "@"])
async def test_a_probe_that_is_not_there_is_not_found(scene: Scene, probe_id: str) -> None:
    with pytest.raises(NotFound):
        await scene.nodes.answer_probe(probe_id, "v=0")


async def test_a_path_in_its_name_goes_nowhere(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.nodes.answer_probe(f"../calls/{scene.call}/skip?@{scene.node.id}", "v=0")
