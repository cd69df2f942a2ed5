// Runs fuzz targets without libFuzzer: `fuzz_corpus TARGET DIR [N]` gives a target each file of DIR and N changed copies,
// the same ones in every run. Built with the address and undefined behaviour sanitizers of gcc.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

extern "C" void __sanitizer_set_death_callback(void (*f)()) __attribute__((weak));

namespace {

using bytes = std::vector<std::uint8_t>;

std::map<std::string, fuzz::target>& targets() {
  static std::map<std::string, fuzz::target> t;
  return t;
}

constexpr std::size_t kMaxSize = 4096;
constexpr unsigned kSeconds = 10;  // for one input, which takes microseconds

bytes current;
std::string name, from;

// Leaves the input that has killed the target behind, so that it can be run again and go into the corpus.
void keepInput() {
  std::string file = "crash-" + name;
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(current.data()), static_cast<std::streamsize>(current.size()));
  std::fprintf(stderr, "the input, made from %s, is in %s/%s\n", from.c_str(), std::filesystem::current_path().c_str(),
               file.c_str());
}
void onSignal(int sig) {
  if (sig == SIGALRM) std::fprintf(stderr, "the input takes more than %u s\n", kSeconds);
  keepInput();
  _exit(1);
}

void run(fuzz::target t) {
  alarm(kSeconds);
  t({current.data(), current.size()});
}

// One to eight changes, of the kinds that libFuzzer makes.
bytes changed(const std::vector<bytes>& corpus, std::size_t i, std::mt19937& rnd) {
  static constexpr std::uint8_t odd[] = {0, 1, 2, 3, 0x0f, 0x1b, 0x3b, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff};
  bytes b = corpus[i];
  auto below = [&](std::size_t n) { return static_cast<std::ptrdiff_t>(rnd() % std::max<std::size_t>(n, 1)); };
  for (std::size_t n = 1 + rnd() % 8; n > 0; n--) {
    std::ptrdiff_t at = below(b.size()), len = 1 + below(8);
    len = std::min(len, static_cast<std::ptrdiff_t>(b.size()) - at);
    switch (rnd() % 7) {
      case 0:
        if (!b.empty()) b[static_cast<std::size_t>(at)] ^= static_cast<std::uint8_t>(1u << rnd() % 8);
        break;
      case 1:
        if (!b.empty()) b[static_cast<std::size_t>(at)] = odd[rnd() % sizeof odd];
        break;
      case 2:
        b.insert(b.begin() + at, static_cast<std::uint8_t>(rnd()));
        break;
      case 3:
        b.erase(b.begin() + at, b.begin() + at + len);
        break;
      case 4: {  // a piece of its own, somewhere else
        bytes piece(b.begin() + at, b.begin() + at + len);
        b.insert(b.begin() + below(b.size() + 1), piece.begin(), piece.end());
        break;
      }
      case 5:  // a number in place of another
        for (std::ptrdiff_t k = 0; k < len; k++) b[static_cast<std::size_t>(at + k)] = rnd() % 2 == 0 ? 0xff : 0;
        break;
      default: {  // the end of another input
        const bytes& other = corpus[rnd() % corpus.size()];
        b.resize(static_cast<std::size_t>(at));
        b.insert(b.end(), other.begin() + below(other.size()), other.end());
      }
    }
  }
  if (b.size() > kMaxSize) b.resize(kMaxSize);
  return b;
}

}  // namespace

fuzz::registration::registration(const char* name, target run) { targets()[name] = run; }

int main(int argc, char** argv) {
  auto t = argc >= 3 ? targets().find(argv[1]) : targets().end();
  if (t == targets().end()) {
    std::fprintf(stderr, "usage: %s TARGET FILE|DIRECTORY [CHANGED-COPIES]\ntargets:", argv[0]);
    for (auto& [known, f] : targets()) std::fprintf(stderr, " %s", known.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  name = t->first;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(argv[2]))
    for (auto& entry : std::filesystem::directory_iterator(argv[2])) files.push_back(entry.path());
  else
    files.push_back(argv[2]);
  std::sort(files.begin(), files.end());
  std::vector<bytes> corpus;
  for (auto& f : files) {
    std::ifstream in(f, std::ios::binary);
    if (!in) return std::fprintf(stderr, "can't read %s\n", f.c_str()), 2;
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) return std::fprintf(stderr, "no corpus in %s\n", argv[2]), 2;

  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keepInput);
  std::signal(SIGABRT, onSignal);
  std::signal(SIGALRM, onSignal);
  for (std::size_t i = 0; i < corpus.size(); i++) {
    from = files[i].filename();
    current = corpus[i];
    run(t->second);
  }
  long n = argc > 3 ? std::atol(argv[3]) : 0;
  std::mt19937 rnd(20);
  for (long k = 0; k < n; k++) {
    std::size_t i = static_cast<std::size_t>(k) % corpus.size();
    from = "a changed " + files[i].filename().string();
    current = changed(corpus, i, rnd);
    run(t->second);
  }
  std::printf("%s: %zu inputs and %ld changed copies\n", name.c_str(), corpus.size(), n);
  return 0;
}
