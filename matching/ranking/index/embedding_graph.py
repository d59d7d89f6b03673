"""Writes the ONNX graph of a MiniLM sentence encoder from its published weights, once, quantised to int8."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
OPSET = 17  # the first with LayerNormalization


class _Graph:
    """Nodes and constants as they are added; a value is the name of what computed it."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """A constant of the graph."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One more node; its output."""
        name = f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def linear(self, value: str, *names: str) -> str:
        """A fully connected layer, or several of one input side by side; PyTorch keeps its matrix transposed."""
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        return self.add("Add", self.add("MatMul", value, self.constant(weight.T)), self.constant(bias))

    def normal(self, value: str, name: str) -> str:
        """Layer normalisation."""
        weight, bias = (self.constant(self._weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", value, weight, bias, axis=-1, epsilon=EPSILON)

    def heads(self, value: str, count: int) -> list[str]:
        """[1, tokens, count x width] as so many of [heads, tokens, width of a head]."""
        split = self.add("Reshape", value, self.constant([-1, count, HEADS, WIDTH // HEADS], np.int64))
        turned = self.add("Transpose", split, perm=[1, 2, 0, 3])
        return [self.add("Gather", turned, self.constant(n, np.int64), axis=0) for n in range(count)]

    def gelu(self, value: str) -> str:
        """The exact Gaussian error linear unit, in the form that the runtime knows and computes in one go."""
        inner = self.add("Erf", self.add("Div", value, self.constant(np.sqrt(2))))
        whole = self.add("Mul", value, self.add("Add", inner, self.constant(1.0)))
        return self.add("Mul", whole, self.constant(0.5))

    def layer(self, value: str, name: str) -> str:
        """One layer of the encoder (BERT: Devlin et al. 2018)."""
        parts = self.linear(value, *(f"{name}.attention.self.{part}" for part in ("query", "key", "value")))
        query, key, told = self.heads(parts, 3)
        turned = self.add("Transpose", key, perm=[0, 2, 1])
        scaled = self.add("Mul", self.add("MatMul", query, turned), self.constant((WIDTH / HEADS) ** -0.5))
        seen = self.add("MatMul", self.add("Softmax", scaled, axis=-1), told)
        joined = self.add("Transpose", seen, perm=[1, 0, 2])
        flat = self.add("Reshape", joined, self.constant([1, -1, WIDTH], np.int64))
        attended = self.linear(flat, f"{name}.attention.output.dense")
        value = self.normal(self.add("Add", value, attended), f"{name}.attention.output.LayerNorm")
        inner = self.gelu(self.linear(value, f"{name}.intermediate.dense"))
        outer = self.linear(inner, f"{name}.output.dense")
        return self.normal(self.add("Add", value, outer), f"{name}.output.LayerNorm")

    def encoder(self) -> str:
        """From token numbers [1, tokens] to one vector of length one [1, width]: the mean of the last layer."""
        words, places, kinds = (
            self._weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")
        )
        value = self.add("Gather", self.constant(words), "tokens", axis=0)
        count = self.add("Gather", self.add("Shape", "tokens"), self.constant(1, np.int64), axis=0)
        order = self.add("Range", self.constant(0, np.int64), count, self.constant(1, np.int64))
        where = self.add("Gather", self.constant(places + kinds[0]), order, axis=0)
        value = self.normal(self.add("Add", value, where), "embeddings.LayerNorm")
        for n in range(LAYERS):
            value = self.layer(value, f"encoder.layer.{n}")
        mean = self.add("ReduceMean", value, axes=[1], keepdims=0)
        return self.add("LpNormalization", mean, axis=-1, p=2)


def write_graph(weights: Path, target: Path) -> None:
    """Write the int8 graph for these safetensors to ``target``, whole or not at all. Takes some seconds."""
    graph = _Graph(load_file(weights))
    answer = graph.encoder()
    whole = helper.make_graph(
        graph.nodes,
        "minilm",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, [1, "length"])],
        [helper.make_tensor_value_info(answer, TensorProto.FLOAT, [1, WIDTH])],
        graph.constants,
    )
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent) as folder:
        full, small = Path(folder, "full.onnx"), Path(folder, "small.onnx")
        onnx.save(model, full)
        quantize_dynamic(full, small, weight_type=QuantType.QInt8, per_channel=True)
        small.replace(target)


if __name__ == "__main__":
    write_graph(Path(sys.argv[1]), Path(sys.argv[2]))
