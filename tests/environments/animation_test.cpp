#include "rlhf/environments/animation.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <vector>

#include "rlhf/environments/cart_pole.h"
#include "rlhf/environments/rollout.h"
#include "rlhf/environments/scripted_agent.h"
#include "tests/core/scratch_folder.h"

namespace rlhf::environments {
namespace {

std::uint32_t number_at(const std::string& bytes, std::size_t at, int size = 4) {
  std::uint32_t number = 0;
  for (int i = 0; i < size; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
  return number;
}

std::string number_of(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

std::uint32_t check_sum(const std::string& bytes) {
  return static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), uInt(bytes.size())));
}

struct Chunk {
  std::string name, content;
};

std::vector<Chunk> chunks_of(const std::string& file) {
  std::vector<Chunk> chunks;
  for (std::size_t at = 8; at < file.size();) {
    const auto length = number_at(file, at);
    chunks.push_back({file.substr(at + 4, 4), file.substr(at + 8, length)});
    EXPECT_EQ(number_at(file, at + 8 + length), check_sum(file.substr(at + 4, 4 + length)));
    at += 12 + length;
  }
  return chunks;
}

struct Played {
  std::vector<Image> frames;
  double seconds = 0;
};

/// Plays the file as the specification says: a frame's rectangle is written over what the last one left.
Played play(const std::string& file) {
  Played played;
  Image screen;
  std::string header, control;
  std::uint32_t next = 0;
  for (const auto& [name, content] : chunks_of(file)) {
    if (name == "IHDR")
      header = content, screen = {.width = int(number_at(content, 0)), .height = int(number_at(content, 4))};
    if (name == "fcTL" || name == "fdAT") EXPECT_EQ(number_at(content, 0), next++);
    if (name == "fcTL") {
      control = content;
      played.seconds += double(number_at(content, 20, 2)) / number_at(content, 22, 2);
    }
    if (name != "IDAT" && name != "fdAT") continue;
    std::string png = file.substr(0, 8);
    const auto add = [&](const std::string& of, const std::string& bytes) {
      png += number_of(std::uint32_t(bytes.size())) + of + bytes + number_of(check_sum(of + bytes));
    };
    add("IHDR", control.substr(4, 8) + header.substr(8));
    add("IDAT", name == "IDAT" ? content : content.substr(4));
    add("IEND", "");
    const auto part = decode_png(png);
    screen.rgb.resize(std::size_t(screen.width) * screen.height * 3);
    const auto x = number_at(control, 12), y = number_at(control, 16);
    for (int row = 0; row < part.height; ++row)
      std::copy_n(part.rgb.begin() + std::ptrdiff_t(row) * part.width * 3, part.width * 3,
                  screen.rgb.begin() + (std::ptrdiff_t(y + row) * screen.width + x) * 3);
    played.frames.push_back(screen);
  }
  return played;
}

TEST(Animation, PlaysFrameByFrameAsItWasMade) {
  CartPole world;
  Random random(3);
  const auto agent = random_choice(world.spec());
  world.reset(5);
  std::vector<Image> frames = {world.render(120, 80)};
  for (int t = 0; t < 8; ++t) {
    world.step(agent({}, random));
    frames.push_back(world.render(120, 80));
    if (t == 3) frames.push_back(frames.back());  // nothing moves
  }
  const auto file = encode_animation(frames, 30);
  const auto played = play(file);
  ASSERT_EQ(played.frames.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(played.frames[i], frames[i]) << "frame " << i;
  EXPECT_NEAR(played.seconds, double(frames.size()) / 30, 0.0006);  // of exact times, half a millisecond at the end
  EXPECT_EQ(encode_animation(frames, 30), file);
  EXPECT_LT(file.size(), encode_png(frames[0]).size() * frames.size());
  EXPECT_EQ(decode_png(file), frames[0]);  // who knows no animation sees the first frame
}

TEST(Animation, RefusesWhatCannotBePlayed) {
  const Image small{.width = 1, .height = 1, .rgb = {1, 2, 3}},
      wide{.width = 2, .height = 1, .rgb = {1, 2, 3, 4, 5, 6}};
  const auto refused = [](std::vector<Image> frames, double rate) {
    return error_of([&] { encode_animation(frames, rate); }).category() == Category::usage;
  };
  EXPECT_TRUE(refused({}, 10));
  EXPECT_TRUE(refused({small, wide}, 10));
  EXPECT_TRUE(refused({small}, 0));
}

}  // namespace
}  // namespace rlhf::environments
