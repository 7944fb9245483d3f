#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "rlhf/feedback/exchange/formats.h"

namespace rlhf::feedback::exchange {

/// What was judged as rows of that format; `report` says what was left out before.
Sheet rows_of(const Format& format, const std::vector<Judged>& judged, Report report);

/// Rows as the text of a file. With `split_column`, each row tells its side of the split in a column "split".
std::string file_text(const Format& format, const std::vector<Row>& rows, bool split_column = false);

/// Reads a file of that format. A question that several rows ask becomes one with several answers. Its id is made of
/// format and content. Rows that cannot be used are counted with file, line and reason; a file without a usable row
/// throws rlhf::Error (bad_data).
std::vector<Judged> read_file(const std::string& file, const Format& format, Report& report);

/// The log as JSONL, one event a line, numbered 1, 2, ...: reading it into an empty store and writing that gives the
/// same bytes, but for redactions: they are written, and a store that never held what they removed takes none.
std::string events_text(const std::vector<Event>& events, Report& report);
std::vector<Event> read_events(const std::string& file);

/// Questions and answers as events, to be replayed.
std::vector<Event> events_of(const std::vector<Judged>& judged);

/// Publishes, answers, takes back, ... as the events say, at the times they say. Throws rlhf::Error (check) for what
/// contradicts the store. Each event is one durable write.
void replay(const std::vector<Event>& events, const std::string& location, StoreOptions options = {});

}  // namespace rlhf::feedback::exchange
