#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "rlhf/generation/json_grammar.h"

namespace rlhf::generation {

/// Reads a JSON text byte by byte and says which byte cannot come next. A pushdown automaton over a grammar; a small value,
/// cheap to copy, so that many continuations can be tried.
///
/// Accepts RFC 8259 in valid UTF-8, with bounds that keep a model from going on forever: 32 levels, 20 characters of white
/// space in a row, numbers of at most 18 digits before and behind the point and exponents of two.
class JsonAcceptor {
 public:
  /// `grammar` has to outlive the object.
  explicit JsonAcceptor(const JsonGrammar& grammar);
  JsonAcceptor(const JsonAcceptor& other) { *this = other; }
  JsonAcceptor& operator=(const JsonAcceptor& other);

  /// False when the text cannot go on with this byte; the object is then of no further use.
  bool push(char byte);
  bool push(std::string_view bytes);

  /// A whole value has been read; a number could still become longer.
  bool complete() const { return depth_ == 0 || (depth_ == 1 && could_end(frames_[0])); }

  /// Nothing can follow.
  bool closed() const { return depth_ == 0; }

  /// Equal for acceptors with the same future.
  std::string state() const;

 private:
  static constexpr std::size_t most_levels = 32;

  struct Frame {
    std::uint16_t node;
    std::uint16_t at;     // property, literal, or items so far
    std::uint16_t place;  // characters read of a key or literal, digits of a number, bounds of the next byte of a character
    std::uint8_t phase;
    std::uint8_t left;    // bytes or hex digits of a character that have to come
  };
  enum class Step { taken, again, wrong };  // again: the byte goes to the frame that is now on top

  const JsonGrammar::Node& node_of(const Frame& frame) const { return grammar_->nodes[frame.node]; }
  bool could_end(const Frame& frame) const;
  bool enter(int node);
  Step leave() { return --depth_, Step::taken; }

  Step in_choice(Frame& frame, char byte);
  Step in_object(Frame& frame, char byte);
  Step in_key(Frame& frame, char byte);
  Step in_array(Frame& frame, char byte);
  Step in_string(Frame& frame, unsigned char byte);
  Step in_number(Frame& frame, char byte, bool integer);
  Step in_literals(Frame& frame, char byte);

  const JsonGrammar* grammar_ = nullptr;
  std::array<Frame, most_levels> frames_;  // the first depth_ are used
  std::uint8_t depth_ = 0, spaces_ = 0;
};

}  // namespace rlhf::generation
