// boot: tells how it was started. The runtime has noted each step of the start as it happened (runtime/base/bootstep.h);
// this program prints the notes, and then what main_main was given.
#include <boot/boot.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bootstep.h"

namespace {

using runtime::bootrec;

struct Value {
  std::string_view name;
  std::uint64_t v;
  bool hex;
};

// The named values of a step; its description names them, in order.
std::vector<Value> values(const bootrec& r) {
  std::vector<Value> list;
  std::string_view names = r.desc->fields;
  for (int k = 0; k < 4 && !names.empty(); k++) {
    std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    bool hex = name.starts_with('#');
    list.push_back({name.substr(hex), r.val[k], hex});
  }
  return list;
}

std::string text(const Value& v) {
  return v.hex ? fmt::format("{:#x}", v.v) : fmt::format("{}", static_cast<std::int64_t>(v.v));
}

// The records there are, complete and in the order in which they were made.
std::vector<const bootrec*> steps() {
  std::vector<const bootrec*> list;
  std::uint32_t n = std::min(__atomic_load_n(&runtime::nbootrecs, __ATOMIC_ACQUIRE), runtime::kBootRecs);
  for (std::uint32_t i = 0; i < n; i++)
    if (__atomic_load_n(&runtime::bootrecs[i].desc, __ATOMIC_ACQUIRE) != nullptr) list.push_back(&runtime::bootrecs[i]);
  return list;
}

std::uint32_t dropped() {
  std::uint32_t n = __atomic_load_n(&runtime::nbootrecs, __ATOMIC_RELAXED);
  return n > runtime::kBootRecs ? n - runtime::kBootRecs : 0;
}

std::string orDash(std::int64_t n) { return n < 0 ? "-" : std::to_string(n); }

std::string goroutine(const bootrec& r) {
  if (r.gp == nullptr) return "-";
  return r.goid == 0 ? "g0" : std::to_string(r.goid);
}

std::string where(const bootrec& r) { return fmt::format("{}:{}", r.desc->file, r.desc->line); }

// ---- the table ----

struct Colours {
  const char *head, *number, *thread, *symbol, *value, *dim, *off;
};
constexpr Colours kPlain = {"", "", "", "", "", "", ""};
constexpr Colours kColoured = {"\033[1m", "\033[2m", "\033[33m", "\033[1;36m", "\033[32m", "\033[2m", "\033[0m"};

bool wantColour() {
  return boot::os::IsTerminal(1) && boot::os::Getenv("NO_COLOR").empty() && boot::os::Getenv("TERM") != "dumb";
}

void printTable() {
  const Colours c = wantColour() ? kColoured : kPlain;
  auto list = steps();
  std::size_t symbolWidth = 4, whereWidth = 6;
  for (const bootrec* r : list) {
    symbolWidth = std::max(symbolWidth, std::string_view(r->desc->symbol).size());
    whereWidth = std::max(whereWidth, where(*r).size());
  }
  std::string out;
  auto add = std::back_inserter(out);
  fmt::format_to(add, "{}{:>3} {:>10} {:>6} {:>2} {:>2} {:>2}  {:<{}}  {:<{}}  values{}\n", c.head, "#", "ns", "thread",
                 "M", "P", "G", "step", symbolWidth, "source", whereWidth, c.off);
  std::size_t n = 0;
  for (const bootrec* r : list) {
    fmt::format_to(add, "{}{:>3} {:>10}{} {}{:>6} {:>2} {:>2} {:>2}{}  {}{:<{}}{}  {}{:<{}}{}", c.number, ++n,
                   runtime::bootns(r->tsc), c.off, c.thread, r->tid, orDash(r->mid), orDash(r->pid), goroutine(*r),
                   c.off, c.symbol, r->desc->symbol, symbolWidth, c.off, c.dim, where(*r), whereWidth, c.off);
    const char* gap = "  ";
    for (const Value& v : values(*r)) {
      fmt::format_to(add, "{}{}={}{}{}", gap, v.name, c.value, text(v), c.off);
      gap = " ";
    }
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
  }
  if (dropped() > 0) fmt::format_to(add, "({} more steps did not fit the record)\n", dropped());

  fmt::format_to(add, "\n{}main_main got{}\n", c.head, c.off);
  auto args = boot::os::Args();
  for (std::size_t i = 0; i < args.size(); i++) fmt::format_to(add, "  argument {}   {}\n", i, args[i]);
  fmt::format_to(add, "  CPUs         {}\n  Ps           {}\n  goroutines   {} of the program, {} of the runtime\n",
                 runtime::NumCPU(), runtime::GOMAXPROCS(0), runtime::NumGoroutine(), runtime::sched.ngsys);
  boot::print("{}", out);
}

// ---- JSON ----

// The length of the UTF-8 sequence that s begins with, 0 if it is none.
std::size_t utf8(std::string_view s) {
  auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  auto more = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  unsigned a = at(0);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a < 0xe0 && more(1)) return 2;
  if (a >= 0xe0 && a < 0xf0 && more(1) && more(2) && !(a == 0xe0 && at(1) < 0xa0) && !(a == 0xed && at(1) >= 0xa0))
    return 3;
  if (a >= 0xf0 && a < 0xf5 && more(1) && more(2) && more(3) && !(a == 0xf0 && at(1) < 0x90) &&
      !(a == 0xf4 && at(1) >= 0x90))
    return 4;
  return 0;
}

// A string as JSON wants it. Arguments are bytes and JSON is Unicode: what is not UTF-8 becomes U+FFFD.
std::string jsonString(std::string_view s) {
  std::string out = "\"";
  while (!s.empty()) {
    auto ch = static_cast<unsigned char>(s[0]);
    std::size_t n = utf8(s);
    if (n == 0)
      out += "\\ufffd", n = 1;
    else if (ch == '"' || ch == '\\')
      out += {'\\', s[0]};
    else if (ch < ' ' || ch == 0x7f)
      out += fmt::format("\\u{:04x}", ch);
    else
      out += s.substr(0, n);
    s.remove_prefix(n);
  }
  return out + '"';
}

std::string orNull(std::int64_t n) { return n < 0 ? "null" : std::to_string(n); }

void printJSON() {
  std::string out = "{\n\"steps\": [";
  auto add = std::back_inserter(out);
  const char* comma = "\n";
  std::size_t n = 0;
  for (const bootrec* r : steps()) {
    fmt::format_to(add,
                   "{}  {{\"n\": {}, \"ns\": {}, \"thread\": {}, \"m\": {}, \"p\": {}, \"g\": {}, \"symbol\": {}, ",
                   comma, ++n, runtime::bootns(r->tsc), r->tid, orNull(r->mid), orNull(r->pid),
                   r->gp == nullptr ? "null" : std::to_string(r->goid), jsonString(r->desc->symbol));
    fmt::format_to(add, "\"file\": {}, \"line\": {}, \"values\": {{", jsonString(r->desc->file), r->desc->line);
    const char* gap = "";
    for (const Value& v : values(*r)) {  // addresses as strings: they need more bits than a JSON reader may keep
      fmt::format_to(add, "{}{}: {}", gap, jsonString(v.name), v.hex ? jsonString(text(v)) : text(v));
      gap = ", ";
    }
    out += "}}";
    comma = ",\n";
  }
  fmt::format_to(add, "\n],\n\"dropped\": {},\n\"args\": [", dropped());
  comma = "";
  for (const char* a : boot::os::Args()) {
    fmt::format_to(add, "{}{}", comma, jsonString(a));
    comma = ", ";
  }
  fmt::format_to(add, "],\n\"cpus\": {},\n\"gomaxprocs\": {},\n\"goroutines\": {},\n\"system_goroutines\": {}\n}}\n",
                 runtime::NumCPU(), runtime::GOMAXPROCS(0), runtime::NumGoroutine(), runtime::sched.ngsys);
  boot::print("{}", out);
}

constexpr std::string_view kUsage =
    "usage: boot [--json] [--] [ARGUMENT]...\n"
    "Prints the steps by which this program was started: number, nanoseconds since the\n"
    "entry, thread, M, P and G, the function and its source, and the values it set; then\n"
    "what main_main was given.\n"
    "  --json    the same for machines\n"
    "  --help    this text\n"
    "Colours are used on a terminal, unless NO_COLOR is set.\n";

}  // namespace

void main_main() {
  bool json = false;
  auto args = boot::os::Args();
  for (std::size_t i = 1; i < args.size(); i++) {
    std::string_view a = args[i];
    if (a == "--") break;
    if (a == "--json") {
      json = true;
    } else if (a == "--help" || a == "-h") {
      boot::print("{}", kUsage);
      return;
    } else if (a.size() > 1 && a[0] == '-') {
      boot::eprint("boot: unknown option {}\n{}", a, kUsage);
      boot::os::Exit(2);
    }
  }
  json ? printJSON() : printTable();
}
