#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "rlhf/data/encode.h"

namespace rlhf::data {

/// How many tokens rows have: exact order statistics and counts in bins that double (1, 2-3, 4-7, ...).
struct LengthHistogram {
  std::int64_t smallest = 0, median = 0, p95 = 0, largest = 0, total = 0;
  std::vector<std::int64_t> bins;  // bins[i]: rows of [2^i, 2^(i+1)) tokens
};
LengthHistogram length_histogram(std::span<const std::int64_t> lengths);

struct Dropped {
  std::int64_t rows = 0;
  std::string first;  // where the first of them is
};

/// A row as the model will see it, for people to look at.
struct ShownRow {
  std::string where;
  TokenIds ids;
  std::vector<std::uint8_t> mask;  // [ids], 1 = carries loss
};

/// What a data set is, before anything is trained on it.
struct Preflight {
  std::string source;
  std::int64_t read = 0, kept = 0;
  std::map<Problem, Dropped> dropped;
  LengthHistogram lengths;      // of kept rows: prompt and all completions
  std::int64_t tokens = 0;      // of kept rows
  std::int64_t supervised = 0;  // of these, carrying loss
  std::int64_t stopped = 0;     // kept rows whose learnt part ends with a stop token
  std::int64_t merged = 0;      // kept rows where one-piece encoding differs at the boundary
  std::vector<ShownRow> shown;  // the first few kept rows
};
nlohmann::json to_json(const Preflight& report);

struct PreflightOptions {
  EncodeOptions encode;
  bool allow_drops = false;    // train although more than 1% of the rows were dropped
  bool allow_no_stop = false;  // train although nothing teaches the model to stop
  int show = 3;                // rows kept for display
};

template <class Row>
struct Prepared {
  std::vector<Row> rows;
  std::vector<std::string> where;  // [rows], file:line
  Preflight report;
};

// Encode all rows and report. Nothing is thrown for a bad row: it is dropped and counted. Prompts may come twice, since
// what is sampled for each is a function of its id.
Prepared<Prompt> prepare(std::span<const Prompt> rows, const text::TextBundle& text, std::string source,
                         const PreflightOptions& options = {});
Prepared<Example> prepare(std::span<const Demonstration> rows, const text::TextBundle& text, std::string source,
                          const PreflightOptions& options = {});
Prepared<Comparison> prepare(std::span<const Preference> rows, const text::TextBundle& text, std::string source,
                             const PreflightOptions& options = {});
Prepared<Rating> prepare(std::span<const RatedCompletion> rows, const text::TextBundle& text, std::string source,
                         const PreflightOptions& options = {});

/// Throws rlhf::Error (bad_data, with the fix) when the set cannot train: no row left, a doubled beginning-of-text
/// token, nothing that ends with a stop token (unless allowed), or more than 1% dropped (unless allowed). Exact copies
/// of earlier rows do not count towards the 1%: leaving them out loses nothing.
void require_trainable(const Preflight& report, const PreflightOptions& options = {});

}  // namespace rlhf::data
