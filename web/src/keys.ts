// Every action of the pages that has a key. Keys were chosen after the papers' own screens: arrows for clips (Christiano et al.
// 2017), a row of numbers for strengths, Ctrl+Enter to send while writing.

export type Scope = "page" | "compare" | "rank" | "rate" | "rules" | "evidence" | "spans" | "chat" | "clips" | "live" | "play";
export interface Action { id: string; scope: Scope; label: string; keys: string[]; fixed?: boolean }

/// Scopes that can be offered at the same time. Two parts of a form never are: keys go to the part at hand.
export const together: Scope[][] = [
  ["page", "clips", "compare"], ["page", "clips", "rank"], ["page", "clips", "rate"], ["page", "clips", "rules"],
  ["page", "evidence"], ["page", "spans"], ["page", "chat", "compare"], ["page", "chat", "rate"], ["page", "live"],
];

const digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];
const digitKeys = (scope: Scope, label: string): Action => ({ id: `${scope}.digit`, scope, label, keys: digits, fixed: true });

export const actions: Action[] = [
  { id: "submit", scope: "page", label: "Send the answer", keys: ["Enter", "Mod+Enter"] },
  { id: "undo", scope: "page", label: "Take back the last answer", keys: ["Mod+z", "z"] },
  { id: "skip", scope: "page", label: "Skip, with a reason", keys: ["s"] },
  { id: "flag", scope: "page", label: "Flag a problem", keys: ["f"] },
  { id: "comment", scope: "page", label: "Write a comment", keys: ["c"] },
  { id: "confidence", scope: "page", label: "How sure: next step", keys: ["v"] },
  { id: "guideline", scope: "page", label: "Guideline and examples", keys: ["g"] },
  { id: "history", scope: "page", label: "Earlier answers", keys: ["h"] },
  { id: "settings", scope: "page", label: "Settings", keys: ["e"] },
  { id: "help", scope: "page", label: "All shortcuts", keys: ["?"] },
  { id: "row.next", scope: "page", label: "Next thing to answer", keys: ["j"] },
  { id: "row.previous", scope: "page", label: "Previous thing to answer", keys: ["k"] },
  { id: "hints.open", scope: "page", label: "Open a hint", keys: ["p"] },
  { id: "hints.wrong", scope: "page", label: "The last hint is wrong", keys: ["m"] },
  { id: "diff", scope: "page", label: "Show differences", keys: ["d"] },
  { id: "sync", scope: "page", label: "Scroll together", keys: ["l"] },
  { id: "save", scope: "page", label: "Keep the draft", keys: ["Mod+s"] },
  { id: "leave", scope: "page", label: "Leave the text field", keys: ["Escape"], fixed: true },

  { id: "compare.left", scope: "compare", label: "Towards the left one", keys: ["ArrowLeft"] },
  { id: "compare.right", scope: "compare", label: "Towards the right one", keys: ["ArrowRight"] },
  { id: "compare.far_left", scope: "compare", label: "Left one, strongest", keys: ["Shift+ArrowLeft"] },
  { id: "compare.far_right", scope: "compare", label: "Right one, strongest", keys: ["Shift+ArrowRight"] },
  { id: "compare.tie", scope: "compare", label: "Equally good", keys: ["ArrowUp", "t"] },
  { id: "compare.incomparable", scope: "compare", label: "Cannot be compared", keys: ["ArrowDown"] },
  { id: "compare.both_bad", scope: "compare", label: "None is acceptable", keys: ["b"] },
  digitKeys("compare", "Choose by number"),

  digitKeys("rank", "Give this place (type 1 0 for 10)"),
  { id: "rank.up", scope: "rank", label: "Previous item", keys: ["ArrowUp"] },
  { id: "rank.down", scope: "rank", label: "Next item", keys: ["ArrowDown"] },
  { id: "rank.better", scope: "rank", label: "Move the item up", keys: ["Shift+ArrowUp"] },
  { id: "rank.worse", scope: "rank", label: "Move the item down", keys: ["Shift+ArrowDown"] },
  { id: "rank.tie", scope: "rank", label: "As good as the one above", keys: ["t"] },
  { id: "rank.clear", scope: "rank", label: "Take it out of the order", keys: ["Delete", "Backspace"] },

  digitKeys("rate", "Give this value"),
  { id: "rate.less", scope: "rate", label: "One step less", keys: ["ArrowLeft"] },
  { id: "rate.more", scope: "rate", label: "One step more", keys: ["ArrowRight"] },
  { id: "rate.up", scope: "rate", label: "Previous scale", keys: ["ArrowUp"] },
  { id: "rate.down", scope: "rate", label: "Next scale", keys: ["ArrowDown"] },

  { id: "rules.ok", scope: "rules", label: "Keeps the rule", keys: ["o", "1"] },
  { id: "rules.breach", scope: "rules", label: "Breaks the rule", keys: ["b", "2"] },
  { id: "rules.unsure", scope: "rules", label: "Unsure", keys: ["u", "3"] },
  { id: "rules.up", scope: "rules", label: "Previous rule", keys: ["ArrowUp"] },
  { id: "rules.down", scope: "rules", label: "Next rule", keys: ["ArrowDown"] },

  { id: "evidence.yes", scope: "evidence", label: "Yes", keys: ["y", "1"] },
  { id: "evidence.no", scope: "evidence", label: "No", keys: ["n", "2"] },
  { id: "evidence.unsure", scope: "evidence", label: "Unsure", keys: ["u", "3"] },
  { id: "evidence.up", scope: "evidence", label: "Previous line", keys: ["ArrowUp"] },
  { id: "evidence.down", scope: "evidence", label: "Next line", keys: ["ArrowDown"] },

  { id: "spans.next", scope: "spans", label: "Next word", keys: ["ArrowRight"] },
  { id: "spans.previous", scope: "spans", label: "Previous word", keys: ["ArrowLeft"] },
  { id: "spans.longer", scope: "spans", label: "Select one word more", keys: ["Shift+ArrowRight"] },
  { id: "spans.shorter", scope: "spans", label: "Select one word less", keys: ["Shift+ArrowLeft"] },
  { id: "spans.letter_more", scope: "spans", label: "Select one letter more", keys: ["Alt+Shift+ArrowRight"] },
  { id: "spans.letter_less", scope: "spans", label: "Select one letter less", keys: ["Alt+Shift+ArrowLeft"] },
  { id: "spans.remove", scope: "spans", label: "Remove the mark here", keys: ["Delete", "Backspace"] },
  { id: "spans.remark", scope: "spans", label: "Write a remark", keys: ["r"] },
  digitKeys("spans", "Mark the selection"),

  { id: "chat.end", scope: "chat", label: "End the conversation", keys: ["x"] },
  { id: "chat.write", scope: "chat", label: "Write a message", keys: ["w"] },
  { id: "chat.edit", scope: "chat", label: "Edit the chosen reply", keys: ["i"] },

  { id: "clips.pause", scope: "clips", label: "Pause or go on", keys: ["Space"] },
  { id: "clips.replay", scope: "clips", label: "From the beginning", keys: ["r"] },
  { id: "clips.slower", scope: "clips", label: "Slower", keys: ["-"] },
  { id: "clips.faster", scope: "clips", label: "Faster", keys: ["+", "="] },
  { id: "clips.back", scope: "clips", label: "One frame back", keys: [","] },
  { id: "clips.forward", scope: "clips", label: "One frame on", keys: ["."] },

  { id: "live.good", scope: "live", label: "Good", keys: ["w", "ArrowUp"] },
  { id: "live.bad", scope: "live", label: "Bad", keys: ["a", "ArrowDown"] },
  { id: "live.great", scope: "live", label: "Great", keys: ["q"] },
  { id: "live.undo", scope: "live", label: "Take back the last press", keys: ["u", "Backspace"] },
  { id: "live.pause", scope: "live", label: "Pause or go on", keys: ["Space"] },
  { id: "live.slower", scope: "live", label: "Slower", keys: ["-"] },
  { id: "live.faster", scope: "live", label: "Faster", keys: ["+", "="] },

  // Fixed: the environment's own keys are chosen around them (rlhf/environments/keyboard.h).
  { id: "play.pause", scope: "play", label: "Pause or go on", keys: ["Space"], fixed: true },
  { id: "play.reset", scope: "play", label: "Start again", keys: ["r"], fixed: true },
  { id: "play.slower", scope: "play", label: "Slower", keys: ["-"], fixed: true },
  { id: "play.faster", scope: "play", label: "Faster", keys: ["+", "="], fixed: true },
  { id: "play.keep", scope: "play", label: "Keep the last episode", keys: ["k"], fixed: true },
  { id: "play.throw_away", scope: "play", label: "Throw the last episode away", keys: ["x"], fixed: true },
];

export const scopeNames: Record<Scope, string> = {
  page: "Everywhere", compare: "Comparing", rank: "Ranking", rate: "Rating", rules: "Rules", evidence: "Evidence",
  spans: "Marking passages", chat: "Conversation", clips: "Clips", live: "Teaching live", play: "Playing",
};
