#pragma once
#include <memory>

#include "rlhf/serving/auth.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// POST /api/login {"name", "password"} or {"token"}, POST /api/participate {"participant"}, POST /api/logout, and
/// GET /api/session, which tells the page who it is and the token for X-CSRF-Token. Without `auth` (a server for this
/// machine alone) only the last: everybody is the owner.
void add_login_routes(Router& router, std::shared_ptr<Auth> auth);

}  // namespace rlhf::serving
