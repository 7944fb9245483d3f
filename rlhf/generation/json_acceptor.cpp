#include "rlhf/generation/json_acceptor.h"

#include <algorithm>
#include <cstring>

namespace rlhf::generation {
namespace {

using Kind = JsonGrammar::Kind;
using Node = JsonGrammar::Node;

// Phases of the frames. 0 is "nothing of it has come" everywhere.
enum Object : std::uint8_t { opening, first_key, next_key, in_a_key, colon, after_value };
enum Array : std::uint8_t { bracket, first_item, next_item, after_item };
enum String : std::uint8_t { quote, plain, inside_character, escape, hex };
enum Number : std::uint8_t { start, minus, zero, whole, point, fraction, exponent, exponent_sign, exponent_digits };

constexpr std::uint8_t most_spaces = 20;
constexpr std::uint16_t most_digits = 18, most_exponent_digits = 2;

bool is_space(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

/// One behind the last property that may come next when those before `from` are done: a required one cannot be skipped.
std::size_t end_of_next(const Node& object, std::size_t from) {
  while (from < object.properties.size() && !object.properties[from].required) ++from;
  return std::min(from + 1, object.properties.size());
}

bool all_required_came(const Node& object, std::size_t from) {
  return std::none_of(object.properties.begin() + from, object.properties.end(), [](auto& each) { return each.required; });
}

bool number_could_end(std::uint8_t phase) { return phase == zero || phase == whole || phase == fraction || phase == exponent_digits; }

/// May there be white space in front of the next byte?
bool between_tokens(const Node& node, std::uint8_t phase) {
  if (node.kind == Kind::object) return phase != in_a_key;
  return node.kind == Kind::array || phase == 0;
}

}  // namespace

JsonAcceptor::JsonAcceptor(const JsonGrammar& grammar) : grammar_(&grammar) { enter(0); }

JsonAcceptor& JsonAcceptor::operator=(const JsonAcceptor& other) {
  grammar_ = other.grammar_;
  depth_ = other.depth_;
  spaces_ = other.spaces_;
  std::copy_n(other.frames_.begin(), depth_, frames_.begin());
  return *this;
}

bool JsonAcceptor::enter(int node) {
  if (depth_ == most_levels) return false;
  frames_[depth_++] = {.node = static_cast<std::uint16_t>(node), .at = 0, .place = 0, .phase = 0, .left = 0};
  return true;
}

bool JsonAcceptor::push(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [&](char byte) { return push(byte); });
}

bool JsonAcceptor::push(char byte) {
  while (depth_ > 0) {
    auto& frame = frames_[depth_ - 1];
    const auto& node = node_of(frame);
    // A literal or number that is whole ends at a space, like at any other byte that isn't its own.
    if (is_space(byte) && between_tokens(node, frame.phase)) return ++spaces_ <= most_spaces;
    const auto step = [&] {
      switch (node.kind) {
        case Kind::choice: return in_choice(frame, byte);
        case Kind::object: return in_object(frame, byte);
        case Kind::array: return in_array(frame, byte);
        case Kind::string: return in_string(frame, static_cast<unsigned char>(byte));
        case Kind::number: return in_number(frame, byte, false);
        case Kind::integer: return in_number(frame, byte, true);
        case Kind::literals: return in_literals(frame, byte);
      }
      return Step::wrong;
    }();
    if (step == Step::wrong) return false;
    spaces_ = 0;
    if (step == Step::taken) return true;
  }
  return false;
}

JsonAcceptor::Step JsonAcceptor::in_choice(Frame& frame, char byte) {
  for (const auto each : node_of(frame).alternatives) {
    if (grammar_->nodes[each].first.find(byte) == std::string::npos) continue;
    --depth_;
    enter(each);
    return Step::again;
  }
  return Step::wrong;
}

JsonAcceptor::Step JsonAcceptor::in_object(Frame& frame, char byte) {
  const auto& node = node_of(frame);
  switch (frame.phase) {
    case opening:
      frame.phase = first_key;
      return byte == '{' ? Step::taken : Step::wrong;
    case first_key:
      if (byte == '}') return all_required_came(node, 0) ? leave() : Step::wrong;
      [[fallthrough]];
    case next_key:
      if (byte != '"') return Step::wrong;
      if (!node.closed) {
        frame.phase = colon;
        return enter(node.key) ? Step::again : Step::wrong;
      }
      if (frame.at == node.properties.size()) return Step::wrong;
      frame.phase = in_a_key;
      frame.place = 1;
      return Step::taken;
    case in_a_key: return in_key(frame, byte);
    case colon:
      if (byte != ':') return Step::wrong;
      frame.phase = after_value;
      if (node.closed) return enter(node.properties[frame.at++].value) ? Step::taken : Step::wrong;
      return enter(node.item) ? Step::taken : Step::wrong;
    default:  // after_value
      if (byte == '}') return all_required_came(node, frame.at) ? leave() : Step::wrong;
      if (byte != ',' || (node.closed && frame.at == node.properties.size())) return Step::wrong;
      frame.phase = next_key;
      return Step::taken;
  }
}

JsonAcceptor::Step JsonAcceptor::in_key(Frame& frame, char byte) {
  const auto& node = node_of(frame);
  const auto& read = node.properties[frame.at].key;
  const auto end = end_of_next(node, frame.at);
  for (std::size_t i = frame.at; i < end; ++i) {
    const auto& key = node.properties[i].key;
    if (frame.place >= key.size() || key.compare(0, frame.place, read, 0, frame.place) != 0 || key[frame.place] != byte) continue;
    frame.at = static_cast<std::uint16_t>(i);
    if (++frame.place == key.size()) frame.phase = colon;
    return Step::taken;
  }
  return Step::wrong;
}

JsonAcceptor::Step JsonAcceptor::in_array(Frame& frame, char byte) {
  const auto& node = node_of(frame);
  // Counted only as far as it matters, so that long lists do not have a state for each length.
  const auto counted = [&] { return node.most == 0xffff ? std::max<std::uint16_t>(node.least, 1) : node.most; };
  switch (frame.phase) {
    case bracket:
      frame.phase = first_item;
      return byte == '[' ? Step::taken : Step::wrong;
    case first_item:
      if (byte == ']') return node.least == 0 ? leave() : Step::wrong;
      if (node.most == 0) return Step::wrong;
      [[fallthrough]];
    case next_item:
      frame.at = std::min<std::uint16_t>(frame.at + 1, counted());
      frame.phase = after_item;
      return enter(node.item) ? Step::again : Step::wrong;
    default:  // after_item
      if (byte == ']') return frame.at >= node.least ? leave() : Step::wrong;
      if (byte != ',' || (node.most != 0xffff && frame.at >= node.most)) return Step::wrong;
      frame.phase = next_item;
      return Step::taken;
  }
}

JsonAcceptor::Step JsonAcceptor::in_string(Frame& frame, unsigned char byte) {
  const auto character = [&](int bytes_left, unsigned lowest, unsigned highest) {
    frame.phase = inside_character;
    frame.left = static_cast<std::uint8_t>(bytes_left);
    frame.place = static_cast<std::uint16_t>(lowest << 8 | highest);
    return Step::taken;
  };
  switch (frame.phase) {
    case quote:
      frame.phase = plain;
      return byte == '"' ? Step::taken : Step::wrong;
    case plain:  // RFC 3629, section 4: which second byte may follow which first
      if (byte == '"') return leave();
      if (byte == '\\') return frame.phase = escape, Step::taken;
      if (byte < 0x20) return Step::wrong;
      if (byte < 0x80) return Step::taken;
      if (byte >= 0xC2 && byte <= 0xDF) return character(1, 0x80, 0xBF);
      if (byte >= 0xE0 && byte <= 0xEF) return character(2, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF);
      if (byte >= 0xF0 && byte <= 0xF4) return character(3, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF);
      return Step::wrong;
    case inside_character:
      if (byte < frame.place >> 8 || byte > (frame.place & 0xff)) return Step::wrong;
      if (frame.left > 1) return character(frame.left - 1, 0x80, 0xBF);
      break;
    case escape:
      if (byte == 'u') {
        frame.phase = hex;
        frame.left = 4;
        frame.place = 0;
        return Step::taken;
      }
      if (std::string_view("\"\\/bfnrt").find(static_cast<char>(byte)) == std::string_view::npos) return Step::wrong;
      break;
    default: {  // hex; \uD800 to \uDFFF are halves of a character, which not every reader takes: left out
      const bool digit = is_digit(static_cast<char>(byte)), letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f';
      if (!digit && !letter) return Step::wrong;
      if (frame.left == 3 && frame.place == 1 && (letter || byte > '7')) return Step::wrong;
      frame.place = frame.left == 4 && (byte | 0x20) == 'd';
      if (--frame.left > 0) return Step::taken;
    }
  }
  frame.phase = plain;
  frame.left = 0;
  frame.place = 0;
  return Step::taken;
}

JsonAcceptor::Step JsonAcceptor::in_number(Frame& frame, char byte, bool integer) {
  const auto go = [&](std::uint8_t phase) {
    frame.phase = phase;
    frame.place = 1;
    return Step::taken;
  };
  const auto one_more_digit = [&](std::uint16_t most) { return is_digit(byte) && frame.place < most ? (++frame.place, true) : false; };
  const auto first_digit = [&](std::uint8_t phase) { return is_digit(byte) ? go(phase) : Step::wrong; };
  switch (frame.phase) {
    case start:
      if (byte == '-') return go(minus);
      [[fallthrough]];
    case minus: return byte == '0' ? go(zero) : first_digit(whole);
    case point: return first_digit(fraction);
    case exponent:
      if (byte == '-' || byte == '+') return go(exponent_sign);
      [[fallthrough]];
    case exponent_sign: return first_digit(exponent_digits);
    case whole:
      if (one_more_digit(most_digits)) return Step::taken;
      break;
    case fraction:
      if (one_more_digit(most_digits)) return Step::taken;
      break;
    case exponent_digits:
      if (one_more_digit(most_exponent_digits)) return Step::taken;
      break;
    default: break;  // zero
  }
  if (!integer && byte == '.' && (frame.phase == zero || frame.phase == whole)) return go(point);
  if (!integer && (byte == 'e' || byte == 'E') && frame.phase != exponent_digits) return go(exponent);
  --depth_;  // the number is whole, and the byte belongs to what is around it
  return Step::again;
}

JsonAcceptor::Step JsonAcceptor::in_literals(Frame& frame, char byte) {
  const auto& literals = node_of(frame).literals;
  const auto& read = literals[frame.at];
  for (std::size_t i = frame.at; i < literals.size(); ++i) {
    const auto& literal = literals[i];
    if (frame.place >= literal.size() || literal.compare(0, frame.place, read, 0, frame.place) != 0 || literal[frame.place] != byte) continue;
    frame.at = static_cast<std::uint16_t>(i);
    frame.phase = 1;
    ++frame.place;
    return Step::taken;
  }
  if (!could_end(frame)) return Step::wrong;
  --depth_;
  return Step::again;
}

bool JsonAcceptor::could_end(const Frame& frame) const {
  const auto& node = node_of(frame);
  if (node.kind == Kind::number || node.kind == Kind::integer) return number_could_end(frame.phase);
  if (node.kind != Kind::literals || frame.phase == 0) return false;
  const auto read = std::string_view(node.literals[frame.at]).substr(0, frame.place);
  return std::find(node.literals.begin(), node.literals.end(), read) != node.literals.end();
}

std::string JsonAcceptor::state() const {
  std::string state(1, static_cast<char>(spaces_));
  state.append(reinterpret_cast<const char*>(frames_.data()), depth_ * sizeof(Frame));
  return state;
}

}  // namespace rlhf::generation
