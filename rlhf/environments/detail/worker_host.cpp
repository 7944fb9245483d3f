#include "rlhf/environments/detail/worker_host.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>

#include "rlhf/core/error.h"

namespace rlhf::environments {
namespace {

constexpr std::int64_t calm = 1000;  // answers after which earlier failures are forgotten

[[noreturn]] void throw_failed(const WorkerProgram& program, const std::string& what, std::string fix) {
  throw Error({.category = Category::failure,
               .where = "environment " + program.name,
               .what = what,
               .fix = std::move(fix)});
}

std::string command_of(const WorkerProgram& program) { return fmt::format("{}", fmt::join(program.command, " ")); }

}  // namespace

WorkerHost::WorkerHost(const WorkerProgram& program, const WorkerCare& care, const SharedMemory& memory,
                       std::int64_t count)
    : program_(program), care_(care), memory_(memory), count_(count) {
  try {
    channel_ = std::make_unique<WorkerChannel>(program_, memory_.descriptor());
  } catch (const WorkerFailure& failure) {
    throw_failed(program_, failure.what(), "Is the program installed, and on the PATH?");
  }
}

void WorkerHost::greet() {
  const auto hello = channel_->receive(care_.timeout).head;
  const auto text = hello.is_null() ? std::string("nothing") : hello.dump().substr(0, 200);
  if (!hello.is_object() || hello.value("hello", nlohmann::json()) != "rlhf-worker" || !hello.contains("protocol"))
    throw channel_->failure("its first message is no greeting of a worker but " + text);
  if (hello["protocol"] != protocol_version)
    throw channel_->failure(fmt::format("it speaks version {} of the workers' protocol, this program version {}",
                                        hello["protocol"].dump(), protocol_version));
}

nlohmann::json WorkerHost::describe() {
  WorkerMessage made;
  try {
    greet();
    channel_->send({.head = {{"do", "make"}, {"count", count_}, {"settings", program_.request}}});
    made = channel_->receive(care_.timeout);
  } catch (const WorkerFailure& failure) {
    throw_failed(program_, fmt::format("the worker `{}` did not start: {}", command_of(program_), failure.what()),
                 "Start it by hand to see more; docs/workers.md is the protocol.");
  }
  if (made.head.is_object() && made.head.contains("error"))
    throw Error({.category = Category::usage,
                 .where = "environment " + program_.name,
                 .what = made.head["error"].is_string() ? made.head["error"].get<std::string>() : made.head.dump(),
                 .fix = made.head.value("fix", "")});
  return description_ = made.head.is_object() ? made.head.value("spec", nlohmann::json::object()) : nullptr;
}

void WorkerHost::attach(const nlohmann::json& layout) {
  layout_ = layout;
  try {
    channel_->send({.head = layout_});
    const auto said = answer();
    if (!said.head.is_object() || !said.head.contains("attached"))
      throw channel_->failure("it did not attach to the shared memory");
  } catch (const WorkerFailure& failure) {
    throw_failed(program_, fmt::format("the worker `{}` did not start: {}", command_of(program_), failure.what()), "");
  }
}

WorkerMessage WorkerHost::answer() {
  const auto* heart = reinterpret_cast<const std::uint64_t*>(memory_.data() + layout_.at("heart").get<std::size_t>());
  const auto beats = [heart] {
    return std::atomic_ref(*const_cast<std::uint64_t*>(heart)).load(std::memory_order_relaxed);
  };
  return channel_->receive(care_.timeout, beats, care_.silence);
}

void WorkerHost::ring() {
  not_rung_.reset();
  try {
    if (!channel_) throw WorkerFailure("it is gone");
    channel_->ring();
  } catch (const WorkerFailure& failure) {
    not_rung_ = failure;  // told by wait(), so that the other workers are rung
  }
}

void WorkerHost::wait() {
  if (not_rung_) throw WorkerFailure(*not_rung_);
  const auto said = answer().head;
  if (said.is_object() && said.contains("error"))
    throw WorkerFailure("its environment raised an error:\n" +
                        (said["error"].is_string() ? said["error"].get<std::string>() : said.dump()));
  if (!said.is_null()) throw channel_->failure("it answered a round with " + said.dump().substr(0, 200));
  if (++answered_ >= calm) failures_ = 0;
}

WorkerMessage WorkerHost::ask(const WorkerMessage& question) {
  if (!channel_) throw WorkerFailure("it is gone");
  channel_->send(question);
  auto said = answer();
  if (!said.head.is_object()) throw channel_->failure("it did not answer " + question.head.dump().substr(0, 200));
  if (said.head.contains("error"))
    throw Error({.category = Category::usage,
                 .where = "environment " + program_.name,
                 .what = said.head["error"].is_string() ? said.head["error"].get<std::string>() : said.head.dump(),
                 .fix = said.head.value("fix", "")});
  return said;
}

void WorkerHost::restart(const std::string& why) {
  answered_ = 0;
  if (++failures_ > care_.restarts)
    throw_failed(program_, fmt::format("its worker `{}` has failed {} times; the last time {}", command_of(program_),
                                       failures_, why),
                 "Mend what its last words say, or allow more failures with `restarts`.");
  channel_.reset();
  const auto described = description_;
  channel_ = std::make_unique<WorkerChannel>(program_, memory_.descriptor());
  if (describe() != described) throw_failed(program_, "started anew, its worker describes another environment", "");
  attach(layout_);
}

}  // namespace rlhf::environments
