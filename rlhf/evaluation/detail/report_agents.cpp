// The gallery: agents at play, as animated pictures that the page carries within it.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <set>

#include "rlhf/core/files.h"
#include "rlhf/evaluation/detail/html.h"
#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {
namespace {

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // the encoder ends it with a zero
  const auto size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string picture(const std::filesystem::path& file, const std::string& caption) {
  if (!std::filesystem::exists(file)) return "";
  return fmt::format(
      "<figure class='agent'><img alt='{0}, at play' src='data:image/png;base64,{1}'>"
      "<figcaption>{0}</figcaption></figure>",
      escape(caption), base64(read_file(file)));
}

}  // namespace

std::string agents_section(const ReportData& data) {
  std::string figures = picture(data.folder / "agent.png", "the agent");
  std::set<std::string> shown;  // one run of each arm: the first
  for (const auto& row : data.arms) {
    const auto arm = text(row, "arm");
    if (!shown.insert(arm).second) continue;
    figures += picture(data.folder / "arms" / fmt::format("{}-{}", arm, row.value("seed", 0)) / "agent.png", arm);
  }
  return section("agents", "Agents at play",
                 "One episode, or the beginning of it, after training, as the agent acts when it is examined.",
                 figures.empty() ? "" : "<div class='gallery'>" + figures + "</div>");
}

}  // namespace rlhf::evaluation::detail
