#include "rlhf/serving/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rlhf/core/error.h"
#include "rlhf/core/files.h"
#include "rlhf/serving/secrets.h"

namespace rlhf::serving {

const char* name_of(Role role) {
  return role == Role::owner ? "owner" : role == Role::annotator ? "annotator" : "viewer";
}

std::optional<Role> role_named(std::string_view name) {
  for (const auto role : {Role::viewer, Role::annotator, Role::owner})
    if (name == name_of(role)) return role;
  return std::nullopt;
}

bool good_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.@").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), good);
}

FileCredentials::FileCredentials(std::filesystem::path file) : file_(std::move(file)) {
  struct stat found{};
  if (::stat(file_.c_str(), &found) != 0) return;
  if ((found.st_mode & 077) != 0)
    throw Error({.category = Category::usage,
                 .where = file_.string(),
                 .what = "other users of this machine may read it",
                 .fix = "Run: chmod 600 " + file_.string()});
  load();
}

std::optional<Account> FileCredentials::by_name(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(name);
  return found == accounts_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Account> FileCredentials::by_token(const std::string& token_hash) const {
  const std::lock_guard lock(mutex_);
  // All are compared, each in constant time: how long it takes tells nothing about any of them.
  std::optional<Account> found;
  for (const auto& [name, account] : accounts_)
    if (!account.token.empty() && equal_in_constant_time(account.token, token_hash)) found = account;
  return found;
}

std::vector<Account> FileCredentials::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Account> accounts;
  for (const auto& [name, account] : accounts_) accounts.push_back(account);
  return accounts;
}

void FileCredentials::set_password(const std::string& name, Role role, std::string_view password) {
  auto hash = hash_password(password);
  const std::lock_guard lock(mutex_);
  account(name, role).password = std::move(hash);
  save();
}

std::string FileCredentials::new_token(const std::string& name, Role role) {
  auto token = random_token();
  const std::lock_guard lock(mutex_);
  account(name, role).token = sha256(token);
  save();
  return token;
}

bool FileCredentials::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (accounts_.erase(name) == 0) return false;
  save();
  return true;
}

Account& FileCredentials::account(const std::string& name, Role role) {
  if (!good_name(name))
    throw Error({.category = Category::usage,
                 .where = "account \"" + name + "\"",
                 .what = "it is no name for an account",
                 .fix = "Use 1 to 64 letters, digits, '-', '_', '.' or '@'."});
  auto& found = accounts_[name];
  found.name = name, found.role = role;
  return found;
}

void FileCredentials::load() {
  try {
    const auto json = nlohmann::json::parse(read_file(file_));
    for (const auto& row : json.at("accounts")) {
      const auto role = role_named(row.at("role").get<std::string>());
      const auto name = row.at("name").get<std::string>();
      if (!role || !good_name(name)) throw nlohmann::json::out_of_range::create(403, "role or name", &row);
      accounts_[name] = {name, *role, row.value("password", ""), row.value("token", "")};
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error({.category = Category::bad_data,
                 .where = file_.string(),
                 .what = std::string("it is no list of accounts: ") + error.what(),
                 .fix = "Restore it from a copy, or remove it and add the accounts again."});
  }
}

void FileCredentials::save() const {
  auto rows = nlohmann::json::array();
  for (const auto& [name, account] : accounts_)
    rows.push_back(
        {{"name", name}, {"role", name_of(account.role)}, {"password", account.password}, {"token", account.token}});
  const auto text = nlohmann::json{{"version", 1}, {"accounts", rows}}.dump(2) + "\n";

  // Made with mode 600 from its first moment, and whole or not at all.
  const auto fresh = file_.string() + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool written = file >= 0 && ::fchmod(file, 0600) == 0 &&
                 ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  written = written && ::rename(fresh.c_str(), file_.c_str()) == 0;
  if (written) return;
  throw Error({.category = Category::resource,
               .where = file_.string(),
               .what = "the accounts could not be written",
               .fix = "Check the folder's permissions and free space."});
}

}  // namespace rlhf::serving
