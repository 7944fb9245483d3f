#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "rlhf/text/gguf_tokenizer.h"

namespace rlhf::text::detail {

enum class GgufType : std::int32_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

GgufType type_of(const GgufTokenizer& gguf, std::size_t id);

[[noreturn]] void bad_gguf(std::string key, std::string what, std::string fix);

/// The merges that make BPE with byte fallback cut text as llama.cpp's SentencePiece tokenizer does: that one joins the
/// two neighbours whose union is the piece with the highest score, leftmost first among equals.
///
/// The two agree where scores order the pieces without ties (runs of spaces apart: they are tied in real models, and
/// tried out), each character of a piece is a piece, and all 256 bytes are there; this is checked, and refused with an
/// Error if it isn't so. Left unchecked: a piece that overlaps itself (aba) and can be made in two ways could be met
/// where the ways compete; not seen in random tests against the original algorithm, nor on real text with a real
/// vocabulary.
nlohmann::json merges_of_pieces(const GgufTokenizer& gguf);

}  // namespace rlhf::text::detail
