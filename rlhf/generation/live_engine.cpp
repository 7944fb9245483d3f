#include "rlhf/generation/live_engine.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include "rlhf/generation/decode_loop.h"

namespace rlhf::generation {

/// What other threads leave for the engine's, and what it tells them.
struct LiveEngine::Inbox {
  struct Numbered {
    std::uint64_t number;
    LiveRequest request;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Numbered> requests;
  std::vector<std::uint64_t> cancelled;
  std::deque<std::packaged_task<void()>> work;
  bool stopping = false;
  std::uint64_t next_number = 1;
  std::int64_t open = 0;  // completions asked for that have not ended
  LiveStatus status;

  /// The engine's side: it alone runs these.
  class Server;
};

class LiveEngine::Inbox::Server {
 public:
  Server(Inbox& inbox, const models::LanguageModel& model, const text::TextBundle& text, const LoopOptions& options)
      : inbox_(inbox),
        loop_(model, text, options,
              {.token = [this](auto& drawn) { pass_on(drawn); },
               .end = [this](auto sequence, auto completion) { finish(sequence, completion); }}) {}

  void run() {
    while (take_news()) {
      try {
        if (!loop_.idle()) loop_.step();
      } catch (const Error& error) {
        fail(error);
      } catch (const std::exception& error) {
        fail(Error({.where = "generation", .what = error.what(), .fix = "`rlhf selftest` checks the model."}));
      }
      tell_status();
    }
    fail(Error({.category = Category::resource,
                .where = "generation",
                .what = "the server is stopping",
                .fix = "Ask again later."}));
  }

 private:
  struct Open {
    LiveRequest request;
    std::vector<std::size_t> sequences;  // those that have not ended
  };
  struct Owner {
    std::uint64_t number;
    int sample;
  };

  /// Waits while there is nothing to do. False: the engine is to stop.
  bool take_news() {
    std::unique_lock lock(inbox_.mutex);
    inbox_.changed.wait(lock, [&] {
      return inbox_.stopping || !loop_.idle() || !inbox_.requests.empty() || !inbox_.cancelled.empty() ||
             !inbox_.work.empty();
    });
    if (inbox_.stopping) return false;
    for (auto& [number, request] : inbox_.requests) begin(number, std::move(request));
    inbox_.requests.clear();
    for (const auto number : std::exchange(inbox_.cancelled, {})) cancel(number);
    if (inbox_.work.empty()) return true;
    auto work = std::move(inbox_.work.front());  // one a step: streams go on meanwhile
    inbox_.work.pop_front();
    lock.unlock();
    work();
    return true;
  }

  void begin(std::uint64_t number, LiveRequest request) {
    Work work{.prompt = request.prompt,
              .sampling = std::make_shared<const SamplingConfig>(request.sampling),
              .format = request.format,
              .top_logprobs = request.top_logprobs,
              .with_text = static_cast<bool>(request.on_token)};
    Open open{.request = std::move(request)};
    for (int sample = 0; sample < open.request.sampling.num; ++sample) {
      const auto sequence = next_sequence_++;
      work.sequences.push_back({sequence, draw_key(open.request.sampling.seed, 0, open.request.prompt_id, sample)});
      open.sequences.push_back(sequence);
      owners_[sequence] = {number, sample};
    }
    inbox_.status.prompt_tokens += std::ssize(work.prompt);
    loop_.add(std::move(work));
    open_.emplace(number, std::move(open));
  }

  void cancel(std::uint64_t number) {
    const auto at = open_.find(number);
    if (at == open_.end()) return;  // has ended meanwhile
    for (const auto sequence : at->second.sequences) {
      loop_.cancel(sequence);
      owners_.erase(sequence);
    }
    inbox_.open -= std::ssize(at->second.sequences);
    ++inbox_.status.cancelled;
    open_.erase(at);
  }

  void pass_on(const DrawnToken& drawn) {
    ++tokens_;
    const auto [number, sample] = owners_.at(drawn.sequence);
    const auto& request = open_.at(number).request;
    if (request.on_token) request.on_token({sample, drawn.draw, drawn.text});
  }

  void finish(std::size_t sequence, const data::Completion& completion) {
    const auto [number, sample] = owners_.at(sequence);
    owners_.erase(sequence);
    auto& open = open_.at(number);
    std::erase(open.sequences, sequence);
    ++ended_;
    if (open.request.on_finish) open.request.on_finish(sample, completion);
    if (!open.sequences.empty()) return;
    ++finished_;
    open_.erase(number);
  }

  void fail(const Error& error) {
    std::unique_lock lock(inbox_.mutex);
    for (auto& [number, request] : inbox_.requests) begin(number, std::move(request));
    inbox_.requests.clear();
    std::vector<std::function<void(const Error&)>> told;
    while (!open_.empty()) {
      told.push_back(open_.begin()->second.request.on_error);
      cancel(open_.begin()->first);
    }
    lock.unlock();
    for (const auto& on_error : told)
      if (on_error) on_error(error);
  }

  void tell_status() {
    const std::lock_guard lock(inbox_.mutex);
    inbox_.open -= std::exchange(ended_, 0);
    inbox_.status.finished += std::exchange(finished_, 0);
    inbox_.status.completion_tokens += std::exchange(tokens_, 0);
    inbox_.status.running = static_cast<std::int64_t>(loop_.running());
    inbox_.status.waiting = static_cast<std::int64_t>(loop_.prompts_waiting());
  }

  Inbox& inbox_;
  DecodeLoop loop_;
  std::map<std::uint64_t, Open> open_;  // by the request's number
  std::unordered_map<std::size_t, Owner> owners_;
  std::size_t next_sequence_ = 0;
  std::int64_t tokens_ = 0, ended_ = 0, finished_ = 0;  // since tell_status
};

LiveEngine::LiveEngine(const models::LanguageModel& model, const text::TextBundle& text, const LiveOptions& options)
    : vocabulary_(model.shape().vocabulary),
      context_(model.shape().context > 0 ? std::min(options.context, model.shape().context) : options.context),
      most_open_(options.slots + options.queue),
      inbox_(std::make_shared<Inbox>()) {
  inbox_->status.slots = options.slots;
  const LoopOptions loop{.slots = options.slots,
                         .capacity = context_,
                         .prefill_tokens = options.prefill_tokens,
                         .piece = options.piece,
                         .adapters = options.adapters,
                         .seldom_full = true};
  // The team of threads that loaded the model would count beside the engine's own: OpenMP then takes the cores for overbooked
  // and puts threads to sleep between any two products (measured on two cores: 18 tokens/s, and 45 without that team).
  omp_pause_resource_all(omp_pause_soft);
  thread_ = std::thread([inbox = inbox_, &model, &text, loop, threads = at::get_num_threads()] {
    at::set_num_threads(threads);  // OpenMP keeps this for each thread
    Inbox::Server(*inbox, model, text, loop).run();
  });
}

LiveEngine::~LiveEngine() {
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->stopping = true;
  }
  inbox_->changed.notify_all();
  thread_.join();
}

LiveEngine::Ticket LiveEngine::submit(LiveRequest request) {
  request.sampling.validate();
  require_room("prompt", request.prompt, request.sampling.max_new_tokens, vocabulary_, context_);
  const std::lock_guard lock(inbox_->mutex);
  if (inbox_->open + request.sampling.num > most_open_) {
    ++inbox_->status.refused;
    throw Error(
        {.category = Category::resource,
         .where = "generation",
         .what = fmt::format("{} completions are running or waiting, and {} is the limit", inbox_->open, most_open_),
         .fix = "Ask again later, or start the server with more --slots or a longer --queue."});
  }
  inbox_->open += request.sampling.num;
  ++inbox_->status.accepted;
  const auto number = inbox_->next_number++;
  inbox_->requests.push_back({number, std::move(request)});
  inbox_->changed.notify_all();
  return {inbox_, number};
}

std::future<void> LiveEngine::between_steps(std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  auto done = task.get_future();
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->work.push_back(std::move(task));
  }
  inbox_->changed.notify_all();
  return done;
}

LiveStatus LiveEngine::status() const {
  const std::lock_guard lock(inbox_->mutex);
  return inbox_->status;
}

LiveEngine::Ticket& LiveEngine::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  inbox_ = std::move(other.inbox_);
  number_ = other.number_;
  return *this;
}

void LiveEngine::Ticket::cancel() {
  const auto inbox = inbox_.lock();
  inbox_.reset();
  if (!inbox) return;
  const std::lock_guard lock(inbox->mutex);
  inbox->cancelled.push_back(number_);
  inbox->changed.notify_all();
}

}  // namespace rlhf::generation
