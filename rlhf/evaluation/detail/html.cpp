#include "rlhf/evaluation/detail/html.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace rlhf::evaluation::detail {
namespace {

/// nlohmann's writer already replaces what is no UTF-8; going through it costs nothing worth saving here.
std::string valid_utf8(std::string_view text) {
  const auto quoted = nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(quoted).get<std::string>();
}

std::string with_true_minus(std::string number) {
  return number.starts_with('-') ? "\u2212" + number.substr(1) : number;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string result;
  for (const char c : valid_utf8(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default:
        // Control characters other than tab and newline have no place in HTML.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "\u2013";
  if (std::abs(value) < 0.5 * std::pow(10.0, -decimals)) value = 0.0;  // no "−0.00"
  return with_true_minus(fmt::format("{:.{}f}", value, decimals));
}

std::string signed_fixed(double value, int decimals) {
  const auto text = fixed(value, decimals);
  return std::isfinite(value) && value > 0.0 ? "+" + text : text;
}

std::string grouped(double value) {
  if (!std::isfinite(value)) return "\u2013";
  auto digits = fmt::format("{:.0f}", std::abs(value));
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return (value < 0.0 ? "\u2212" : "") + digits;
}

std::string percent(double share) { return std::isfinite(share) ? fixed(100.0 * share, 0) + "%" : "\u2013"; }

std::string short_number(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return "\u2013";
  if (size >= 1000.0) return grouped(value);
  if (size >= 100.0 || (size >= 1.0 && value == std::floor(value)) || value == 0.0) return fixed(value, 0);
  if (size >= 10.0) return fixed(value, 1);
  if (size >= 0.1) return fixed(value, 2);
  return with_true_minus(fmt::format("{:.2g}", value));
}

std::string duration(double seconds) {
  const auto whole = static_cast<long>(std::llround(seconds));
  if (whole < 60) return seconds < 10.0 ? fixed(seconds, 1) + " s" : fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace rlhf::evaluation::detail
