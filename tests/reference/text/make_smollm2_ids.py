"""Token ids of SmolLM2 for varied lines, by a plain implementation of byte-level BPE that shares no code with the product.

    python tests/reference/text/make_smollm2_ids.py SmolLM2-135M-Instruct.Q4_1.gguf      (needs gguf, regex, tokenizers)

Writes smollm2_vocabulary.json.gz (the tokenizer's metadata, compact: each merged token is its two parts joined, in the order of
the merges) and smollm2_ids.json. The ids are also compared with the `tokenizers` package set up by hand.
"""

import gzip
import json
import random
import sys
from pathlib import Path

import regex
import tokenizers
from gguf import GGUFReader

HERE = Path(__file__).parent

# llama.cpp's rule for `pre` = smollm: each digit alone, then GPT-2's pattern inside what is left.
GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
DIGIT = regex.compile(r"\p{N}")


def byte_characters():
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {byte: chr(byte) for byte in shown}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + len(table) - len(shown))
    return table


class Bpe:
    def __init__(self, tokens, merges, special):
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.ranks = {tuple(merge.split(" ")): i for i, merge in enumerate(merges)}
        self.special = regex.compile("(" + "|".join(regex.escape(t) for t in sorted(special, key=len, reverse=True)) + ")")
        self.bytes = byte_characters()

    def word(self, word):
        parts = [self.bytes[byte] for byte in word.encode()]
        parts = [part for part in parts if part in self.ids]  # a byte that the vocabulary lacks vanishes, as in llama.cpp
        while True:
            best = min(zip(parts, parts[1:]), key=lambda pair: self.ranks.get(pair, 1 << 30), default=None)
            if best not in self.ranks:
                return [self.ids[part] for part in parts]
            joined, i = [], 0
            while i < len(parts):
                if tuple(parts[i:i + 2]) == best:
                    joined.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    joined.append(parts[i])
                    i += 1
            parts = joined

    def words(self, text):
        place = 0
        for digit in DIGIT.finditer(text):
            yield from GPT2.findall(text[place:digit.start()])
            yield digit.group()
            place = digit.end()
        yield from GPT2.findall(text[place:])

    def encode(self, text):
        ids = []
        for piece in self.special.split(text):
            if piece in self.ids and self.special.fullmatch(piece):
                ids.append(self.ids[piece])
            else:
                ids += [i for word in self.words(piece) for i in self.word(word)]
        return ids


def lines():
    yield from ["", " ", "  ", "\n", "\t", "a", " a", "Hello world", "Hello  world", "Hello   2 worlds", "x  1", "x   12", "x\t\t3",
                "\n\n4", "1", "12", "123", "1234567890", "3.14159", "1,000,000", "2024-01-31", "v1.2.3", "0x1F", "1e-9", "½ ² Ⅳ ٣ 三",
                "I'm you're he'll they've we'd it's don't I'M", "'s", "''", "don\u2019t", "snake_case camelCase PascalCase",
                "https://example.org/a?b=c&d=1#e", "user@example.org", "C:\\path\\file.txt", "<|im_start|>user\nhi<|im_end|>\n",
                "<|im_end|><|im_end|>", "a<|endoftext|>b", "<|im_start|", "<repo_name>x<filename>y", "<|IM_END|>", "😀", "👩‍👩‍👧‍👦 family",
                "🇨🇭 flag", "👍🏽", "你好，世界", "日本語のテキスト", "한국어 텍스트", "Привет, мир", "مرحبا بالعالم", "שלום", "नमस्ते", "ไทย",
                "naïve café", "nai\u0308ve cafe\u0301", "ﬁ ligature", "ß ẞ", "\u00a0nbsp\u00a0", "\u200bzero\u200bwidth", "\ufeffbom",
                "a\u0000b", "\x7f", "tab\tin\tside", "trailing   ", "   leading", "\r\nwindows\r\n", "mixed \n \n  \n", "        if x:\n            y = 1\n",
                "def f(a, b=2):\n    return a**b  # power\n", "for (int i = 0; i < 10; ++i) { sum += a[i]; }", "SELECT * FROM t WHERE id = 42;",
                "{\"key\": [1, 2.5, null, true]}", "\\frac{1}{2} + \\sqrt{x^2}", "$\\alpha_{10}$", "# Title\n\n- item 1\n- item 2\n",
                "!!!???...", "---", "====", "a" * 100, "ab" * 50, " " * 33, " " * 33 + "7", "\n" * 10, "é" * 20, "€100 £20 ¥3", "50%", "#1",
                "A.B.C.", "e.g. i.e. etc.", "(parenthesis) [bracket] {brace}", "x²+y³", "H₂O", "→ ← ↑ ↓", "𝒳 math 𝔘", "𐍈 gothic", "\U0010fffd"]
    draw = random.Random(1)
    pools = ["abcdefghij ABC", "0123456789", " \t\n  ", ".,;:!?'\"-_()", "äöüéñ", "你好世界日本", "😀🎉👍", "абвгд", "=+*/<>{}[]"]
    words = "the of and to in is was for on that with as by at from this have model reward policy human 2 10 1999 prompt answer".split()
    for _ in range(150):
        yield "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 40)))
    for _ in range(60):
        yield "".join(draw.choice(words) + draw.choice([" ", "  ", "\n", ", ", " ", "    "]) for _ in range(draw.randint(3, 15)))


fields = GGUFReader(sys.argv[1]).fields
read = lambda name: fields["tokenizer.ggml." + name].contents()
tokens, merges, types = read("tokens"), read("merges"), read("token_type")
special = [token for token, kind in zip(tokens, types) if kind == 3]
first = len(tokens) - len(merges)
assert tokens[first:] == [merge.replace(" ", "") for merge in merges]

bpe = Bpe(tokens, merges, special)
cases = [{"text": line, "ids": bpe.encode(line)} for line in lines()]

library = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=bpe.ids, merges=[tuple(merge.split(" ")) for merge in merges]))
library.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
    tokenizers.pre_tokenizers.Digits(individual_digits=True),
    tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
library.add_special_tokens(special)
for case in cases:
    assert library.encode(case["text"], add_special_tokens=False).ids == case["ids"], case

vocabulary = {"pre": read("pre"), "first_tokens": tokens[:first], "token_types": types[:first], "merges": "\n".join(merges),
              "bos": read("bos_token_id"), "eos": read("eos_token_id"), "pad": read("padding_token_id"), "unk": read("unknown_token_id"),
              "add_bos": read("add_bos_token"), "add_space_prefix": read("add_space_prefix"),
              "chat_template": fields["tokenizer.chat_template"].contents()}
packed = gzip.compress(json.dumps(vocabulary, ensure_ascii=False).encode(), mtime=0)
(HERE / "smollm2_vocabulary.json.gz").write_bytes(packed)
(HERE / "smollm2_ids.json").write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n", encoding="utf-8")
print(len(cases), "lines,", len(packed), "bytes of vocabulary; bytes without a token:",
      sorted(byte for byte, character in bpe.bytes.items() if character not in bpe.ids))
