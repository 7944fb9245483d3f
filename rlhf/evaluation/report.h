#pragma once
#include <filesystem>
#include <string>

namespace rlhf::evaluation {

/// Makes one self-contained page (no script, no outside file) of a run folder:
///
///   run.json            optional  "name", "algorithm", "recipe", "model", "preset", "command", "started", "host";
///                                 "starts": [{"time", "machine": {"processor", "release"}}] as Run writes them;
///                                 "cost": {"seconds": {phase: s, ...}, "tokens": {"generated": n, "trained": n, ...},
///                                 "peak_memory_bytes": n}; "labels": {"total", "simulated", "human", "ties",
///                                 "skipped", "labeler", "flip_rate", "train", "held_out", "held_out_pairs"} (any may
///                                 be missing)
///   verdict.json        optional  "outcome", "headline", "findings" [{"code", "serious", "step", "text"}],
///                                 "best_step": what Verdict::to_json writes; made from evaluation.jsonl when missing
///   evaluation.jsonl    optional  rows {"step", "gold", "gold_low", "gold_high", "judge", "learned", "kl", "entropy",
///                                 "length", "distinct_1", "distinct_2", "repetition", "duplicates", "perplexity",
///                                 "win_rate", "win_low", "win_high", "wins", "ties", "losses", "judge_win_rate",
///                                 "samples", "prompts", "agreement": {"accuracy", "pearson", "spearman", "pairs"},
///                                 "calibration": {"error", "bins": [{"low", "high", "predicted", "observed",
///                                 "pairs"}]}}
///   metrics.jsonl       optional  rows {"step", name: number ...}; used: "objective/kl", "objective/kl_target",
///                                 "objective/entropy", "objective/scores", "completions/mean_length",
///                                 "loss/policy_avg", "loss/value_avg", "policy/clipfrac_avg", "kl/coefficient",
///                                 "reward_model/accuracy", "reward_model/eval_accuracy"
///   timing.jsonl        optional  "time/<phase>" in seconds a step; summed where run.json has no "cost"
///   samples.jsonl       optional  rows {"step", "prompt_id", "sample", "prompt", "completion", "gold", "learned",
///                                 "judge", "finish_reason"}; the first and last step are shown side by side
///   arms.jsonl          optional  rows {"arm", "seed", numbers under names...} of a study that compares arms, by
///                                 "return" or the score of its recipe (detail/report_studies.cpp). Curves are read
///                                 from arms/<arm>-<seed>/: curve.jsonl, looks during a lesson {"seconds" or "steps",
///                                 "signals", a score} (recipes/lesson.h; the head of session.jsonl beside it says
///                                 {"settings": {"rate": steps a second}}), else metrics.jsonl ("rollout/steps",
///                                 "rollout/ep_rew_mean")
///   arms/.../by_faults.csv, frozen.csv  optional  of a study of judging with help: "condition,faults,pairs,right" and
///                                 "rollouts,predicted,truth"; in arms.jsonl "best_of_<N>_truth" and
///                                 "depth_<levels>_error_<percent>_<single|ensemble>"
///   promises.json       optional  [{"name", "value", "min", "max", "passed"}]: what a recipe promised, what came out
///   agent.png           optional  an agent at play, an animated picture; and arms/<arm>-<seed>/agent.png
///   returns.jsonl       optional  rows {"step", "env", "length", "predicted", "earned"} of episodes of an agent that
///                                 learns from comparisons (control/preferences.h), here or in arms/<arm>-<seed>/; the
///                                 metrics beside it are then used, too: "preferences/steps", "preferences/labels",
///                                 "preferences/scheduled", "reward_model/accuracy", "reward_model/heldout_accuracy",
///                                 "reward_model/correlation"
///   learnt_reward.json  optional  {"clips": [{"predicted", "earned"}], "calibration": {"error", "bins"}} of the final
///                                 reward model, beside returns.jsonl (recipes/learnt_reward.h)
///   audit.jsonl         optional  rows {"steps", "predicted", "earned"[, "arm", "seed"]} of agents retrained on a
///                                 frozen reward model (control/reward_audit.h); shares, 0 = any action, 1 = the agent
///                                 it was made with
///   config.toml         optional  `key = value  # origin`; shown with its origins
///
/// A part whose file or keys are missing is left out of the page. The last line of a JSON Lines file may be cut short
/// (the run may still be writing); any other line that is no JSON is an rlhf::Error with file and line.
std::string report_page(const std::filesystem::path& run_folder);

/// Writes report_page to `<run_folder>/report.html`, replacing it in one step, and returns its path.
std::filesystem::path write_report(const std::filesystem::path& run_folder);

}  // namespace rlhf::evaluation
