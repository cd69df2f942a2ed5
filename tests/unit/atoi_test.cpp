// Numbers from the environment: what Go's atoi takes and refuses.
// SOURCES: runtime/base/atoi.cpp
#include <cinttypes>
#include <cstdio>
#include <random>
#include <string>

#include "runtime/base/atoi.h"
#include "tests/unit/catch.h"

using runtime::atoi;
using runtime::atoi32;

TEST_CASE("atoi takes what Go's takes", "[atoi]") {
  struct {
    const char* text;
    std::int64_t value;
  } good[] = {
      {"0", 0},
      {"-0", 0},
      {"00012", 12},
      {"-1", -1},
      {"+1", 1},
      {"+0", 0},
      {"12345", 12345},
      {"98765432100", 98765432100},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"-9223372036854775807", INT64_MIN + 1},
  };
  for (auto& c : good) {
    std::int64_t v = 77;
    CAPTURE(c.text);
    CHECK(atoi(c.text, &v));
    CHECK(v == c.value);
  }
}

TEST_CASE("atoi refuses what Go's refuses and then leaves the value alone", "[atoi]") {
  for (const char* text : {"", "-", "+", "--1", "+-1", "-+1", "++1", " 1", "1 ", "1x", "x", "0x10", "1_000", "1.0", "-12345x",
                           "9223372036854775808", "-9223372036854775809", "18446744073709551616",
                           "20496382327982653440", "99999999999999999999999999", "\xd9\xa3"}) {
    std::int64_t v = 77;
    CAPTURE(text);
    CHECK_FALSE(atoi(text, &v));
    CHECK(v == 77);
  }
  std::int64_t v = 77;
  CHECK_FALSE(atoi(static_cast<const char*>(nullptr), &v));
}

TEST_CASE("atoi32 takes 32 bits and no more", "[atoi]") {
  std::int32_t v = 77;
  CHECK((atoi32("2147483647", &v) && v == INT32_MAX));
  CHECK((atoi32("-2147483648", &v) && v == INT32_MIN));
  v = 77;
  for (const char* text : {"2147483648", "-2147483649", "4294967297", "9223372036854775808", "", "-"}) {
    CAPTURE(text);
    CHECK_FALSE(atoi32(text, &v));
    CHECK(v == 77);
  }
}

TEST_CASE("atoi reads back any printed number, and a view ends where it ends", "[atoi]") {
  std::mt19937_64 rng(5);
  for (int i = 0; i < 20000; i++) {
    auto want = static_cast<std::int64_t>(rng()) >> (rng() % 64);
    std::string s = std::to_string(want);
    std::int64_t v = 0;
    REQUIRE(atoi(s.c_str(), &v));
    REQUIRE(v == want);
    std::string more = s + "7,gctrace=1";
    REQUIRE(atoi(std::string_view(more.data(), s.size()), &v));
    REQUIRE(v == want);
  }
}
