#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "rlhf/feedback/store.h"
#include "tests/core/scratch_folder.h"
#include "tests/feedback/postgres_server.h"
#include "tests/feedback/questions.h"

namespace rlhf::feedback {
namespace {

/// One acknowledged answer, as a child process reports it.
struct Acknowledged {
  std::int64_t sequence;
  std::int64_t best;
};

/// Answers questions until it is killed or there are none, and writes each acknowledgement to `pipe`.
[[noreturn]] void label(const std::filesystem::path& path, const std::string& name, int pipe) {
  try {
    auto store = Store::open(path);
    std::int64_t count = 0;
    while (const auto assignment = store.lease({name, Source::simulated}, std::chrono::seconds(60))) {
      const std::int64_t best = ++count % 2;
      const Acknowledged done{store.answer(*assignment, Comparison{.best = best}), best};
      if (::write(pipe, &done, sizeof done) != sizeof done) ::_exit(2);
    }
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

struct Child {
  pid_t pid;
  int pipe;
};

Child start_labeler(const std::filesystem::path& path, const std::string& name) {
  int ends[2];
  if (::pipe(ends) != 0) ADD_FAILURE() << "no pipe";
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    label(path, name, ends[1]);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

std::map<std::int64_t, std::int64_t> answers_in(const Store& store) {
  std::map<std::int64_t, std::int64_t> found;  // sequence -> best
  std::map<std::string, int> of_question;
  std::int64_t after = 0;
  for (auto events = store.read(after); !events.empty(); events = store.read(after)) {
    for (const auto& event : events) {
      if (const auto* answer = std::get_if<Answer>(&event.body)) {
        found[event.sequence] = std::get<Comparison>(answer->said).best;
        EXPECT_EQ(++of_question[event.question], 1) << event.question << " was answered twice";
      }
    }
    after = events.back().sequence;
  }
  return found;
}

TEST(StoreCrash, WhatWasAcknowledgedIsThereAfterAKill) {
  ScratchFolder folder;
  const auto path = folder / "feedback.db";
  Store::open(path).publish(questions_of(2000));
  std::map<std::int64_t, std::int64_t> acknowledged;
  for (int round = 0; round < 5; ++round) {
    const auto child = start_labeler(path, "child " + std::to_string(round));
    Acknowledged done{};
    for (int i = 0; i < 10 + 7 * round && ::read(child.pipe, &done, sizeof done) == sizeof done; ++i)
      acknowledged[done.sequence] = done.best;
    ::kill(child.pid, SIGKILL);
    while (::read(child.pipe, &done, sizeof done) == sizeof done) acknowledged[done.sequence] = done.best;
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    ::close(child.pipe);
    EXPECT_TRUE(WIFSIGNALED(status));

    const auto store = Store::open(path);
    const auto found = answers_in(store);
    for (const auto& [sequence, best] : acknowledged) {
      ASSERT_TRUE(found.contains(sequence)) << "answer " << sequence << " is lost";
      EXPECT_EQ(found.at(sequence), best);
    }
    // At most the answer that was being acknowledged when the process died is there besides.
    EXPECT_LE(found.size(), acknowledged.size() + static_cast<std::size_t>(round) + 1);
    EXPECT_EQ(store.counts().answers, static_cast<std::int64_t>(found.size()));
  }
  EXPECT_GT(acknowledged.size(), 100u);
}

TEST(StoreCrash, TwoProcessesShareTheWork) {
  ScratchFolder folder;
  const auto path = folder / "feedback.db";
  Store::open(path).publish(questions_of(100));
  const std::vector<Child> children = {start_labeler(path, "one"), start_labeler(path, "two")};
  std::size_t acknowledged = 0;
  for (const auto& child : children) {
    Acknowledged done{};
    while (::read(child.pipe, &done, sizeof done) == sizeof done) ++acknowledged;
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    ::close(child.pipe);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  const auto store = Store::open(path);
  EXPECT_EQ(acknowledged, 100u);
  EXPECT_EQ(answers_in(store).size(), 100u);
  EXPECT_EQ(store.latest(), 200);
}

TEST(StoreCrash, ProcessesThatOpenANewStoreTogether) {
  ScratchFolder folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      try {
        Store::open(folder / "new.db").publish(questions_of(20));
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (const auto pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(Store::open(folder / "new.db").latest(), 20);
}

TEST(StoreCrash, APostgresServerThatIsKilledLosesNothing) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "postgresql-15 is not installed";
  auto& server = PostgresServer::of_this_program();
  auto store = Store::open(server.new_database());
  store.publish(questions_of(3000));
  std::atomic<bool> over = false;
  std::atomic<int> refused = 0;
  std::array<std::map<std::int64_t, std::int64_t>, 4> acknowledged;
  std::vector<std::thread> annotators;
  for (std::size_t i = 0; i < acknowledged.size(); ++i) {
    annotators.emplace_back([&, i] {
      while (!over) {
        try {
          const auto assignment =
              store.lease({"annotator " + std::to_string(i), Source::simulated}, std::chrono::seconds(60));
          if (!assignment) return;
          const std::int64_t best = std::ssize(acknowledged[i]) % 2;
          acknowledged[i][store.answer(*assignment, Comparison{.best = best})] = best;
        } catch (const Error& error) {
          EXPECT_EQ(error.category(), Category::resource) << error.what();
          ++refused;
        }
      }
    });
  }
  for (int kill = 0; kill < 3; ++kill) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server.kill_and_restart();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  over = true;
  for (auto& each : annotators) each.join();
  const auto found = answers_in(store);
  std::size_t sure = 0;
  for (const auto& mine : acknowledged) {
    sure += mine.size();
    for (const auto& [sequence, best] : mine) {
      ASSERT_TRUE(found.contains(sequence)) << "answer " << sequence << " is lost";
      EXPECT_EQ(found.at(sequence), best);
    }
  }
  EXPECT_GT(sure, 100u);
  EXPECT_LE(found.size(), sure + static_cast<std::size_t>(refused));
  EXPECT_EQ(store.counts().answers, std::ssize(found));
}

}  // namespace
}  // namespace rlhf::feedback
