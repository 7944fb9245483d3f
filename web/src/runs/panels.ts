// Which metrics share a chart. A chart whose metrics a run does not log is left out; what no chart names is offered below them.

import type { SeriesTone } from "../charts/Chart";
import type { Group } from "./settings";
import type { Columns } from "./table";

export interface Curve { metric: string; name: string; tone: SeriesTone; smooth?: boolean; dots?: boolean; right?: boolean; low?: string; high?: string; dashed?: boolean }
export interface Panel { title: string; caption: string; curves: Curve[]; from_zero?: boolean; line?: "kl_target" }

export const panels: Panel[] = [
  {
    title: "Gold and proxy", caption: "held-out prompts; the proxy has its own axis",
    curves: [
      { metric: "evaluation/gold", name: "Gold", tone: "gold", dots: true, low: "evaluation/gold_low", high: "evaluation/gold_high" },
      { metric: "evaluation/learned", name: "Proxy", tone: "learned", dots: true, right: true },
    ],
  },
  {
    title: "Reward in training", caption: "batch mean; below, less the KL penalty",
    curves: [
      { metric: "objective/scores", name: "Score", tone: "learned", smooth: true },
      { metric: "objective/rlhf_reward", name: "Reward", tone: "plain", smooth: true },
    ],
  },
  {
    title: "Distance from the start", caption: "KL, nats a completion", from_zero: true, line: "kl_target",
    curves: [
      { metric: "objective/kl", name: "Training", tone: "plain", smooth: true },
      { metric: "evaluation/kl", name: "Held-out", tone: "judge", dots: true, dashed: true },
    ],
  },
  {
    title: "Preferred over the start", caption: "share of comparisons on held-out prompts",
    curves: [
      { metric: "evaluation/win_rate", name: "Gold", tone: "gold", dots: true, low: "evaluation/win_low", high: "evaluation/win_high" },
      { metric: "evaluation/judge_win_rate", name: "Judge", tone: "judge", dots: true },
    ],
  },
  { title: "Entropy", caption: "nats a token", from_zero: true, curves: [{ metric: "policy/entropy_avg", name: "Training", tone: "plain", smooth: true }, { metric: "evaluation/entropy", name: "Held-out", tone: "judge", dots: true, dashed: true }] },
  { title: "Length", caption: "tokens a completion", from_zero: true, curves: [{ metric: "completions/mean_length", name: "Training", tone: "plain", smooth: true }, { metric: "evaluation/length", name: "Held-out", tone: "judge", dots: true, dashed: true }] },
  { title: "Policy loss", caption: "clipped surrogate; near zero is normal", curves: [{ metric: "loss/policy_avg", name: "Loss", tone: "plain", smooth: true }] },
  { title: "Value loss", caption: "error of the critic", from_zero: true, curves: [{ metric: "loss/value_avg", name: "Loss", tone: "plain", smooth: true }] },
  { title: "Loss", caption: "nats a token, or a pair", curves: [{ metric: "loss", name: "Training", tone: "plain", smooth: true }, { metric: "eval_loss", name: "Held-out", tone: "judge", dots: true }] },
  { title: "Reward model", caption: "share of pairs ordered as the labeler did", curves: [{ metric: "reward_model/accuracy", name: "Trained on", tone: "plain", dots: true, dashed: true }, { metric: "reward_model/eval_accuracy", name: "Held-out", tone: "learned", dots: true }] },
  { title: "Clipped share", caption: "tokens whose ratio left the trust region", from_zero: true, curves: [{ metric: "policy/clipfrac_avg", name: "Policy", tone: "plain", smooth: true }] },
  { title: "KL coefficient", caption: "price of a nat of distance", from_zero: true, curves: [{ metric: "kl/coefficient", name: "Coefficient", tone: "plain" }] },
  { title: "Gradient norm", caption: "before clipping", from_zero: true, curves: [{ metric: "grad_norm", name: "Norm", tone: "plain", smooth: true }] },
  { title: "Learning rate", caption: "", from_zero: true, curves: [{ metric: "lr", name: "Rate", tone: "plain" }] },
];

/// One measurement makes no curve.
export const drawable = (columns: Columns, metric: string): boolean => columns.has(metric) && columns.column(metric).filter((value) => value !== null).length > 1;

export function shownPanels(columns: Columns): Panel[] {
  return panels.map((panel) => ({ ...panel, curves: panel.curves.filter((curve) => drawable(columns, curve.metric)) })).filter((panel) => panel.curves.length > 0);
}

const aside = /^(evaluation\/(?:.*_(?:low|high)|samples|prompts|wins|ties|losses)|time)$/;

/// What is logged and on no panel.
export function otherMetrics(columns: Columns): string[] {
  const used = new Set(panels.flatMap((panel) => panel.curves.map((curve) => curve.metric)));
  return columns.names.filter((name) => !used.has(name) && !aside.test(name) && drawable(columns, name));
}

/// The KL that an adaptive controller aims at; null where nothing aims.
export function klTarget(groups: Group[]): number | null {
  const group = groups.find((one) => one.name === "kl" || one.name.endsWith(".kl"));
  const value = (key: string) => group?.settings.find((one) => one.key === key && !one.unset)?.value;
  if (!value("control")?.includes("adaptive")) return null;
  const target = Number(value("target"));
  return Number.isFinite(target) ? target : null;
}
