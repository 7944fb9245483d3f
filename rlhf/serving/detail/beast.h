#pragma once
// Beast and Asio, for the few sources that need them: they cost many seconds a file. Their own code is compiled once,
// in beast.cpp (BOOST_*_SEPARATE_COMPILATION in CMakeLists.txt).
#include <utility>  // awaitable.hpp of Boost 1.74 uses std::exchange without it

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace rlhf::serving::detail {

// GCC 12 makes wrong code of some `co_await`s inside conditions (if, while, &&): await into a variable, then look at
// it.

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

inline std::chrono::nanoseconds seconds(double count) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(count));
}

}  // namespace rlhf::serving::detail
