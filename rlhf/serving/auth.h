#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "rlhf/serving/credentials.h"
#include "rlhf/serving/http.h"
#include "rlhf/serving/rate_limit.h"

namespace rlhf::serving {

struct AuthOptions {
  double idle_seconds = 12 * 3600;         // a login unused for so long ends
  double longest_seconds = 7 * 24 * 3600;  // and so does one that old
  std::size_t most_sessions = 10000;       // then the one unused for longest ends
  /// Participants of studies (Prolific, Mechanical Turk) come with an id in the address and sign in with it alone, as
  /// annotators named "participant:<id>". Whoever has the address may then answer questions.
  bool participants = false;
  std::function<double()> now = nullptr;  // seconds; for tests
};

/// Who a request comes from: a login with a cookie, or a program with a bearer token. Usable from several threads.
///
/// A login's id is random, new at every login (nobody can fix it beforehand), and only its hash is kept. Wrong
/// passwords are slowed down, for a name and for an address.
class Auth {
 public:
  explicit Auth(std::shared_ptr<Credentials> credentials, AuthOptions options = {});

  struct Login {
    Principal principal;
    std::string id;  // for the cookie
  };
  /// None: wrong name, password, token or id. Throws rlhf::Error (resource) after too many of those.
  std::optional<Login> sign_in(const std::string& name, std::string_view password, const std::string& address);
  std::optional<Login> sign_in_with_token(std::string_view token, const std::string& address);
  std::optional<Login> participate(const std::string& id, const std::string& address);
  void sign_out(const Principal& principal);

  /// An Authorization header decides alone: a wrong token is nobody, whatever the cookies say.
  std::optional<Principal> identify(const Request& request);

  /// "rlhf_session=...; Path=/; HttpOnly; SameSite=Strict", and over TLS also Secure and the prefix "__Host-", which no
  /// other page can set (RFC 6265bis §4.1.3). An empty id removes it.
  static std::string cookie(std::string_view id, bool secure);

  /// Throws rlhf::Error (usage) unless there is an owner with a token or password, and a named annotator or
  /// participants are let in: what a server needs before others can reach it.
  void require_ready_for_network() const;

  bool takes_participants() const { return options_.participants; }

 private:
  struct Session {
    Principal principal;
    double began = 0, used = 0;
  };
  Login begin(Principal principal);
  std::optional<Principal> by_cookie(const Request& request);
  void slow_down(const std::string& name, const std::string& address);
  void forget_old(double now);

  const std::shared_ptr<Credentials> credentials_;
  const AuthOptions options_;
  RateLimiter failures_of_name_, failures_of_address_, participants_of_address_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;  // by the hash of the id
};

}  // namespace rlhf::serving
