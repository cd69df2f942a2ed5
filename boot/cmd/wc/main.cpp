// wc [-lwc] [FILE]...: lines, words and bytes, one goroutine for each file, several for a big one.
//
// Prints what GNU wc prints in the C locale, in the order of the arguments. Files are counted side by side; a ticket
// bounds how many at once, so that thousands of files need neither thousands of descriptors nor of buffers.
#include <boot/boot.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "count.h"

namespace os = boot::os;

namespace {

constexpr std::size_t kBuffer = 256 * 1024;       // what one read asks for
constexpr std::int64_t kPiece = 4 * 1024 * 1024;  // what one goroutine takes of a big file at a time

struct File {
  const char* name = nullptr;  // null: standard input, which nobody named
  Counts counts;
  bool opened = false;
  int err = 0;
  boot::chan<bool> done = boot::make_chan<bool>(1);
  bool isStdin() const { return name == nullptr || std::string_view(name) == "-"; }
};

struct Options {
  bool lines = false, words = false, bytes = false;
} show;

const char* program = "wc";

// A name in a message, as GNU programs quote it: bare where a shell would take it for one word, else in quotes.
std::string quote(std::string_view s) {
  bool bare = !s.empty() && s[0] != '#' && s[0] != '~', single = false, ctrl = false;
  for (unsigned char c : s) {
    if (std::strchr(" \t\n!\"$&'()*;<=>?[\\^`|", c) != nullptr || c < ' ' || c >= 0x7f) bare = false;
    single |= c == '\'';
    ctrl |= c < ' ' || c >= 0x7f;
  }
  if (bare) return std::string(s);
  if (single && !ctrl && s.find_first_of("\"$`\\!") == s.npos) return "\"" + std::string(s) + "\"";
  std::string out = "'";
  bool escaping = false;  // inside $'…'
  for (unsigned char c : s) {
    if (c < ' ' || c >= 0x7f) {
      if (!escaping) out += "'$'";
      escaping = true;
      const char* named = c != 0 ? std::strchr("\aa\bb\tt\nn\vv\ff\rr", c) : nullptr;
      out += '\\';
      if (named != nullptr && c < ' ')
        out += named[1];
      else
        out += {static_cast<char>('0' + (c >> 6)), static_cast<char>('0' + (c >> 3 & 7)),
                static_cast<char>('0' + (c & 7))};
      continue;
    }
    if (escaping) out += "''";
    escaping = false;
    if (c == '\'')
      out += "'\\''";
    else
      out += static_cast<char>(c);
  }
  return out + "'";
}

void complain(std::string_view what, int err) {
  boot::eprintln("{}: {}: {}", program, quote(what), std::strerror(err));
}

// ---- counting ----

// Reads from where the descriptor stands to its end.
void countStream(int fd, File& f) {
  auto buf = std::make_unique_for_overwrite<unsigned char[]>(kBuffer);
  for (;;) {
    std::ptrdiff_t n = os::Read(fd, buf.get(), kBuffer);
    if (n < 0) f.err = static_cast<int>(-n);
    if (n <= 0) return;
    f.counts.add(buf.get(), static_cast<std::size_t>(n));
  }
}

// Counts [from, to) of a file; to < 0 stands for its end, wherever that is by then.
Counts countPiece(int fd, std::int64_t from, std::int64_t to, unsigned char* buf, std::atomic<int>& err) {
  Counts c;
  while (to < 0 || from < to) {
    std::size_t want = to < 0 ? kBuffer : static_cast<std::size_t>(std::min<std::int64_t>(kBuffer, to - from));
    std::ptrdiff_t n = os::Pread(fd, buf, want, from);
    if (n < 0) err = static_cast<int>(-n);
    if (n <= 0) break;
    c.add(buf, static_cast<std::size_t>(n));
    from += n;
  }
  return c;
}

// A big file: as many goroutines as there are Ps take the next piece each until none is left.
void countPieces(int fd, std::int64_t size, File& f) {
  auto pieces = static_cast<std::size_t>((size + kPiece - 1) / kPiece);
  std::vector<Counts> counts(pieces);
  std::atomic<std::size_t> next{0};
  std::atomic<int> err{0};
  auto work = [&] {
    auto buf = std::make_unique_for_overwrite<unsigned char[]>(kBuffer);
    for (std::size_t i; (i = next++) < pieces;) {
      auto from = static_cast<std::int64_t>(i) * kPiece;
      counts[i] = countPiece(fd, from, i + 1 == pieces ? -1 : from + kPiece, buf.get(), err);
    }
  };
  auto helpers = std::min(static_cast<std::size_t>(runtime::GOMAXPROCS(0)), pieces) - 1;
  auto finished = boot::make_chan<bool>(static_cast<std::int64_t>(helpers));
  for (std::size_t i = 0; i < helpers; i++) {
    boot::go([&, finished] {
      work();
      finished.send(true);
    });
  }
  work();
  for (std::size_t i = 0; i < helpers; i++) finished.recv();
  for (const Counts& c : counts) f.counts.append(c);
  f.err = err;
}

void count(File& f) {
  int fd = 0;
  if (!f.isStdin()) {
    fd = os::Open(f.name);
    if (fd < 0) {
      f.err = -fd;
      return;
    }
  }
  f.opened = true;
  os::FileInfo info{};
  if (!f.isStdin() && os::Fstat(fd, info) == 0 && info.IsRegular() && info.size >= 2 * kPiece)
    countPieces(fd, info.size, f);
  else
    countStream(fd, f);
  if (!f.isStdin()) os::Close(fd);
}

// Starts the counting of all files in their order. "-" given twice is read twice, one after the other.
void startAll(std::vector<File>& files) {
  auto tickets = boot::make_chan<bool>(std::max(4, 2 * runtime::GOMAXPROCS(0)));
  boot::chan<bool> stdinFree = boot::make_chan<bool>(1);
  stdinFree.send(true);
  for (File& f : files) {
    tickets.send(true);
    if (f.isStdin()) stdinFree.recv();
    boot::go([&f, tickets, stdinFree] {
      count(f);
      if (f.isStdin()) stdinFree.send(true);
      tickets.recv();
      f.done.send(true);
    });
  }
}

// ---- printing ----

// The columns are as wide as the sum of the sizes of the regular files needs; at least 7 if there is any other file.
int numberWidth(const std::vector<File>& files) {
  if (files.size() == 1 && show.lines + show.words + show.bytes == 1) return 1;
  std::uint64_t total = 0;
  int minimum = 1, width = 1;
  for (const File& f : files) {
    os::FileInfo info{};
    if ((f.isStdin() ? os::Fstat(0, info) : os::Stat(f.name, info)) != 0) continue;
    if (info.IsRegular())
      total += static_cast<std::uint64_t>(info.size);
    else
      minimum = 7;
  }
  for (; total >= 10; total /= 10) width++;
  return std::max(width, minimum);
}

class Output {
 public:
  void line(const Counts& c, const char* name, int width) {
    const char* gap = "";
    auto number = [&](bool wanted, std::uint64_t n) {
      if (!wanted) return;
      fmt::format_to(std::back_inserter(text_), "{}{:>{}}", gap, n, width);
      gap = " ";
    };
    number(show.lines, c.lines);
    number(show.words, c.words);
    number(show.bytes, c.bytes);
    if (name != nullptr) {
      text_ += ' ';
      text_ += std::strchr(name, '\n') != nullptr ? quote(name) : std::string(name);
    }
    text_ += '\n';
    if (text_.size() > 32 * 1024) flush();
  }
  void flush() {
    if (text_.empty()) return;
    std::ptrdiff_t n = os::Write(1, text_.data(), text_.size());
    if (n >= 0 && static_cast<std::size_t>(n) < text_.size())
      n = os::Write(1, text_.data() + n, text_.size() - static_cast<std::size_t>(n));
    text_.clear();
    if (n < 0) {
      boot::eprintln("{}: write error: {}", program, std::strerror(static_cast<int>(-n)));
      os::Exit(1);
    }
  }

 private:
  std::string text_;
};

// ---- the command line ----

[[noreturn]] void help() {
  boot::print(
      "usage: {} [-lwc] [FILE]...\n"
      "Prints lines, words and bytes of each FILE, and a total for more than one.\n"
      "Without FILE, or when FILE is -, reads standard input.\n"
      "  -l, --lines    lines only        -w, --words  words only\n"
      "  -c, --bytes    bytes only        --help       this text\n",
      program);
  os::Exit(0);
}

[[noreturn]] void badOption(const std::string& what) {
  boot::eprint("{}: {}\nTry '{} --help' for more information.\n", program, what, program);
  os::Exit(1);
}

std::vector<File> parse(std::span<const char* const> args) {
  std::vector<File> files;
  bool options = true;
  for (std::string_view a : args) {
    if (!options || a.size() < 2 || a[0] != '-') {
      files.emplace_back().name = a.data();
    } else if (a == "--") {
      options = false;
    } else if (a.starts_with("--")) {
      if (a == "--lines")
        show.lines = true;
      else if (a == "--words")
        show.words = true;
      else if (a == "--bytes")
        show.bytes = true;
      else if (a == "--help")
        help();
      else
        badOption("unrecognized option '" + std::string(a) + "'");
    } else {
      for (char c : a.substr(1)) {
        if (c == 'l')
          show.lines = true;
        else if (c == 'w')
          show.words = true;
        else if (c == 'c')
          show.bytes = true;
        else
          badOption(std::string("invalid option -- '") + c + "'");
      }
    }
  }
  if (files.empty()) files.emplace_back();
  if (!show.lines && !show.words && !show.bytes) show = {true, true, true};
  return files;
}

}  // namespace

void main_main() {
  auto args = os::Args();
  if (!args.empty()) program = args[0];
  std::vector<File> files = parse(args.subspan(std::min<std::size_t>(1, args.size())));
  int width = numberWidth(files);
  boot::go([&files] { startAll(files); });

  Output out;
  Counts total;
  bool failed = false;
  for (File& f : files) {
    if (f.done.len() == 0) out.flush();  // what is known is printed before waiting for more
    f.done.recv();
    if (f.err != 0) {
      out.flush();
      complain(f.name != nullptr ? f.name : "standard input", f.err);
      failed = true;
    }
    if (f.opened) out.line(f.counts, f.name, width);
    total.lines += f.counts.lines;
    total.words += f.counts.words;
    total.bytes += f.counts.bytes;
  }
  if (files.size() > 1) out.line(total, "total", width);
  out.flush();
  if (failed) os::Exit(1);
}
