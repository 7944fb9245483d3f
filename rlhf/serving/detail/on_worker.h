#pragma once
#include <exception>
#include <optional>

#include "rlhf/serving/detail/beast.h"
#include "rlhf/serving/detail/workers.h"

namespace rlhf::serving::detail {

/// Runs `work` on a worker and comes back to the coroutine's own executor with its result; none when the workers take
/// nothing more. `work` must not throw.
template <class Result, class Work>
asio::awaitable<std::optional<Result>> on_worker(Workers& workers, Work work) {
  auto start = [&workers](auto handler, Work given) {
    // Both the worker and the refusal below need the handler, and std::function wants to be copied.
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    const auto come_back = [resume](std::optional<Result> result) {
      auto executor = asio::get_associated_executor(*resume);
      asio::post(executor, [resume, result = std::move(result)]() mutable { (*resume)(std::move(result)); });
    };
    if (!workers.run([come_back, given]() mutable { come_back(given()); })) come_back(std::nullopt);
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(std::optional<Result>)>(
      std::move(start), asio::use_awaitable, std::move(work));
}

}  // namespace rlhf::serving::detail
