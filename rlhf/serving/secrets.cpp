#include "rlhf/serving/secrets.h"

#include <sodium.h>

#include <mutex>

#include "rlhf/core/error.h"

namespace rlhf::serving {
namespace {

constexpr std::size_t shortest = 8, longest = 1000;  // bytes

void start_sodium() {
  static const int started = sodium_init();
  if (started >= 0) return;
  throw Error({.category = Category::resource,
               .where = "libsodium",
               .what = "the system gives no random numbers",
               .fix = "Make /dev/urandom available to this process."});
}

}  // namespace

std::string random_token() {
  start_sodium();
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof bytes);
  constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  char text[sodium_base64_ENCODED_LEN(sizeof bytes, variant)];
  return sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, variant);
}

bool equal_in_constant_time(std::string_view one, std::string_view other) {
  return one.size() == other.size() && sodium_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string hash_password(std::string_view password) {
  start_sodium();
  if (password.size() < shortest || password.size() > longest)
    throw Error({.category = Category::usage,
                 .where = "password",
                 .what = "it has " + std::to_string(password.size()) + " bytes",
                 .fix = "Use 8 to 1000; a sentence is easy to remember."});
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) == 0)
    return hash;
  throw Error({.category = Category::resource,
               .where = "password",
               .what = "there is no memory to hash it",
               .fix = "64 MiB have to be free."});
}

bool password_fits(std::string_view password, const std::string& hash) {
  start_sodium();
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  return password.size() <= longest && crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace rlhf::serving
