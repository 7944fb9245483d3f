#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "rlhf/core/fields.h"
#include "rlhf/core/toml_text.h"

namespace rlhf {
namespace {

struct Everything {
  bool truth = false;
  int number = 0;
  std::int64_t large = 0;
  std::uint64_t seed = 0;
  double real = 0;
  std::string text;
  std::vector<std::string> texts;
  std::vector<double> reals;
  std::vector<std::int64_t> integers;
  std::optional<double> maybe;
  struct Inner {
    std::string text;
    void fields(Fields& f) { f.field("text", text, ""); }
  } inner;

  void fields(Fields& f) {
    f.field("truth", truth, "");
    f.field("number", number, "");
    f.field("large", large, "");
    f.field("seed", seed, "");
    f.field("real", real, "");
    f.field("text", text, "");
    f.field("texts", texts, "");
    f.field("reals", reals, "");
    f.field("integers", integers, "");
    f.field("maybe", maybe, "");
    f.group("inner", inner, "");
  }
};

// Unicode without surrogates and NUL: what TOML can hold.
std::string utf8(const std::vector<std::uint32_t>& points) {
  std::string out;
  for (const auto raw : points) {
    const auto point = raw % 0x11000;
    if (point == 0 || (point >= 0xD800 && point < 0xE000)) continue;
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xC0 | point >> 6);
      out += static_cast<char>(0x80 | (point & 63));
    } else if (point < 0x10000) {
      out += static_cast<char>(0xE0 | point >> 12);
      out += static_cast<char>(0x80 | (point >> 6 & 63));
      out += static_cast<char>(0x80 | (point & 63));
    }
  }
  return out;
}

RC_GTEST_PROP(FieldsProperty, TomlRoundTrip, ()) {
  Everything config;
  config.truth = *rc::gen::arbitrary<bool>();
  config.number = *rc::gen::arbitrary<int>();
  config.large = *rc::gen::arbitrary<std::int64_t>();
  config.seed = *rc::gen::arbitrary<std::uint64_t>();
  config.real = *rc::gen::arbitrary<double>();
  config.text = utf8(*rc::gen::arbitrary<std::vector<std::uint32_t>>());
  config.texts = {utf8(*rc::gen::arbitrary<std::vector<std::uint32_t>>()), config.text};
  config.reals = *rc::gen::arbitrary<std::vector<double>>();
  config.integers = *rc::gen::arbitrary<std::vector<std::int64_t>>();
  if (*rc::gen::arbitrary<bool>()) config.maybe = *rc::gen::arbitrary<double>();
  config.inner.text = config.text;
  Everything again;
  load_toml_text(again, to_toml(config), "round trip");
  RC_ASSERT(to_json(again) == to_json(config));
  RC_ASSERT(std::bit_cast<std::uint64_t>(again.real) == std::bit_cast<std::uint64_t>(config.real));
}

RC_GTEST_PROP(FieldsProperty, EveryDoubleSurvivesTheText, (std::uint64_t bits)) {
  const auto number = std::bit_cast<double>(bits);
  struct One {
    double number = 0;
    void fields(Fields& f) { f.field("number", number, ""); }
  } one{number}, from_file, from_flag;
  load_toml_text(from_file, to_toml(one), "text");
  apply_override(from_flag, "number=" + toml_number(number));
  if (number != number) {
    RC_ASSERT(from_file.number != from_file.number);
    RC_ASSERT(from_flag.number != from_flag.number);
  } else {
    RC_ASSERT(std::bit_cast<std::uint64_t>(from_file.number) == bits);
    RC_ASSERT(std::bit_cast<std::uint64_t>(from_flag.number) == bits);
  }
}

// Whatever the text, the answer is a value or an Error; nothing else.
RC_GTEST_PROP(FieldsProperty, AnyTextIsSafe, (std::string text)) {
  Everything config;
  try {
    load_toml_text(config, text, "any");
  } catch (const std::runtime_error&) {
  }
  try {
    apply_override(config, text);
  } catch (const std::runtime_error&) {
  }
}

TEST(TomlText, ControlCharactersAreEscaped) {
  EXPECT_EQ(toml_string("a\"\\\n\t\x01"), R"("a\"\\\n\t\u0001")");
  EXPECT_EQ(toml_number(1), "1.0");
  EXPECT_EQ(toml_number(1e300), "1e+300");
  EXPECT_EQ(toml_number(-std::numeric_limits<double>::infinity()), "-inf");
}

}  // namespace
}  // namespace rlhf
