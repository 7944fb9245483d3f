#pragma once
#include <string>

namespace rlhf::serving {

/// What somebody may do. An owner may do everything; annotators answer questions; viewers look at runs and results.
enum class Role { viewer, annotator, owner };

/// Who sends a request.
struct Principal {
  std::string name;  // the annotator's name, as feedback is recorded under
  Role role = Role::annotator;
  std::string session;  // id of the login; empty for a program with a bearer token and for the loopback owner
  std::string csrf;     // what a page has to send in X-CSRF-Token with everything that changes state
};

/// Who may use a route.
enum class Access {
  everyone,    // without login: health, the page itself, the login
  signed_in,   // any role
  viewers,     // viewers and owners
  annotators,  // annotators and owners
  owners,
};

constexpr bool may_use(Access access, Role role) {
  if (role == Role::owner || access == Access::everyone || access == Access::signed_in) return true;
  return access == Access::viewers ? role == Role::viewer : access == Access::annotators && role == Role::annotator;
}

}  // namespace rlhf::serving
