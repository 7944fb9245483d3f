#include "rlhf/environments/wrappers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

#include "rlhf/core/error.h"
#include "rlhf/core/spelling.h"
#include "rlhf/environments/detail/world_impl.h"
#include "rlhf/environments/detail/wrapper.h"

namespace rlhf::environments {
namespace detail {

void Wrapper::set_state(std::string_view bytes) {
  const auto own = own_state().size();
  if (bytes.size() < own) throw_no_state(spec_);
  inner_->set_state(bytes.substr(own));  // first: it checks what it is given
  set_own_state(bytes.substr(0, own));
}

}  // namespace detail

namespace {

using Numbers = std::vector<double>;
using Inner = std::unique_ptr<Environment>;

struct Kind {
  const char* name;
  const char* arguments;  // for people; empty = none
  std::size_t count;
  double least, most;  // of each argument
  Inner (*make)(Inner, const Numbers&);
};

constexpr double many = 1e9;
std::int64_t whole(double number) { return static_cast<std::int64_t>(number); }

const std::array<Kind, 8> kinds = {{
    {"time_limit", "STEPS", 1, 1, many,
     [](Inner e, const Numbers& n) { return detail::limit_time(std::move(e), whole(n[0])); }},
    {"fixed_horizon", "STEPS", 1, 1, many,
     [](Inner e, const Numbers& n) { return detail::fix_horizon(std::move(e), whole(n[0])); }},
    {"sticky_actions", "SHARE", 1, 0, 1,
     [](Inner e, const Numbers& n) { return detail::stick_actions(std::move(e), n[0]); }},
    {"hide_reward", "", 0, 0, 0, [](Inner e, const Numbers&) { return detail::hide_reward(std::move(e)); }},
    {"frame_stack", "COUNT", 1, 1, 100,
     [](Inner e, const Numbers& n) { return detail::stack_frames(std::move(e), whole(n[0])); }},
    {"score_mask", "LEFT TOP WIDTH HEIGHT", 4, 0, 4096,
     [](Inner e, const Numbers& n) {
       return detail::mask_score(std::move(e), {whole(n[0]), whole(n[1]), whole(n[2]), whole(n[3])});
     }},
    {"picture", "WIDTH HEIGHT", 2, 1, 4096,
     [](Inner e, const Numbers& n) { return detail::show_picture(std::move(e), int(n[0]), int(n[1]), false); }},
    {"grey_picture", "WIDTH HEIGHT", 2, 1, 4096,
     [](Inner e, const Numbers& n) { return detail::show_picture(std::move(e), int(n[0]), int(n[1]), true); }},
}};

[[noreturn]] void throw_wrong(std::string what, std::string fix) {
  throw Error({.category = Category::usage, .where = "wrappers", .what = std::move(what), .fix = std::move(fix)});
}

const Kind& kind_of(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& kind : kinds) {
    if (name == kind.name) return kind;
    names.emplace_back(kind.name);
  }
  const auto close = nearest(name, names);
  throw_wrong(fmt::format("there is no wrapper '{}'; known: {}", name, fmt::join(names, ", ")),
              close ? fmt::format("Did you mean '{}'?", *close) : "");
}

Inner wrap(Inner environment, const std::string& text) {
  std::istringstream words(text);
  std::string name, word;
  words >> name;
  const auto& kind = kind_of(name);
  Numbers numbers;
  bool good = true;
  while (words >> word) {
    double number = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
    good = good && problem == std::errc() && end == word.data() + word.size() && number >= kind.least &&
           number <= kind.most && (kind.most <= 1 || number == std::floor(number));
    numbers.push_back(number);
  }
  if (!good || numbers.size() != kind.count)
    throw_wrong(fmt::format("'{}' is not how {} is written", text, name),
                kind.count == 0 ? fmt::format("Write \"{}\".", name)
                                : fmt::format("Write \"{} {}\", from {:g} to {:g} each.", name, kind.arguments,
                                              kind.least, kind.most));
  return kind.make(std::move(environment), numbers);
}

/// Around all others: what was asked for is in the spec.
class Named final : public detail::Wrapper {
 public:
  Named(Inner inner, std::span<const std::string> wrappers) : Wrapper(std::move(inner)) {
    spec_.settings["wrappers"] = std::vector<std::string>(wrappers.begin(), wrappers.end());
  }
};

}  // namespace

std::unique_ptr<Environment> wrapped(std::unique_ptr<Environment> environment, std::span<const std::string> wrappers) {
  if (wrappers.empty()) return environment;
  for (const auto& text : wrappers) environment = wrap(std::move(environment), text);
  return std::make_unique<Named>(std::move(environment), wrappers);
}

}  // namespace rlhf::environments
