// Fills a store with a long past: questions about two texts, most of them answered, by the same calls that a server
// makes.
//
//   fill_store FILE [EVENTS [ANNOTATORS]]      10,000,000 events of 50 annotators
//
// Every 25th question stays open. Each call waits for its sync, so fill a file in memory (/dev/shm) and move it then.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "rlhf/core/clock.h"
#include "rlhf/core/error.h"
#include "rlhf/feedback/store.h"

namespace {

using namespace rlhf;
using namespace rlhf::feedback;

constexpr int batch = 1000;        // questions of one commit
constexpr int open_of_batch = 40;  // that nobody answers

class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  Question question(std::int64_t number) {
    Question question;
    question.id = fmt::format("past-{}", number);
    question.prompt.text = words(12);
    for (int item = 0; item < 2; ++item) {
      question.items.push_back({.text = words(30)});
      question.items.back().sample = item;
      question.shown.push_back(item);
    }
    return question;
  }

  Answer answer() {
    Answer answer(Comparison{.best = below(2)});
    answer.active_seconds = 5 + below(20);
    return answer;
  }

  int below(int end) { return static_cast<int>(random_() % static_cast<std::uint64_t>(end)); }

 private:
  std::string words(int count) {
    static constexpr const char* known[] = {"the",   "river",   "answers",  "slowly", "because", "people",
                                            "asked", "whether", "a",        "model",  "should",  "explain",
                                            "what",  "it",      "believes", "kindly"};
    std::string text;
    for (int i = 0; i < count; ++i) text.append(i ? " " : "").append(known[below(16)]);
    return text;
  }

  std::mt19937_64 random_;
};

void fill(Store& store, std::int64_t events, int annotators) {
  Writer writer(1);
  const double begin = steady_seconds();
  std::int64_t questions = 0;
  for (std::int64_t batches = 0; store.latest() < events; ++batches) {
    std::vector<Question> fresh;
    for (int i = 0; i < batch; ++i) fresh.push_back(writer.question(questions++));
    store.publish(fresh);
    // The newest stay open, so the open ones lie all along the past.
    for (int i = 0; i < batch - open_of_batch; ++i) {
      const Annotator who{.name = fmt::format("past{}", writer.below(annotators))};
      const auto held = store.lease_question(who, fresh[static_cast<std::size_t>(i)].id, std::chrono::minutes(10));
      store.answer(held.value(), writer.answer());
    }
    if (batches % 100 == 99) fmt::print(stderr, "{} events, {:.0f} s\n", store.latest(), steady_seconds() - begin);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: fill_store FILE [EVENTS [ANNOTATORS]]\n");
    return 2;
  }
  try {
    auto store = Store::open(arguments[1]);
    fill(store, count > 2 ? std::atoll(arguments[2]) : 10'000'000, count > 3 ? std::atoi(arguments[3]) : 50);
    const auto counts = store.counts();
    fmt::print("{{\"events\": {}, \"questions\": {}, \"open\": {}, \"answers\": {}}}\n", store.latest(),
               counts.questions, counts.open, counts.answers);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
