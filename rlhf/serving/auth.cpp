#include "rlhf/serving/auth.h"

#include <algorithm>
#include <cmath>

#include "rlhf/core/clock.h"
#include "rlhf/core/files.h"
#include "rlhf/serving/secrets.h"

namespace rlhf::serving {
namespace {

constexpr std::string_view cookie_name = "rlhf_session", safe_cookie_name = "__Host-rlhf_session";

Error too_many(double wait) {
  return Error({.category = Category::resource,
                .where = "login",
                .what = "there were too many wrong ones",
                .fix = "Wait " + std::to_string(static_cast<int>(std::ceil(wait))) + " seconds."});
}

/// Somebody who is not there costs the same time as a wrong password: names cannot be guessed by the clock.
const std::string& hash_of_nobody() {
  static const auto hash = hash_password(random_token());
  return hash;
}

}  // namespace

Auth::Auth(std::shared_ptr<Credentials> credentials, AuthOptions options)
    : credentials_(std::move(credentials)),
      options_(std::move(options)),
      failures_of_name_(1.0 / 30, 10, options_.now),
      failures_of_address_(1.0 / 10, 20, options_.now),
      participants_of_address_(1.0 / 10, 50, options_.now) {}

std::optional<Auth::Login> Auth::sign_in(const std::string& name, std::string_view password,
                                         const std::string& address) {
  slow_down(name, address);
  const auto account = credentials_->by_name(name);
  const bool known = account && !account->password.empty();
  const bool fits = password_fits(password, known ? account->password : hash_of_nobody());
  if (!known || !fits) return std::nullopt;
  return begin({.name = account->name, .role = account->role});
}

std::optional<Auth::Login> Auth::sign_in_with_token(std::string_view token, const std::string& address) {
  slow_down({}, address);
  const auto account = credentials_->by_token(sha256(token));
  if (!account) return std::nullopt;
  return begin({.name = account->name, .role = account->role});
}

std::optional<Auth::Login> Auth::participate(const std::string& id, const std::string& address) {
  if (!options_.participants || !good_name(id)) return std::nullopt;
  if (const double wait = participants_of_address_.take(address); wait > 0) throw too_many(wait);
  return begin({.name = "participant:" + id, .role = Role::annotator});
}

void Auth::sign_out(const Principal& principal) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(principal.session);
}

std::optional<Principal> Auth::identify(const Request& request) {
  const auto header = request.headers.get("Authorization");
  if (header.empty()) return by_cookie(request);
  constexpr std::string_view scheme = "Bearer ";
  if (!equal_ignoring_case(header.substr(0, scheme.size()), scheme)) return std::nullopt;
  const auto account = credentials_->by_token(sha256(header.substr(scheme.size())));
  if (!account) return std::nullopt;
  return Principal{.name = account->name, .role = account->role};
}

std::optional<Principal> Auth::by_cookie(const Request& request) {
  const auto sent = request.cookies.find(request.secure ? safe_cookie_name : cookie_name);
  if (sent == request.cookies.end()) return std::nullopt;
  const auto key = sha256(sent->second);
  const double now = options_.now ? options_.now() : wall_seconds();
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return std::nullopt;
  auto& session = found->second;
  // An account that was removed, or changed its role, does not live on in its logins.
  const bool ephemeral = session.principal.name.starts_with("participant:");
  const auto account = ephemeral ? std::nullopt : credentials_->by_name(session.principal.name);
  const bool known = ephemeral ? options_.participants : account && account->role == session.principal.role;
  if (!known || now - session.used > options_.idle_seconds || now - session.began > options_.longest_seconds) {
    sessions_.erase(found);
    return std::nullopt;
  }
  session.used = now;
  return session.principal;
}

std::string Auth::cookie(std::string_view id, bool secure) {
  std::string text(secure ? safe_cookie_name : cookie_name);
  text.append("=").append(id).append("; Path=/; HttpOnly; SameSite=Strict");
  if (secure) text += "; Secure";
  if (id.empty()) text += "; Max-Age=0";
  return text;
}

void Auth::require_ready_for_network() const {
  bool owner = false, annotator = options_.participants;
  for (const auto& account : credentials_->all()) {
    const bool usable = !account.password.empty() || !account.token.empty();
    owner = owner || (usable && account.role == Role::owner);
    annotator = annotator || (usable && account.role == Role::annotator);
  }
  if (owner && annotator) return;
  throw Error({.category = Category::usage,
               .where = "accounts",
               .what = owner ? "no annotator is named" : "there is no owner who could sign in",
               .fix = "Before others can reach this server, add an owner and each annotator by name."});
}

/// Every attempt costs, right or wrong: a bucket of ten is more than a person needs, and far less than a guesser.
void Auth::slow_down(const std::string& name, const std::string& address) {
  double wait = failures_of_address_.take(address);
  if (wait == 0 && !name.empty()) wait = failures_of_name_.take(name);
  if (wait > 0) throw too_many(wait);
}

Auth::Login Auth::begin(Principal principal) {
  auto id = random_token();
  principal.session = sha256(id);
  principal.csrf = random_token();
  const double now = options_.now ? options_.now() : wall_seconds();
  const std::lock_guard lock(mutex_);
  forget_old(now);
  sessions_[principal.session] = {principal, now, now};
  return {std::move(principal), std::move(id)};
}

void Auth::forget_old(double now) {
  if (sessions_.size() < options_.most_sessions) return;
  std::erase_if(sessions_, [&](const auto& entry) { return now - entry.second.used > options_.idle_seconds; });
  if (sessions_.size() < options_.most_sessions) return;
  sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), [](const auto& one, const auto& other) {
    return one.second.used < other.second.used;
  }));
}

}  // namespace rlhf::serving
