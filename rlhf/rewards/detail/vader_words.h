#pragma once
#include <array>
#include <string_view>
#include <utility>

namespace rlhf::rewards::detail {

// The words and numbers of VADER's rules (Hutto and Gilbert 2014, section 3.3, as published with version 3.3.2).

inline constexpr double strengthen = 0.293;  // a degree adverb that adds ("very"); one that weakens subtracts it
inline constexpr double emphasis = 0.733;    // ALL CAPS among words that are not
inline constexpr double negation = -0.74;    // factor of a negated word
inline constexpr double never_so = 1.25;     // factor after "never so", "never this"
inline constexpr double saturation = 15.0;   // sum / sqrt(sum^2 + saturation) is the compound

inline constexpr std::array negators = std::to_array<std::string_view>(
    {"aint",    "ain't",    "arent",    "aren't",    "cannot",  "cant",      "can't",    "couldnt", "couldn't", "darent",
     "daren't", "didnt",    "didn't",   "doesnt",    "doesn't", "dont",      "don't",    "hadnt",   "hadn't",   "hasnt",
     "hasn't",  "havent",   "haven't",  "isnt",      "isn't",   "mightnt",   "mightn't", "mustnt",  "mustn't",  "neednt",
     "needn't", "oughtnt",  "oughtn't", "shant",     "shan't",  "shouldnt",  "shouldn't", "wasnt",  "wasn't",   "werent",
     "weren't", "wont",     "won't",    "wouldnt",   "wouldn't", "neither",  "never",    "none",    "nope",     "nor",
     "not",     "nothing",  "nowhere",  "uhuh",      "uh-uh",   "without",   "rarely",   "seldom",  "despite"});

inline constexpr std::array strengtheners = std::to_array<std::string_view>(
    {"absolutely",   "amazingly",     "awfully",      "completely",  "considerable",  "considerably", "decidedly",
     "deeply",       "effing",        "enormous",     "enormously",  "entirely",      "especially",   "exceptional",
     "exceptionally", "extreme",      "extremely",    "fabulously",  "flipping",      "flippin",      "frackin",
     "fracking",     "fricking",      "frickin",      "frigging",    "friggin",       "fully",        "fuckin",
     "fucking",      "fuggin",        "fugging",      "greatly",     "hella",         "highly",       "hugely",
     "incredible",   "incredibly",    "intensely",    "major",       "majorly",       "more",         "most",
     "particularly", "purely",        "quite",        "really",      "remarkably",    "so",           "substantially",
     "thoroughly",   "total",         "totally",      "tremendous",  "tremendously",  "uber",         "unbelievably",
     "unusually",    "utter",         "utterly",      "very"});

inline constexpr std::array weakeners = std::to_array<std::string_view>(
    {"almost",     "barely",       "hardly",  "kinda",   "kindof",   "kind-of", "less",     "little",   "marginal",
     "marginally", "occasional",   "occasionally",       "partly",   "scarce",  "scarcely", "slight",   "slightly",
     "somewhat",   "sorta",        "sortof",  "sort-of"});

inline constexpr std::array weakening_phrases = std::to_array<std::string_view>({"just enough", "kind of", "sort of"});

/// Phrases whose valence replaces that of the word of the lexicon in or beside them.
inline constexpr std::array idioms = std::to_array<std::pair<std::string_view, double>>(
    {{"the shit", 3.0}, {"the bomb", 3.0}, {"bad ass", 1.5}, {"bus stop", 0.0}, {"yeah right", -2.0},
     {"kiss of death", -1.5}, {"to die for", 3.0}, {"beating heart", 3.5}});

}  // namespace rlhf::rewards::detail
