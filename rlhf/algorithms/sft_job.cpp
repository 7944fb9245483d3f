#include "rlhf/algorithms/jobs.h"
#include "rlhf/algorithms/sft.h"
#include "rlhf/data/preflight.h"
#include "rlhf/data/readers/rows.h"

namespace rlhf::algorithms {
namespace {

class SftJob final : public Job {
 public:
  explicit SftJob(models::ModelTable models) : models_(std::move(models)) {}

  void fields(Fields& f) override {
    model_.fields(f);
    f.field("data", data_, "rows {prompt, completion}, {messages} or {text}, JSONL");
    f.field("max_tokens", preflight_.encode.max_tokens, "longer rows are left out; 0 = no limit");
    f.field("allow_no_stop", preflight_.allow_no_stop, "train although nothing teaches the model to stop");
    f.field("allow_drops", preflight_.allow_drops, "train although more than 1% of the rows were left out");
    config_.fields(f);
  }

  void run(Run& run) override {
    config_.validate();
    const auto trainee = load_trainee(model_, models_, config_.seed);
    const auto prepared = data::prepare(data::read_demonstrations(data_), trainee.loaded.text, data_.string(), preflight_);
    run.write_file("preflight.json", data::to_json(prepared.report).dump(2));
    data::require_trainable(prepared.report, preflight_);
    train(trainee.model(), prepared.rows, config_, {.write_model = trainee.writer()}, run);
  }

 private:
  models::ModelTable models_;
  ModelSettings model_;
  std::filesystem::path data_;
  data::PreflightOptions preflight_;
  SftConfig config_;
};

}  // namespace

std::unique_ptr<Job> make_sft_job(models::ModelTable models) { return std::make_unique<SftJob>(std::move(models)); }

}  // namespace rlhf::algorithms
