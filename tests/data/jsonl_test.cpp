#include "rlhf/data/readers/jsonl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/core/scratch_folder.h"

namespace rlhf::data {
namespace {

std::vector<JsonlRow> all_rows(JsonlReader reader) {
  std::vector<JsonlRow> rows;
  while (auto row = reader.next()) rows.push_back(std::move(*row));
  return rows;
}

std::vector<JsonlRow> rows_of(std::string bytes, std::string name = "a.jsonl", const JsonlLimits& limits = {}) {
  return all_rows(JsonlReader::from_text(std::move(bytes), std::move(name), limits));
}

std::string message_of(std::string bytes, std::string name = "a.jsonl", const JsonlLimits& limits = {}) {
  return error_of([&] { rows_of(std::move(bytes), std::move(name), limits); }).what();
}

void write_gzip(const std::filesystem::path& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

std::string many_rows() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "{\"number\": " + std::to_string(i * 7919 % 100003) + "}\n";
  return text;
}

TEST(Jsonl, RowsKnowTheirLines) {
  const auto rows = rows_of("\xEF\xBB\xBF{\"a\": 1}\r\n\n  \t\r\n[2]\n\"three\"");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].value, nlohmann::json({{"a", 1}}));
  EXPECT_EQ(rows[0].where, "a.jsonl:1");
  EXPECT_EQ(rows[1].value, nlohmann::json::array({2}));
  EXPECT_EQ(rows[1].where, "a.jsonl:4");
  EXPECT_EQ(rows[2].value, "three");
  EXPECT_EQ(rows[2].number, 5);
}

TEST(Jsonl, NothingIsARowOfNothing) {
  EXPECT_TRUE(rows_of("").empty());
  EXPECT_TRUE(rows_of("\n\n\r\n").empty());
  EXPECT_TRUE(rows_of("\xEF\xBB\xBF").empty());
}

TEST(Jsonl, LinesLongerThanTheBuffer) {
  const std::string text(300000, 'x');
  const auto rows = rows_of("{\"t\": \"" + text + "\"}\n{\"t\": \"" + text + "y\"}\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].value["t"].get<std::string>(), text + "y");
}

TEST(Jsonl, GzipIsReadAsPlain) {
  ScratchFolder folder;
  const auto text = many_rows();
  write_gzip(folder / "a.jsonl.gz", text);
  std::ofstream(folder / "a.jsonl") << text;
  const auto plain = all_rows(JsonlReader::open(folder / "a.jsonl")),
             zipped = all_rows(JsonlReader::open(folder / "a.jsonl.gz"));
  ASSERT_EQ(plain.size(), 20000u);
  ASSERT_EQ(zipped.size(), plain.size());
  for (std::size_t i = 0; i < plain.size(); i += 997) EXPECT_EQ(zipped[i].value, plain[i].value);
}

TEST(Jsonl, CutAndDamagedGzip) {
  ScratchFolder folder;
  const auto path = folder / "a.jsonl.gz";
  write_gzip(path, many_rows());
  const auto size = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, size / 2);
  const auto cut = error_of([&] { all_rows(JsonlReader::open(path)); });
  EXPECT_EQ(cut.category(), Category::bad_data);
  EXPECT_NE(cut.problem().find("the gzip stream is cut short: it ends after"), std::string::npos) << cut.what();

  write_gzip(path, many_rows());
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size) / 2);
  file.write("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
  file.close();
  const auto damaged = error_of([&] { all_rows(JsonlReader::open(path)); });
  EXPECT_EQ(damaged.category(), Category::bad_data);
}

TEST(Jsonl, ADocumentIsAListOfRows) {
  const auto rows = rows_of(" [ {\"a\": 1},\n {\"a\": 2} ]\n", "labels.json");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].where, "labels.json[1]");
  EXPECT_EQ(message_of("{\"a\": 1}", "labels.json"),
            "labels.json: the document is one object; a list of rows was expected. If it has one row a line, give it a "
            "name that ends in .jsonl.");
  EXPECT_THAT(message_of("[1,\n2,\n}", "labels.json"),
              testing::StartsWith("labels.json:3:1: this is not valid JSON: unexpected"));
}

TEST(Jsonl, MessagesNameLineAndByte) {
  EXPECT_THAT(message_of("{}\n{\"a\": nope}\n"),
              testing::StartsWith("a.jsonl:2:8: this is not valid JSON: invalid literal"));
  EXPECT_THAT(message_of("{\"a\": 1"), testing::StartsWith("a.jsonl:1:8: this is not valid JSON: unexpected end of input"));
  EXPECT_EQ(message_of("{}\n\n{\"a\": \"x\xFFy\"}"),
            "a.jsonl:3:9: the text is not valid UTF-8. Convert the file to UTF-8, for example with iconv.");
  EXPECT_EQ(message_of("[[[[1]]]]", "a.jsonl", {.depth = 3}),
            "a.jsonl:1:4: lists and objects are nested more than 3 deep.");
  EXPECT_EQ(message_of("{}\n{\"a\": \"0123456789\"}", "a.jsonl", {.line_bytes = 10}),
            "a.jsonl:2: the line is longer than 10 bytes. Each row belongs on a line of its own; a JSON array needs a "
            "name that ends in .json.");
  EXPECT_EQ(message_of("[1, 2, 3]", "a.json", {.document_bytes = 5}),
            "a.json: the document is larger than 5 bytes and would have to fit in memory. Convert it to JSONL (one row "
            "a line), which is read row by row.");
  EXPECT_EQ(message_of(std::string("\xFF\xFE{\0}\0", 6)),
            "a.jsonl:1: the file is UTF-16; UTF-8 was expected. Convert it: iconv -f UTF-16 -t UTF-8 FILE.");
  EXPECT_THAT(message_of("1e999"), testing::StartsWith("a.jsonl:1:1: this JSON cannot be held: number overflow"));
}

TEST(Jsonl, FilesThatAreNone) {
  ScratchFolder folder;
  EXPECT_EQ(error_of([&] { JsonlReader::open(folder / "gone.jsonl"); }).problem(), "there is no such file");
  EXPECT_EQ(error_of([&] { JsonlReader::open(folder.path()); }).problem(),
            "this is a folder; a JSONL file was expected");
}

TEST(Jsonl, DeepNestingDoesNotOverflowTheStack) {
  EXPECT_EQ(error_of([] { rows_of(std::string(5000000, '[')); }).category(), Category::bad_data);
}

RC_GTEST_PROP(Jsonl, AnyBytesGiveRowsOrAnError, (const std::string& bytes, bool document)) {
  try {
    rows_of(bytes, document ? "a.json" : "a.jsonl");
  } catch (const Error& error) {
    RC_ASSERT(error.category() == Category::bad_data);
  }
}

RC_GTEST_PROP(Jsonl, DamagedRowsGiveRowsOrAnError, (std::uint16_t at, char byte)) {
  std::string bytes = R"({"prompt": [{"role": "user", "content": "é 😀 \u00e9 \n"}], "n": [1.5e3, -2, true, null]})";
  bytes[at % bytes.size()] = byte;
  try {
    rows_of(bytes);
  } catch (const Error& error) {
    RC_ASSERT(error.category() == Category::bad_data);
  }
}

}  // namespace
}  // namespace rlhf::data
