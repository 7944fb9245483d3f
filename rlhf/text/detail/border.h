#pragma once
#include <rlhf_text.h>

#include <string>
#include <string_view>
#include <vector>

namespace rlhf::text::detail {

inline rlhf_view view(std::string_view text) { return {text.data(), text.size()}; }

template <class Texts>
std::vector<rlhf_view> views(const Texts& texts) {
  std::vector<rlhf_view> result;
  result.reserve(texts.size());
  for (const std::string& text : texts) result.push_back(view(text));
  return result;
}

/// A buffer that Rust made, given back at the end of the scope.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { rlhf_bytes_free(raw_); }

  rlhf_bytes* out() { return &raw_; }
  std::string text() const { return raw_.data ? std::string(raw_.data, raw_.length) : std::string(); }

 private:
  rlhf_bytes raw_{};
};

/// Throws rlhf::Error (bad_data) with Rust's own words.
[[noreturn]] void fail(std::string_view where, const Bytes& error, std::string fix);

struct TokenizerHandle {
  explicit TokenizerHandle(rlhf_tokenizer* handle) : raw(handle) {}
  TokenizerHandle(const TokenizerHandle&) = delete;
  TokenizerHandle& operator=(const TokenizerHandle&) = delete;
  ~TokenizerHandle() { rlhf_tokenizer_free(raw); }
  rlhf_tokenizer* raw;
};

struct TemplateHandle {
  explicit TemplateHandle(rlhf_template* handle) : raw(handle) {}
  TemplateHandle(const TemplateHandle&) = delete;
  TemplateHandle& operator=(const TemplateHandle&) = delete;
  ~TemplateHandle() { rlhf_template_free(raw); }
  rlhf_template* raw;
};

}  // namespace rlhf::text::detail
