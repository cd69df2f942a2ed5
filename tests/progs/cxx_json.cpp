// Two JSON libraries on goroutines without libc: a document of 50 MB is parsed and printed again by rapidjson and by
// nlohmann-json. check_cxx_json.py compiles the same source with -DPLAIN for libc's world and compares the results.
// RUN: %prog 2
// PROCS: 2
// TIMEOUT: 60
// STDOUT-MATCH: ^rapidjson: 2 MB, [0-9]+ records, sum [0-9.e+-]+, printed [0-9]+ bytes, hash [0-9a-f]{16}$
// STDOUT-MATCH: ^nlohmann: 2 MB, [0-9]+ records, sum [0-9.e+-]+, printed [0-9]+ bytes, hash [0-9a-f]{16}$
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#ifndef PLAIN
#include <boot/boot.h>
#endif

#if !defined(PLAIN) && !BOOT_HAVE_JSON
// The test then fails, and says why; a build without the tests' packages goes through.
void main_main() { boot::panic("nlohmann-json3-dev and rapidjson-dev are not installed"); }
#else
#include <nlohmann/json.hpp>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

// Records with all that JSON has: nesting, escapes, numbers of every kind. The same on every run.
static std::string document(std::size_t bytes, int seed) {
  std::uint64_t x = 88172645463325252u + static_cast<std::uint64_t>(seed);
  auto next = [&x] {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
  };
  fmt::memory_buffer b;
  b.push_back('[');
  for (std::uint64_t id = 0; b.size() < bytes; id++) {
    std::uint64_t r = next();
    fmt::format_to(
        fmt::appender(b),
        R"({}{{"id":{},"name":"n\u00e4me \"{:x}\"\n","score":{},"tags":["a","b{}",null,{}],"in":{{"x":{},"y":{}}}}})",
        id == 0 ? "" : ",\n", id, r, static_cast<double>(r % 1000003) / 1000, r % 10, r % 2 ? "true" : "false",
        -static_cast<std::int64_t>(r % 100000), static_cast<double>(next() % 1000000007) * 1e-12);
  }
  b.push_back(']');
  return fmt::to_string(b);
}

static std::uint64_t hash(std::string_view s) {
  std::uint64_t h = 14695981039346656037u;
  for (char c : s) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return h;
}

struct Result {
  std::size_t records = 0, printed = 0;
  double sum = 0;
  std::uint64_t h = 0;
};

static Result rapid(const std::string& text) {
  Result r;
  rapidjson::Document d;
  if (d.Parse(text.data(), text.size()).HasParseError()) std::abort();
  for (auto& e : d.GetArray()) {
    r.records++;
    r.sum += e["score"].GetDouble() + e["in"]["x"].GetInt() + e["in"]["y"].GetDouble();
  }
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> w(out);
  d.Accept(w);
  r.printed = out.GetSize();
  r.h = hash({out.GetString(), out.GetSize()});
  return r;
}

static Result nloh(const std::string& text) {
  Result r;
  auto d = nlohmann::json::parse(text);
  for (auto& e : d) {
    r.records++;
    r.sum += e["score"].get<double>() + e["in"]["x"].get<int>() + e["in"]["y"].get<double>();
  }
  std::string out = d.dump(1);
  r.printed = out.size();
  r.h = hash(out);
  try {
    r.records += nlohmann::json::parse("{\"a\": [1, 2").size();
    std::abort();
  } catch (const nlohmann::json::parse_error& e) {
    r.h ^= hash(e.what());
  }
  return r;
}

// Four parts of the document at once, each on a goroutine; under libc one after the other.
template <class F>
static std::string run(const char* name, int mb, F parse) {
  constexpr int kParts = 4;
  std::vector<Result> results(kParts);
  std::size_t part = static_cast<std::size_t>(mb) * 1'000'000 / kParts;
#ifdef PLAIN
  for (int i = 0; i < kParts; i++) results[i] = parse(document(part, i));
#else
  auto done = boot::make_chan<int>(kParts);
  for (int i = 0; i < kParts; i++) {
    boot::go([=, &results] {
      results[static_cast<std::size_t>(i)] = parse(document(part, i));
      done.send(i);
    });
  }
  for (int i = 0; i < kParts; i++) done.recv();
#endif
  Result all;
  for (const Result& r : results) {
    all.records += r.records;
    all.printed += r.printed;
    all.sum += r.sum;
    all.h = all.h * 31 + r.h;
  }
  return fmt::format("{}: {} MB, {} records, sum {}, printed {} bytes, hash {:016x}", name, mb, all.records, all.sum,
                     all.printed, all.h);
}

static void both(int mb) {
  fmt::print("{}\n", run("rapidjson", mb, rapid));
  fmt::print("{}\n", run("nlohmann", mb, nloh));
}

#ifdef PLAIN
int main(int argc, char** argv) { both(argc > 1 ? std::atoi(argv[1]) : 50); }
#else
void main_main() {
  auto args = boot::os::Args();
  both(args.size() > 1 ? std::atoi(args[1]) : 50);
}
#endif
#endif
