#include "rlhf/core/error.h"

#include <utility>

namespace rlhf {
namespace {

std::string one_paragraph(const Error::Parts& parts) {
  std::string text = parts.where.empty() ? parts.what : parts.where + ": " + parts.what;
  if (!text.empty() && text.back() != '.' && text.back() != '\n') text += '.';
  if (!parts.fix.empty()) text += " " + parts.fix;
  return text;
}

}  // namespace

Error::Error(Parts parts) : std::runtime_error(one_paragraph(parts)), parts_(std::move(parts)) {}

}  // namespace rlhf
