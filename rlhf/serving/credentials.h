#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rlhf/serving/principal.h"

namespace rlhf::serving {

/// Somebody who may sign in.
struct Account {
  std::string name;
  Role role = Role::annotator;
  std::string password;  // its hash (secrets.h); empty: there is none
  std::string token;     // SHA-256 of a bearer token; empty: there is none
};

/// Who may sign in. Usable from several threads.
class Credentials {
 public:
  virtual ~Credentials() = default;
  virtual std::optional<Account> by_name(const std::string& name) const = 0;
  virtual std::optional<Account> by_token(const std::string& token_hash) const = 0;
  virtual std::vector<Account> all() const = 0;
};

/// Accounts in a JSON file that only its user may read (mode 600). Every change is written at once.
class FileCredentials : public Credentials {
 public:
  /// A file that is not there has no accounts. Throws rlhf::Error: bad_data for a file that is none of ours, usage for
  /// one that others may read.
  explicit FileCredentials(std::filesystem::path file);

  std::optional<Account> by_name(const std::string& name) const override;
  std::optional<Account> by_token(const std::string& token_hash) const override;
  std::vector<Account> all() const override;

  /// Adds or replaces. Names have 1 to 64 letters, digits, "-", "_", "." or "@"; others throw rlhf::Error (usage).
  void set_password(const std::string& name, Role role, std::string_view password);
  /// Returns a new token, which is stored nowhere: only its hash is.
  std::string new_token(const std::string& name, Role role);
  bool remove(const std::string& name);

 private:
  void load();
  void save() const;
  Account& account(const std::string& name, Role role);

  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::map<std::string, Account> accounts_;
};

const char* name_of(Role role);
std::optional<Role> role_named(std::string_view name);

/// "1-64 letters, digits, - _ . @"
bool good_name(std::string_view name);

}  // namespace rlhf::serving
