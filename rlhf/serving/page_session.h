#pragma once
#include <memory>
#include <string>

#include "rlhf/serving/auth.h"
#include "rlhf/serving/router.h"

namespace rlhf::serving {

/// What the pages ask first: who is it, and what can be done here (docs/http_api.md). `auth` is null on a server for
/// this machine alone: everybody is the owner, and says under which name. `play`: there is an environment to play, and
/// nothing else.
void add_page_session(Router& router, std::shared_ptr<Auth> auth, std::string project, bool model, bool play = false);

/// The name under which a request's answers are recorded.
std::string annotator_name(const Request& request);

}  // namespace rlhf::serving
