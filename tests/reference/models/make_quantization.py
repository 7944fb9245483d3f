"""Random blocks of every GGUF type that is read, and the numbers that the gguf package makes of them.

    python make_quantization.py      # writes quantization.safetensors beside itself

<TYPE>.blocks [n, bytes] U8, <TYPE>.values [n, elements] F32; q8_0.input [4, 32] F32 and q8_0.output [4, 34] U8 for the way back.
"""
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
# Where a block holds float16 scales: their bytes must not be random, or most would be NaN or huge.
SCALES = {T.Q8_0: [0], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def main():
    random = np.random.default_rng(11)
    out = {}
    for kind, places in SCALES.items():
        elements, size = GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (6 if elements < 256 else 4, size), dtype=np.uint8)
        for place in places:
            scales = (random.normal(size=len(blocks)) * 0.1).astype(np.float16)
            scales[0] = np.float16(3e-7)  # a subnormal
            blocks[:, place:place + 2] = scales.view(np.uint8).reshape(-1, 2)
        out[f"{kind.name}.blocks"] = blocks
        out[f"{kind.name}.values"] = dequantize(blocks, kind).astype(np.float32)
    values = random.normal(size=(4, 32)).astype(np.float32)
    values[1] *= 1e-4
    values[2] = 0
    out["q8_0.input"] = values
    out["q8_0.output"] = quantize(values, T.Q8_0)
    save_file(out, HERE / "quantization.safetensors")
    print({name: array.shape for name, array in out.items()})


if __name__ == "__main__":
    main()
