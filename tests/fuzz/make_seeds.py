"""Small valid and nearly valid files for the fuzzers to start from.

    python make_seeds.py FOLDER      # writes FOLDER/{safetensors,gguf,jsonl,http,form}/*
"""
import json
import pathlib
import struct
import sys


def safetensors(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def array(kind, items):
    return struct.pack("<IQ", kind, len(items)) + b"".join(items)


def u32(value):
    return struct.pack("<I", value)


def gguf(pairs, tensors, version=3):
    """tensors: (name, dims innermost first, type, bytes)"""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(pairs)
    offset, data = 0, b""
    for name, dims, kind, content in tensors:
        out += text(name) + u32(len(dims)) + b"".join(struct.pack("<Q", d) for d in dims) + u32(kind) + struct.pack("<Q", offset)
        padded = content + b"\0" * (-len(content) % 32)
        data += padded
        offset += len(padded)
    return out + b"\0" * (-len(out) % 32) + data


def llama(architecture="llama"):
    keys = {"context_length": 128, "embedding_length": 32, "block_count": 1, "feed_forward_length": 32, "attention.head_count": 4,
            "attention.head_count_kv": 2}
    pairs = [pair("general.architecture", 8, text(architecture)), pair("general.alignment", 4, u32(32))]
    pairs += [pair(f"{architecture}.{key}", 4, u32(value)) for key, value in keys.items()]
    norm = "attention.layer_norm_epsilon" if architecture == "gpt2" else "attention.layer_norm_rms_epsilon"
    pairs += [pair(f"{architecture}.{norm}", 6, struct.pack("<f", 1e-5)), pair(f"{architecture}.rope.freq_base", 6, struct.pack("<f", 1e4)),
              pair("tokenizer.ggml.model", 8, text("gpt2")), pair("tokenizer.ggml.tokens", 9, array(8, [text("a"), text("b")])),
              pair("tokenizer.ggml.token_type", 9, array(5, [u32(1), u32(3)])), pair("tokenizer.ggml.scores", 9, array(6, [struct.pack("<f", 1.0)])),
              pair("tokenizer.ggml.eos_token_id", 4, u32(1)), pair("tokenizer.ggml.add_bos_token", 7, b"\1")]
    tensors = [("token_embd.weight", [32, 2], 8, bytes(68)), ("rope_freqs.weight", [4], 0, struct.pack("<4f", 1, 1, 8, 8))]
    return gguf(pairs, tensors)


def main():
    folder = pathlib.Path(sys.argv[1])
    f32 = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    seeds = {
        "safetensors/plain": safetensors({"a": f32, "__metadata__": {"format": "pt"}}, bytes(16)),
        "safetensors/two": safetensors({"a": f32, "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]}}, bytes(22)),
        "safetensors/scalar": safetensors({"a": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}, bytes(8)),
        "safetensors/empty": safetensors({}),
        "gguf/llama": llama(),
        "gguf/qwen2": llama("qwen2"),
        "gguf/gpt2": llama("gpt2"),
        "gguf/version2": gguf([pair("a", 10, struct.pack("<Q", 7))], [], version=2),
        "jsonl/preference": b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n{"prompt": [{"role": "user", "content": "x"}], "completion": "\\u00e4"}\n',
        "jsonl/odd": b'\xef\xbb\xbf{"text": null, "label": true, "n": 1e400}\r\n\n[1, 2]\n{"a": {"b": [[]]}}',
    }
    host = b"Host: localhost\r\n"
    seeds |= {
        "http/get": b"GET /items/a%20b?limit=5&x=%41+b HTTP/1.1\r\n" + host + b"Cookie: a=1; rlhf_session=2\r\n\r\n",
        "http/rest": b"HEAD /files/a/%2e%2e/b HTTP/1.0\r\n" + host + b"Authorization: Bearer x\r\n\r\n",
        "http/json": b"POST /json HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"a\": [1, 2]}",
        "http/form": b"POST /form HTTP/1.1\r\n" + host + b"Content-Type: application/x-www-form-urlencoded\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n7\r\na=b&c=d\r\n0\r\n\r\n",
        "http/proxy": b"GET http://localhost:80/items/1 HTTP/1.1\r\n" + host + b"X-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n"
                      b"X-Forwarded-Proto: https\r\nOrigin: https://localhost\r\n\r\n",
        "form/form": b"a=1&b=x%20y+z&c=%C3%A9&a=2&=d",
        "form/cookies": b'a=1; b="2"; c=; d',
        "form/path": b"/api/a%2Fb/../%2e%2e/\r\nc",
    }
    kinds = {2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 12: (256, 144), 13: (256, 176), 14: (256, 210), 1: (1, 2), 30: (1, 2)}
    for kind, (elements, size) in kinds.items():
        seeds[f"gguf/type{kind}"] = gguf([], [("t", [elements], kind, bytes(range(size)) if size < 256 else bytes(size))])
    for name, content in seeds.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print(len(seeds), "seeds")


if __name__ == "__main__":
    main()
