import type { Sample } from "./types";

export interface PromptSamples { key: string; prompt: string; samples: Sample[] }

/// Samples by prompt, in the order the prompts first came; only those that contain all `words`.
export function byPrompt(samples: readonly Sample[], words = ""): PromptSamples[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, PromptSamples>();
  for (const sample of samples) {
    const text = `${sample.prompt}\n${sample.completion}`.toLowerCase();
    if (!wanted.every((word) => text.includes(word))) continue;
    const key = sample.prompt_id ?? sample.prompt;
    const group = groups.get(key) ?? { key, prompt: sample.prompt, samples: [] };
    group.samples.push(sample);
    groups.set(key, group);
  }
  return [...groups.values()];
}

export const stepsOf = (samples: readonly Sample[]): number[] => [...new Set(samples.map((sample) => sample.step))].sort((a, b) => a - b);
