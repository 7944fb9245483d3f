#include <boost/beast/websocket/ssl.hpp>

#include "rlhf/serving/detail/connection_answers.h"
#include "rlhf/serving/detail/connection_requests.h"
#include "rlhf/serving/detail/connection_socket.h"

namespace rlhf::serving::detail {

template class Connection<beast::ssl_stream<beast::tcp_stream>>;

}  // namespace rlhf::serving::detail
