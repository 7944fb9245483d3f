#include "rlhf/algorithms/follow_labels.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/var.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <vector>

#include "rlhf/core/error.h"
#include "rlhf/core/require.h"
#include "rlhf/core/seed.h"
#include "rlhf/data/encode.h"
#include "rlhf/feedback/selection.h"

namespace rlhf::algorithms {
namespace {

using Events = std::vector<std::int64_t>;

struct VersionMetrics {
  const RewardResult& result;
  std::int64_t labels, held_out_labels;

  void log(MetricRow& row) const {
    row.add("labels", static_cast<double>(labels));
    row.add("held_out_labels", static_cast<double>(held_out_labels));
    if (result.fit) row.add("loss", result.fit->train_loss);
    row.add("train/accuracy", result.train.accuracy);
    if (result.held_out.pairs == 0) return;
    row.add("eval_accuracy", result.held_out.accuracy);
    row.add("eval_accuracy/low", result.held_out.low);
    row.add("eval_accuracy/high", result.held_out.high);
  }
};

/// Questions from a file hold texts alone. Their completions end as sampled ones do.
void encode_question(feedback::Question& question, const text::TextBundle& text) {
  data::encode_prompt(question.prompt, text);
  for (auto& item : question.items) {
    if (!item.ids.empty()) continue;
    item.ids = text.tokenizer.encode(item.text);
    if (!text.special.stop.empty()) item.ids.push_back(text.special.stop.front());
  }
}

/// The answers behind the rows, each once: a ranking gives several rows.
Events answers_of(const feedback::LabelRows& rows) {
  auto events = rows.comparison_events;
  std::sort(events.begin(), events.end());
  events.erase(std::unique(events.begin(), events.end()), events.end());
  return events;
}

std::int64_t changes(const Events& before, const Events& now) {
  Events different;
  std::set_symmetric_difference(before.begin(), before.end(), now.begin(), now.end(), std::back_inserter(different));
  return static_cast<std::int64_t>(different.size());
}

class Follower {
 public:
  Follower(feedback::Store& store, const text::TextBundle& text, const FollowConfig& config, Run& run)
      : store_(store), config_(config), run_(run) {
    filter_.prepare = [&text](feedback::Question& question) { encode_question(question, text); };
    if (const auto& restored = run.restored()) {
      version_ = restored->step;
      // Reading up to the same entry gives the same rows.
      seen_ = answers_of(
          feedback::read_labels(store, restored->state.values.at("cursor").get<std::int64_t>(), filter_).train);
    }
  }

  std::int64_t run(const FitFn& fit, const RewardModel& model, const WriteModel& write_model) {
    while ((config_.refits == 0 || version_ < config_.refits) && !run_.stop_requested()) {
      const auto labels = next_labels();
      if (run_.stop_requested()) break;
      seen_ = answers_of(labels.train);
      try {
        const auto result =
            fit({.train = labels.train.comparisons, .held_out = labels.heldout.comparisons, .samples = {}});
        ++version_;
        tell(result, labels);
        run_.checkpoint(version_, write_model, {.tensors = {}, .values = {{"cursor", labels.cursor}}});
        if (config_.select && result.fit && result.fit->members.defined()) select(model, result.fit->members);
      } catch (const StopRequested&) {
        break;
      } catch (const Error& error) {
        if (error.category() != Category::check) throw;  // what more labels cannot mend
        run_.warn(std::string("no new version from these labels: ") + error.what());
      }
    }
    return version_;
  }

 private:
  /// Waits until enough is new; whenever an entry has come, the labels are read again as they now stand.
  feedback::Labels next_labels() {
    const auto wanted = version_ == 0 && seen_.empty() ? config_.first_labels : config_.new_labels;
    auto labels = feedback::read_labels(store_, -1, filter_);
    auto changed = changes(seen_, answers_of(labels.train));
    run_.progress().start("labels for version " + std::to_string(version_ + 1), wanted, std::min(changed, wanted));
    while (changed < wanted && !run_.stop_requested()) {
      if (!store_.wait(labels.cursor, std::chrono::milliseconds(250))) continue;
      labels = feedback::read_labels(store_, -1, filter_);
      changed = changes(seen_, answers_of(labels.train));
      run_.progress().set(std::min(changed, wanted));
    }
    run_.progress().finish();
    return labels;
  }

  /// What the ensemble disagrees on is asked first from now on.
  void select(const RewardModel& model, const Tensor& members) {
    const auto score = [&](feedback::Question question) {
      if (run_.stop_requested()) throw StopRequested();
      filter_.prepare(question);
      return disagreement(model, members, question);
    };
    const auto seed = derive(static_cast<std::uint64_t>(version_), {hash("follow selection")});
    const auto changed = feedback::prioritise(
        store_, score, {.random_share = config_.random_share, .most = config_.select_most, .seed = seed});
    run_.note("asked in a new order: " + std::to_string(changed) + " open questions");
  }

  void tell(const RewardResult& result, const feedback::Labels& labels) {
    const auto held_out = static_cast<std::int64_t>(answers_of(labels.heldout).size());
    run_.report(version_, VersionMetrics{result, static_cast<std::int64_t>(seen_.size()), held_out});
    run_.note("reward model version " + std::to_string(version_) + ": " + std::to_string(seen_.size()) + " labels" +
              (held_out == 0 ? std::string(", none held out")
                             : ", orders " + std::to_string(100 * result.held_out.accuracy).substr(0, 4) +
                                   "% of held-out pairs as people did"));
  }

  feedback::Store& store_;
  const FollowConfig& config_;
  Run& run_;
  feedback::LabelFilter filter_;
  std::int64_t version_ = 0;
  Events seen_;  // the answers behind the last fit
};

}  // namespace

void FollowConfig::fields(Fields& f) {
  f.field("store", store, "where feedback is kept: a file, or postgresql://...");
  f.field("project", project, "projects in one store see nothing of each other");
  f.field("first_labels", first_labels, "answers to train on that the first fit waits for");
  f.field("new_labels", new_labels, "answers that came or changed before it is fitted again");
  f.field("select", select, "after each fit, ask open questions first that an ensemble of heads disagrees on");
  f.field("random_share", random_share, "of the questions asked next: chosen uniformly all the same, 0 to 1");
  f.field("select_most", select_most, "open questions looked at, newest first");
  f.field("refits", refits, "fits before it stops by itself; 0 = goes on until it is stopped");
}

void FollowConfig::validate() const {
  require_setting(!store.empty(), "store", "the store to follow is missing",
                  "rlhf train reward_model --follow --store feedback.db");
  require_setting(first_labels >= 2, "first_labels", "at least 2 were expected", "Take 20.");
  require_setting(new_labels >= 1, "new_labels", "at least 1 was expected", "Take 20.");
  require_setting(random_share >= 0 && random_share <= 1, "random_share", "a share from 0 to 1 was expected",
                  "Take 0.3.");
  require_setting(select_most >= 1, "select_most", "at least 1 was expected", "Take 200.");
  require_setting(refits >= 0, "refits", "0 or more were expected", "0 goes on until it is stopped.");
}

double disagreement(const RewardModel& model, const Tensor& members, const feedback::Question& question) {
  if (question.items.size() < 2) return 0;
  std::vector<data::Example> examples;
  for (const auto& item : question.items) examples.push_back(scored_example(question.prompt.ids, item.ids));
  const at::NoGradGuard no_grad;
  const Tensor scores = at::matmul(pooled_features(model, examples), members.t());  // [items, members]
  return at::var(at::softmax(scores, 0), 1, /*unbiased=*/false).mean().item<double>();
}

std::int64_t follow_labels(feedback::Store& store, const text::TextBundle& text, const FollowConfig& config,
                           const FitFn& fit, const RewardModel& model, const WriteModel& write_model, Run& run) {
  config.validate();
  return Follower(store, text, config, run).run(fit, model, write_model);
}

RewardResult refit(RewardModel& model, const RewardData& data, const RewardModelConfig& config,
                   const std::function<void()>& between_passes) {
  RewardResult result;
  result.fit = fit_head(model, data.train, config.fit, [&](auto, auto) {
    if (between_passes) between_passes();
  });
  const auto before = score(model, items_of(data.train), config.micro_tokens);
  normalise(model, before);
  result.train = pair_accuracy(before, data.train);  // normalising keeps the order
  if (!data.held_out.empty())
    result.held_out = pair_accuracy(score(model, items_of(data.held_out), config.micro_tokens), data.held_out);
  return result;
}

}  // namespace rlhf::algorithms
