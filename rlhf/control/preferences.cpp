#include "rlhf/control/preferences.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "rlhf/core/error.h"
#include "rlhf/environments/clip.h"
#include "rlhf/feedback/collect.h"
#include "rlhf/feedback/question.h"
#include "rlhf/feedback/server_address.h"

namespace rlhf::control {
namespace {

constexpr std::int64_t before_training = -1;  // the journal's index of the first labels
constexpr std::size_t most_test_pairs = 500, candidates_per_question = 10;
constexpr std::int64_t longest_stretch = 1000;  // steps, in returns.jsonl
constexpr double enough_to_begin = 0.75;  // of the first labels, where people give them
const feedback::Annotator demonstrator{"demonstrations", feedback::Source::simulated};

double true_return(const data::Segment& segment) { return judged_return(segment, 1.0); }

double pearson(const Tensor& one, const Tensor& other) {
  const auto a = one.to(at::kDouble) - one.to(at::kDouble).mean(),
             b = other.to(at::kDouble) - other.to(at::kDouble).mean();
  const double size = std::sqrt((a * a).sum().item<double>() * (b * b).sum().item<double>());
  return size > 0 ? (a * b).sum().item<double>() / size : std::nan("");
}

std::map<std::int64_t, std::int64_t> read_journal(const std::filesystem::path& file) {
  std::map<std::int64_t, std::int64_t> journal;
  std::ifstream rows(file);
  for (std::string row; std::getline(rows, row);) {
    const auto record = nlohmann::json::parse(row, nullptr, false);
    if (record.is_object()) journal[record.at("rollout")] = record.at("cursor");  // a row cut short was not used
  }
  return journal;
}

/// How long returns.jsonl was at the checkpoint that the run goes on from.
std::uint64_t bytes_of_returns(const Run& run) {
  if (!run.restored()) return 0;
  const auto& values = run.restored()->state.values;
  return values.contains("preferences") ? values["preferences"].value("returns", std::uint64_t{0}) : 0;
}

}  // namespace

Preferences::Preferences(std::unique_ptr<environments::Environment> replayer, const environments::Spec& spec,
                         const PreferenceConfig& config, std::int64_t total_steps, Run& run)
    : replayer_(std::move(replayer)),
      spec_(spec),
      config_(config),
      total_steps_(total_steps),
      run_(run),
      store_(feedback::Store::open(config.store.empty() ? (run.folder() / "feedback.db").string() : config.store)),
      teacher_(make_teacher(config.teacher)),
      inputs_(spec, config.actions, config.outcomes),
      ensemble_(inputs_.width(), config.reward),
      returns_(run.folder() / "returns.jsonl", bytes_of_returns(run)) {
  config.validate();
  journal_ = read_journal(run.folder() / "labels.jsonl");
}

Preferences::Clip Preferences::clip_at(const Rollout& rollout, std::pair<std::int64_t, std::int64_t> place,
                                       std::int64_t version) const {
  const auto [env, begin] = place;
  const auto steps = [&](const Tensor& of) { return of[env].narrow(0, begin, config_.clip_steps); };
  return {.segment = cut(spec_, rollout, true_rewards_, env, begin, config_.clip_steps, version),
          .inputs = inputs_(steps(rollout.observations), steps(rollout.actions), steps(rollout.next))};
}

/// Some pieces of a rollout join those to ask about; others become test pairs that nobody is asked about.
void Preferences::keep_clips(const Rollout& rollout, std::int64_t version, std::int64_t count) {
  const auto places = places_for(rollout, config_.clip_steps);
  if (places.empty()) return;
  Random random(derive(config_.seed, {hash("clips"), static_cast<std::uint64_t>(version + 1),
                                      static_cast<std::uint64_t>(clips_.size())}));
  const auto any = [&] {
    return clip_at(rollout, places[static_cast<std::size_t>(random.below(std::ssize(places)))], version);
  };
  for (std::int64_t i = 0; i < count; ++i) {
    clips_.push_back(any());
    if (std::ssize(clips_) > config_.clips) clips_.pop_front();
  }
  const auto pairs = std::max<std::int64_t>(4, config_.rollout_clips / 4);
  for (std::int64_t i = 0; i < pairs && test_.size() < most_test_pairs; ++i) test_.emplace_back(any(), any());
}

void Preferences::begin(environments::VectorEnvironment& environments, const models::ActorCritic& agent,
                        const PpoConfig& ppo) {
  Collector collector(environments, agent, ppo.steps, derive(ppo.seed, {hash("first clips")}));
  begin([&] { return collector.collect(/*keep_states=*/true); });
}

void Preferences::begin(const std::function<Rollout()>& next) {
  if (run_.restored() || config_.explore > 0) return;  // restore() has it all; explorers are asked about later
  const auto rollouts = std::max<std::int64_t>(1, config_.clips / (config_.rollout_clips * 2));
  for (std::int64_t i = 0; i < rollouts; ++i) {
    const auto rollout = next();
    true_rewards_ = rollout.rewards;
    keep_clips(rollout, before_training, config_.clips / rollouts);
  }
  ask_first();
}

/// The first labels, about the clips that there are, and the first fit.
void Preferences::ask_first() {
  if (clips_.size() < 4)
    throw Error({.category = Category::usage,
                 .where = "clip_steps",
                 .what = fmt::format("no rollout holds a clip of {} steps within one episode", config_.clip_steps),
                 .fix = "Take longer rollouts or shorter clips."});
  const auto pairs = ask(labels_by(config_, 0, total_steps_), before_training);
  if (config_.autolabels) prefer_demonstrations(pairs);
  take_answers(before_training);
  fit(config_.first_updates);
}

/// Each clip of the first pairs against a piece of a demonstration, which wins: an answer like any other in the store.
void Preferences::prefer_demonstrations(const std::vector<Pair>& pairs) {
  if (demonstrations_.empty())
    throw Error({.category = Category::usage,
                 .where = "autolabels",
                 .what = "there is no demonstration to prefer",
                 .fix = "Give demonstrations, or set autolabels = false."});
  Random random(derive(config_.seed, {hash("autolabels")}));
  std::vector<feedback::Question> questions;
  for (const auto& [first, second] : pairs)
    for (const auto clip : {first, second}) {
      const auto& shown = demonstrations_[static_cast<std::size_t>(random.below(std::ssize(demonstrations_)))];
      const auto last = std::max<std::int64_t>(0, std::ssize(shown.actions) - config_.clip_steps);
      const Clip piece{.segment = environments::cut_segment(shown, random.below(last + 1), config_.clip_steps)};
      auto question = question_of(fmt::format("auto-{}", questions.size()), piece, clips_[clip], before_training);
      question.reserved_for = demonstrator.name;  // so that no person is asked
      questions.push_back(std::move(question));
    }
  store_.publish(questions);
  store_.release_all(demonstrator);
  for (const auto& question : questions)
    if (const auto lease = store_.lease_question(demonstrator, question.id, std::chrono::seconds(600)))
      store_.answer(*lease, feedback::Comparison{.best = 0});
  autolabels_ = std::ssize(questions);
}

Tensor Preferences::predicted(const Rollout& rollout) {
  true_rewards_ = rollout.rewards.clone();
  predicted_ = Tensor();
  correlation_ = std::nan("");
  if (exploring()) {
    const auto& reached = rollout.next.defined() ? rollout.next : rollout.observations;
    return novelty_.rewards(rollout.flat(reached)).view_as(rollout.rewards);
  }
  const auto next = rollout.next.defined() ? rollout.flat(rollout.next) : rollout.next;
  const auto rewards =
      ensemble_.rewards(inputs_(rollout.flat(rollout.observations), rollout.flat(rollout.actions), next));
  correlation_ = pearson(rewards, true_rewards_.flatten());
  return predicted_ = rewards.view_as(rollout.rewards);
}

/// Adds the rollout's steps to the sums of the episodes they are of; those that ended are written down.
void Preferences::add_up(std::int64_t index, const Rollout& rollout) {
  if (!predicted_.defined()) return;
  const auto envs = predicted_.size(0), steps = predicted_.size(1);
  stretches_.resize(static_cast<std::size_t>(envs));
  const auto predicted = predicted_.to(at::kDouble).contiguous(), earned = true_rewards_.to(at::kDouble).contiguous();
  for (std::int64_t at = 0; at < envs * steps; ++at) {
    auto& sum = stretches_[static_cast<std::size_t>(at / steps)];
    const auto& place = rollout.places[static_cast<std::size_t>(at)];
    const bool ended = place.episode != sum.episode, long_enough = sum.steps == longest_stretch;
    if (ended || long_enough) {
      if (sum.steps > 0 && sum.from_start)
        returns_.append(nlohmann::json{{"step", index}, {"env", at / steps}, {"length", sum.steps},
                                       {"predicted", sum.predicted}, {"earned", sum.earned}}.dump() + "\n");
      sum = {.episode = place.episode, .from_start = place.step == 0 || (long_enough && !ended)};
    }
    ++sum.steps;
    sum.predicted += predicted.const_data_ptr<double>()[at];
    sum.earned += earned.const_data_ptr<double>()[at];
  }
}

/// Clips of what was done, questions about them, their answers, a better reward model.
void Preferences::learn_from(std::int64_t index, const Rollout& rollout) {
  steps_ = (index + 1) * rollout.steps();
  add_up(index, rollout);
  if (index < config_.explore) {
    novelty_.remember(rollout.flat(rollout.next.defined() ? rollout.next : rollout.observations));
    keep_clips(rollout, index, std::max<std::int64_t>(config_.rollout_clips, config_.clips / config_.explore));
    if (index + 1 == config_.explore) ask_first();
    return;
  }
  keep_clips(rollout, index, config_.rollout_clips);
  ask(labels_by(config_, steps_, total_steps_) - asked_, index);
  take_answers(index);
  fit(config_.rollout_updates);
}

PpoHooks Preferences::hooks() {
  return {.reward = [this](const Rollout& rollout) { return predicted(rollout); },
          .after =
              [this](std::int64_t index, const Rollout& rollout) {
                learn_from(index, rollout);
                run_.report(index, *this);
              },
          .save = [this](State& state) { save(state); },
          .restore = [this](const State& state) { restore(state); },
          .keep_states = true};
}

OffPolicyHooks Preferences::off_policy_hooks(std::int64_t rollout_steps) {
  return {.reward = source(),
          .rollout_steps = rollout_steps,
          .rolled_out =
              [this, rollout_steps](std::int64_t index, const Rollout& rollout) {
                predicted(rollout);
                learn_from(index, rollout);
                run_.report((index + 1) * rollout_steps - 1, *this);
              },
          .save = [this](State& state) { save(state); },
          .restore = [this](const State& state) { restore(state); }};
}

RewardSource Preferences::source() const {
  return {.reward =
              [this](const AskedSteps& steps) {
                if (exploring()) return novelty_.rewards(steps.next_observations);
                return ensemble_.rewards(inputs_(steps.observations, steps.actions, steps.next_observations));
              },
          .version = [this] { return ensemble_.version() > 0 ? novelty_.version() + ensemble_.version() : novelty_.version(); }};
}

std::vector<std::size_t> Preferences::chosen_pairs(const std::vector<ClipComparison>& candidates,
                                                   std::size_t count) const {
  std::vector<std::size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool by_ensemble = config_.selection == Selection::variance || config_.selection == Selection::entropy;
  if (by_ensemble && ensemble_.version() > 0) {
    const auto chances = ensemble_.probabilities(candidates);
    const auto score =
        (config_.selection == Selection::variance ? chances.var(0, false) : -(chances.mean(0) - 0.5).abs())
            .contiguous();
    const auto* scores = score.const_data_ptr<float>();
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  }
  order.resize(std::min(count, order.size()));
  return order;
}

feedback::Question Preferences::question_of(const std::string& id, const Clip& first, const Clip& second,
                                            std::int64_t version) {
  const data::Prompt prompt{.id = id};
  std::vector<data::Completion> two(2);
  two[1].sample = 1;
  for (auto& one : two) one.policy_version = std::max<std::int64_t>(version, 0);
  const feedback::Origin origin{
      .run = fmt::format("preferences-{}", config_.seed), .stage = spec_.name, .seed = config_.seed};
  auto question = feedback::ask_with(origin, feedback::builtin_form("clips"), prompt, two);
  question.metadata = {{"settings", spec_.settings}};  // of the environment: with it, segments can be drawn again
  const Clip* clips[] = {&first, &second};
  for (std::size_t i = 0; i < 2; ++i) {
    question.items[i].segment = data::to_json(clips[i]->segment);
    if (!config_.people) continue;
    const auto media = std::filesystem::path(store_.location()).parent_path() / "media";
    question.items[i].clip = environments::store_clip(*replayer_, clips[i]->segment, media).id;
  }
  return question;
}

std::size_t Preferences::drawn_clip(Random& random) const {
  const double drawn = random.uniform(), age = drawn * drawn;  // the newest is 0
  return clips_.size() - 1 - static_cast<std::size_t>(age * static_cast<double>(clips_.size()));  // 0 < drawn < 1
}

std::vector<Preferences::Pair> Preferences::ask(std::int64_t count, std::int64_t version) {
  if (count <= 0) return {};
  const auto each = config_.selection == Selection::random || config_.selection == Selection::recency ? 1 : candidates_per_question;
  Random random(derive(config_.seed, {hash("pairs"), static_cast<std::uint64_t>(asked_)}));
  std::vector<Pair> pairs, asked;
  std::vector<ClipComparison> candidates;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) * each; ++i) {
    const auto first = config_.selection == Selection::recency ? drawn_clip(random) : static_cast<std::size_t>(random.below(std::ssize(clips_)));
    const auto second = (first + 1 + static_cast<std::size_t>(random.below(std::ssize(clips_) - 1))) % clips_.size();
    pairs.emplace_back(first, second);
    candidates.push_back({.first = clips_[first].inputs, .second = clips_[second].inputs});
  }
  std::vector<feedback::Question> questions;
  for (const auto chosen : chosen_pairs(candidates, static_cast<std::size_t>(count))) {
    asked.push_back(pairs[chosen]);
    questions.push_back(question_of(fmt::format("pair-{}", asked_++), clips_[asked.back().first],
                                    clips_[asked.back().second], version));
  }
  store_.publish(questions);
  return asked;
}

/// The store's entries that this rollout's fit may read. A resumed run reads what it read the first time.
std::int64_t Preferences::answered_until(std::int64_t index) {
  if (const auto known = journal_.find(index); known != journal_.end()) return known->second;
  if (config_.people) {
    if (index == before_training) wait_for_people(autolabels_ + std::llround(enough_to_begin * static_cast<double>(asked_)));
  } else {
    const feedback::CollectOptions collect{.stop_requested = [this] { return run_.stop_requested(); }};
    store_.release_all(collect.annotator);
    feedback::answer_all(store_, *teacher_, collect);
  }
  const auto cursor = store_.latest();
  journal_[index] = cursor;
  std::ofstream(run_.folder() / "labels.jsonl", std::ios::app)
      << nlohmann::json{{"rollout", index}, {"cursor", cursor}}.dump() << std::endl;
  return cursor;
}

void Preferences::wait_for_people(std::int64_t wanted) {
  const auto page = feedback::server_address(store_.location());
  run_.note(fmt::format("waiting for people: {} answers are wanted first. They answer at {}", wanted,
                        page.empty() ? "the page of `rlhf collect " + store_.location() + "`" : page));
  run_.progress().start("labels", wanted, store_.counts().answers);
  for (auto answered = store_.counts().answers; answered < wanted; answered = store_.counts().answers) {
    if (run_.stop_requested())
      throw Error({.category = Category::failure,
                   .where = "labels",
                   .what = fmt::format("stopped while {} of {} first answers were there", answered, wanted),
                   .fix = "Run it again with --resume once people have answered."});
    run_.progress().set(answered);
    store_.wait(store_.latest(), std::chrono::seconds(1));
  }
  run_.progress().finish();
}

std::vector<ClipComparison> Preferences::read_answers(std::int64_t after, std::int64_t until) const {
  std::map<std::int64_t, std::pair<std::string, feedback::Comparison>> said;  // by sequence number
  for (auto at = after; at < until;) {
    const auto events = store_.read(at, std::min<std::int64_t>(1000, until - at));
    if (events.empty()) break;
    for (const auto& event : events) {
      at = event.sequence;
      if (event.sequence > until) break;
      if (const auto* undo = std::get_if<feedback::Undo>(&event.body)) said.erase(undo->answer);
      const auto* answer = std::get_if<feedback::Answer>(&event.body);
      if (!answer) continue;
      said.erase(event.revises);
      const auto* comparison = std::get_if<feedback::Comparison>(&answer->said);
      if (comparison && !comparison->incomparable) said[event.sequence] = {event.question, *comparison};
    }
  }
  std::vector<ClipComparison> result;
  for (const auto& [sequence, one] : said) {
    const auto question = store_.question(one.first);
    const auto clip = [&](std::size_t item) {
      return inputs_.of(*replayer_, data::segment_from_json(question->items.at(item).segment, question->id));
    };
    result.push_back({.first = clip(0),
                      .second = clip(1),
                      .preferred = one.second.tie         ? 0.5
                                   : one.second.best == 0 ? 1.0
                                                          : 0.0});
  }
  return result;
}

void Preferences::take_answers(std::int64_t index) {
  const auto until = answered_until(index);
  ensemble_.add(read_answers(cursor_, until));
  cursor_ = std::max(cursor_, until);
}

void Preferences::fit(std::int64_t updates) {
  if (updates > 0 && ensemble_.comparisons() > 0) last_fit_ = ensemble_.fit(updates);
}

double Preferences::test_accuracy() const {
  std::vector<ClipComparison> pairs;
  for (const auto& [first, second] : test_) {
    const double gap = true_return(first.segment) - true_return(second.segment);
    if (gap != 0) pairs.push_back({.first = first.inputs, .second = second.inputs, .preferred = gap > 0 ? 1.0 : 0.0});
  }
  return ensemble_.accuracy(pairs);
}

std::vector<Preferences::Judged> Preferences::test_clips() const {
  std::vector<Judged> clips;
  for (const auto& [first, second] : test_)
    for (const auto* clip : {&first, &second})
      clips.push_back({ensemble_.rewards(clip->inputs).sum().item<double>(), true_return(clip->segment)});
  return clips;
}

std::vector<Preferences::Judged> Preferences::test_margins() const {
  if (test_.empty()) return {};
  std::vector<ClipComparison> pairs;
  for (const auto& [first, second] : test_) pairs.push_back({.first = first.inputs, .second = second.inputs});
  const auto chances = ensemble_.probabilities(pairs).mean(0).to(at::kDouble).clamp(1e-9, 1 - 1e-9).logit().contiguous();
  std::vector<Judged> margins;
  for (std::size_t i = 0; i < test_.size(); ++i)
    margins.push_back({chances.const_data_ptr<double>()[i],
                       true_return(test_[i].first.segment) - true_return(test_[i].second.segment)});
  return margins;
}

void Preferences::log(MetricRow& row) const {
  row.add("preferences/labels", static_cast<double>(labels()));
  row.add("preferences/asked", static_cast<double>(asked_));
  row.add("preferences/steps", static_cast<double>(steps_));
  row.add("preferences/scheduled",
          static_cast<double>(exploring() ? 0 : autolabels_ + labels_by(config_, steps_, total_steps_)));
  row.add("reward_model/loss", last_fit_.loss);
  row.add("reward_model/heldout_loss", last_fit_.heldout_loss);
  row.add("reward_model/accuracy", last_fit_.accuracy);
  row.add("reward_model/heldout_accuracy", last_fit_.heldout_accuracy);
  row.add("reward_model/l2", last_fit_.l2);
  row.add("reward_model/correlation", correlation_);
}

void Preferences::save(State& state) {
  ensemble_.save(state, "reward");
  returns_.sync();
  auto record = nlohmann::json{
      {"asked", asked_}, {"autolabels", autolabels_}, {"cursor", cursor_}, {"returns", returns_.size()}, {"clips", nlohmann::json::array()}, {"test", nlohmann::json::array()}};
  for (const auto& clip : clips_) record["clips"].push_back(data::to_json(clip.segment));
  for (const auto& [first, second] : test_)
    record["test"].push_back({data::to_json(first.segment), data::to_json(second.segment)});
  for (const auto& [episode, steps, predicted, earned, from_start] : stretches_)
    record["stretches"].push_back({episode, steps, predicted, earned, from_start});
  state.values["preferences"] = record;
  novelty_.save(state, "novelty");
}

void Preferences::restore(const State& state) {
  const auto& record = state.values.at("preferences");
  novelty_.restore(state, "novelty");
  const auto clip = [this](const nlohmann::json& json) {
    auto segment = data::segment_from_json(json, "checkpoint");
    auto inputs = inputs_.of(*replayer_, segment);
    return Clip{std::move(segment), std::move(inputs)};
  };
  for (const auto& segment : record.at("clips")) clips_.push_back(clip(segment));
  for (const auto& pair : record.at("test")) test_.emplace_back(clip(pair.at(0)), clip(pair.at(1)));
  asked_ = record.at("asked");
  autolabels_ = record.at("autolabels");
  for (const auto& sum : record.value("stretches", nlohmann::json::array()))
    stretches_.push_back({sum.at(0), sum.at(1), sum.at(2), sum.at(3), sum.at(4)});
  const std::int64_t cursor = record.at("cursor");
  for (const auto& [index, until] : journal_) {  // as they came: what was taken back later had already been learnt from
    if (until > cursor) break;
    ensemble_.add(read_answers(cursor_, until));
    cursor_ = std::max(cursor_, until);
  }
  ensemble_.restore(state, "reward");
}

}  // namespace rlhf::control
