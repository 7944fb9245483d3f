#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/file_error.h"
#include "rlhf/core/files.h"

namespace rlhf {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  }

  void add(const void* bytes, std::size_t size) { require(EVP_DigestUpdate(context_.get(), bytes, size)); }

  std::string hexadecimal() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest, &size));
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += "0123456789abcdef"[digest[i] >> 4];
      text += "0123456789abcdef"[digest[i] & 15];
    }
    return text;
  }

 private:
  static void require(int done) {
    if (done != 1)
      throw Error({.category = Category::failure, .where = "sha256", .what = "libcrypto refused", .fix = ""});
  }

  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hexadecimal();
}

std::string sha256_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw_file_error(file, "opened");
  const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor,
                                                                [](const int* number) { ::close(*number); });
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const auto got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error(file, "read");
    if (got == 0) return hash.hexadecimal();
    hash.add(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace rlhf
