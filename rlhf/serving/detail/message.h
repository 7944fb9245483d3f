#pragma once
#include "rlhf/serving/detail/beast.h"
#include "rlhf/serving/http.h"

namespace rlhf::serving::detail {

/// A head as Beast read it, as a Request without body. The target may be "/a?b", or "http://host/a?b" as proxies write
/// it: then that host is the one that counts (RFC 9112 §3.2.2).
Request request_of(const http::request_header<>& head);

using Bytes = http::span_body<const char>;

/// What goes out: the bytes stay in `response`.
http::response<Bytes> message_of(const Response& response, unsigned version, bool keep_alive);
/// The head of an answer that is written piece by piece.
http::response<http::empty_body> stream_head_of(const Response& response, unsigned version, bool keep_alive);

}  // namespace rlhf::serving::detail
