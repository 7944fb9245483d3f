#include <fmt/format.h>

#include <iostream>

#include "app/commands.h"
#include "app/flags.h"
#include "rlhf/core/error.h"
#include "rlhf/serving/credentials.h"

namespace rlhf::app {
namespace {

struct AccountSettings {
  std::string action, name, accounts, role = "annotator", password;

  void fields(Fields& f) {
    f.field("action", action, "add, token, remove or ls");
    f.field("name", name, "whose account");
    f.field("accounts", accounts, "the file of accounts, as `rlhf collect` is given it: <store>.accounts by default");
    f.field("role", role, "owner (everything), annotator (answers questions), viewer (looks at runs)");
    f.field("password", password, "of the account; empty = read from standard input");
  }
  void validate() const {}
};

serving::Role role_of(const std::string& name) {
  if (const auto role = serving::role_named(name)) return *role;
  throw Error({.category = Category::usage,
               .where = "role",
               .what = fmt::format("is \"{}\"", name),
               .fix = "owner, annotator or viewer."});
}

std::string password_of(const AccountSettings& settings) {
  if (!settings.password.empty()) return settings.password;
  std::cerr << "password: " << std::flush;
  std::string password;
  if (std::getline(std::cin, password) && !password.empty()) return password;
  throw Error({.category = Category::usage, .where = "password", .what = "is empty", .fix = "Type it, or pipe it in."});
}

}  // namespace

int account(const Invocation& call) {
  AccountSettings settings;
  if (!read_settings(
          call,
          {.synopsis = "rlhf account add|token|remove|ls [NAME] --accounts FILE [--role owner|annotator|viewer]",
           .description = "Who may log in to `rlhf collect` where others can reach it. `add` sets a password, `token` "
                          "prints a new bearer\n"
                          "token, which is shown this once.",
           .positional = {"action", "name"}},
          settings))
    return 0;
  require_given("action", settings.action, "rlhf account add anna --accounts feedback.db.accounts");
  require_given("accounts", settings.accounts, "rlhf account ls --accounts feedback.db.accounts");
  serving::FileCredentials accounts(settings.accounts);
  if (settings.action == "ls") {
    for (const auto& each : accounts.all())
      std::cout << fmt::format("{:<10} {}{}{}\n", serving::name_of(each.role), each.name,
                               each.password.empty() ? "" : "  password", each.token.empty() ? "" : "  token");
    return 0;
  }
  require_given("name", settings.name, "rlhf account add anna --accounts feedback.db.accounts");
  if (settings.action == "add")
    accounts.set_password(settings.name, role_of(settings.role), password_of(settings));
  else if (settings.action == "token")
    std::cout << accounts.new_token(settings.name, role_of(settings.role)) << std::endl;
  else if (settings.action == "remove")
    accounts.remove(settings.name);
  else
    throw Error({.category = Category::usage,
                 .where = "action",
                 .what = fmt::format("is \"{}\"", settings.action),
                 .fix = "add, token, remove or ls."});
  return 0;
}

}  // namespace rlhf::app
