// The execution trace as JSON for Perfetto and chrome://tracing, made from the raw records when the program ends.
//
// The file is Chrome's JSON array: process 1 has a track for each P with what ran on it, process 2 one for each M with
// the Ps it held and the system calls it was in, process 3 the collector. Arrows lead from who unblocked a goroutine to
// where it ran; counters tell how many goroutines run and could run.
//
// Each P's buffers are in order, so merging the Ps gives one stream in order of time: a slice is written when it ends, and
// who unblocked whom is known when the goroutine starts.
//
// Invariants
//   - Nothing is allocated and no lock taken: it runs in a crash, too. All state is static, for one run.
//   - All times are made from ticks by one factor, so what came later is later.
//   - A record is at most kRecord bytes of text.
//
// Ways not taken: fmt (a microsecond a record; doubles for three digits behind the point), and Perfetto's own protobuf,
// which chrome://tracing does not read.
#include "runtime/base/print.h"
#include "runtime/base/syscall.h"
#include "runtime/diag/symtab.h"
#include "runtime/diag/trace_raw.h"
#include "runtime/sched/proc.h"

namespace runtime {

namespace {

constexpr std::uint32_t kTracks = 1024;  // Ps and Ms beyond are left out
constexpr std::size_t kRecord = 1024;

// ---- text ----

std::int32_t fd;
long begin;           // where the text begins in the file; negative: it is a pipe or the like
long written;         // up to here whole records are in the file
std::int32_t failed;  // why no more is written
BIGTABLE char text[64 * 1024];
char* w;

// No room left, or nobody who reads: a file ends behind the last record that is whole, and is JSON still. The two brackets
// of an empty one have been in it from the start, so there is room for them.
void giveUp(std::int32_t err) {
  constexpr int kSysPwrite64 = 18, kSysFtruncate = 77;
  failed = err;
  if (begin < 0) return;
  long at = begin + written;
  if (written != 0 && syscall6(kSysFtruncate, fd, at) != 0) return;
  const char* end = written == 0 ? kTraceEmpty : "\n]\n";
  long n = syscall6(kSysPwrite64, fd, reinterpret_cast<long>(end), static_cast<long>(__builtin_strlen(end)), at);
  if (n > 0) syscall6(kSysFtruncate, fd, at + n);
}

// Called between two records.
void flush() {
  constexpr int kEINTR = 4, kEAGAIN = 11, kENOSPC = 28, kMaxAgain = 100;
  int again = 0;
  for (const char* at = text; at < w && failed == 0;) {
    long n = write1(static_cast<uintptr>(fd), at, static_cast<std::size_t>(w - at));
    if (n == -kEINTR) continue;
    if (n == -kEAGAIN && again++ < kMaxAgain) {
      usleep(10000);
      continue;
    }
    if (n <= 0)
      giveUp(n < 0 ? static_cast<std::int32_t>(-n) : kENOSPC);
    else
      at += n, again = 0;
  }
  if (failed == 0) written += w - text;
  w = text;
}

struct ns {
  std::uint64_t v;
};

[[gnu::noinline]] void out(const char* s) {
  for (std::size_t i = 0; s[i] != '\0' && i < 200; i++) *w++ = s[i];
}
void out(std::uint64_t v) {
  char digits[20];
  int n = 0;
  do {
    digits[n++] = static_cast<char>('0' + v % 10);
    v /= 10;
  } while (v != 0);
  while (n > 0) *w++ = digits[--n];
}
// Microseconds, as the format wants them.
void out(ns t) {
  out(t.v / 1000);
  std::uint64_t f = t.v % 1000;
  *w++ = '.';
  *w++ = static_cast<char>('0' + f / 100);
  *w++ = static_cast<char>('0' + f / 10 % 10);
  *w++ = static_cast<char>('0' + f % 10);
}

bool first;
template <class... A>
void say(const A&... a) {
  if (w > text + sizeof text - kRecord) flush();
  *w++ = first ? '\n' : ',';
  if (!first) *w++ = '\n';
  first = false;
  (out(a), ...);
}

const char* basename(const char* path) {
  const char* base = path;
  for (const char* c = path; *c != '\0'; c++)
    if (*c == '/') base = c + 1;
  return base;
}

// "main.main x.cpp:12": the go statement at pc, counted from runtime.text. The latest are kept: a program has few.
struct placeText {
  std::uint32_t pc;
  char text[120];
};
BIGTABLE placeText places[256];

const char* placeOf(std::uint32_t rel) {
  placeText& t = places[(rel >> 2) % 256];
  if (t.pc == rel && t.text[0] != '\0') return t.text;
  t.pc = rel;
  funcloc loc[16];
  uintptr pc = reinterpret_cast<uintptr>(traceText) + static_cast<uintptr>(static_cast<std::int32_t>(rel));
  int n = rel != 0 ? pclookup(pc - 1, loc, 16) : 0, i = 0;
  while (i < n - 1 && loc[i].hidden) i++;
  std::size_t k = 0;
  if (n == 0)
    k = snprint(t.text, sizeof t.text - 1, "{}", rel == 0 ? "?" : "runtime");
  else if (loc[i].file != nullptr)
    k = snprint(t.text, sizeof t.text - 1, "{} {}:{}", loc[i].func, basename(loc[i].file), loc[i].line);
  else
    k = snprint(t.text, sizeof t.text - 1, "{}", loc[i].func);
  t.text[k] = '\0';
  for (char* c = t.text; *c != '\0'; c++)
    if (*c == '"' || *c == '\\' || *c < ' ') *c = '\'';
  return t.text;
}

// ---- what is going on, as far as the stream has been read ----

struct pstate {
  std::uint32_t goid, gopc;  // runs; 0: nothing
  std::uint64_t since;
  std::int32_t mid;  // the M that holds it, -1: none
  std::uint64_t heldSince;
  bool named;
};
struct mstate {
  std::int32_t pid;    // the P it holds, -1: none
  std::uint32_t goid;  // in a system call; 0: in none
  std::uint64_t since;
  bool named;
};
struct arrow {
  std::uint32_t goid, id;
};
struct insys {
  std::uint32_t goid, mid;
};

BIGTABLE pstate ps[kTracks];
BIGTABLE mstate ms[kTracks];
BIGTABLE arrow arrows[4096];     // by goid: begun
BIGTABLE insys insyscall[4096];  // by goid: on which M
std::uint32_t narrows;
std::uint64_t gcSince, stwSince, phaseSince, countedAt;
std::uint32_t gcNumber, stwReason, phase;
bool inGC, stopped, gcNamed;
std::int64_t running, runnable;

constexpr const char* kPhases[] = {"off", "sweep termination", "mark", "mark termination", "sweep"};

void nameTracks(std::int32_t pid, std::uint32_t mid) {
  if (pid >= 0 && !ps[pid].named) {
    ps[pid].named = true;
    auto p = static_cast<std::uint64_t>(pid);
    say(R"({"ph":"M","pid":1,"tid":)", p, R"(,"name":"thread_name","args":{"name":"P)", p, R"("}})");
    say(R"({"ph":"M","pid":1,"tid":)", p, R"(,"name":"thread_sort_index","args":{"sort_index":)", p, "}}");
  }
  if (!ms[mid].named) {
    ms[mid].named = true;
    auto m = std::uint64_t{mid};
    say(R"({"ph":"M","pid":2,"tid":)", m, R"(,"name":"thread_name","args":{"name":"M)", m, R"("}})");
    say(R"({"ph":"M","pid":2,"tid":)", m, R"(,"name":"thread_sort_index","args":{"sort_index":)", m, "}}");
  }
}

void nameCollector() {
  if (gcNamed) return;
  gcNamed = true;
  say(R"({"ph":"M","pid":3,"tid":0,"name":"thread_name","args":{"name":"collection"}})");
  say(R"({"ph":"M","pid":3,"tid":1,"name":"thread_name","args":{"name":"world"}})");
}

void count(std::uint64_t at) {
  // A sample each 20 µs is enough to draw.
  if (at - countedAt < 20000 && countedAt != 0) return;
  countedAt = at;
  auto pos = [](std::int64_t n) { return static_cast<std::uint64_t>(n < 0 ? 0 : n); };
  say(R"({"ph":"C","pid":1,"ts":)", ns{at}, R"(,"name":"goroutines","args":{"running":)", pos(running),
      R"(,"runnable":)", pos(runnable), "}}");
}

// The goroutine that ran on a P has stopped, for a reason.
void endSlice(std::uint32_t pid, std::uint32_t mid, std::uint64_t at, const char* why) {
  pstate& s = ps[pid];
  if (s.goid == 0) return;
  running--;
  say(R"({"ph":"X","pid":1,"tid":)", std::uint64_t{pid}, R"(,"ts":)", ns{s.since}, R"(,"dur":)", ns{at - s.since},
      R"(,"name":"g)", std::uint64_t{s.goid}, " ", placeOf(s.gopc), R"(","cat":"go","args":{"g":)",
      std::uint64_t{s.goid}, R"(,"m":)", std::uint64_t{mid}, R"(,"end":")", why, R"("}})");
  s.goid = 0;
}

void endSyscall(std::uint32_t mid, std::uint64_t at) {
  mstate& s = ms[mid];
  if (s.goid == 0) return;
  say(R"({"ph":"X","pid":2,"tid":)", std::uint64_t{mid}, R"(,"ts":)", ns{s.since}, R"(,"dur":)", ns{at - s.since},
      R"(,"name":"syscall g)", std::uint64_t{s.goid}, R"(","cat":"syscall","args":{"g":)", std::uint64_t{s.goid}, "}}");
  insyscall[s.goid % 4096].goid = 0;
  s.goid = 0;
}

void startSlice(std::uint32_t pid, const traceRec& r, std::uint64_t at) {
  // Back from a system call without a P: it was queued, and comes back by another M perhaps.
  if (insys& s = insyscall[r.goid % 4096]; s.goid == r.goid)
    endSyscall(s.mid, at);
  else
    runnable--;
  pstate& s = ps[pid];
  if (s.goid != 0) endSlice(pid, r.mid, at, "?");
  s.goid = r.goid;
  s.gopc = r.arg;
  s.since = at;
  running++;
  if (arrow& a = arrows[r.goid % 4096]; a.id != 0 && a.goid == r.goid) {
    say(R"({"ph":"f","bp":"e","pid":1,"tid":)", std::uint64_t{pid}, R"(,"ts":)", ns{at}, R"(,"id":)",
        std::uint64_t{a.id}, R"(,"name":"unblock","cat":"unblock"})");
    a.id = 0;
  }
}

// A P is let go: what the M had is a slice on the M's track.
void endHold(std::uint32_t pid, std::uint64_t at) {
  pstate& s = ps[pid];
  if (s.mid < 0) return;
  say(R"({"ph":"X","pid":2,"tid":)", static_cast<std::uint64_t>(s.mid), R"(,"ts":)", ns{s.heldSince}, R"(,"dur":)",
      ns{at - s.heldSince}, R"(,"name":"P)", std::uint64_t{pid}, R"(","cat":"p","args":{"p":)", std::uint64_t{pid},
      "}}");
  ms[s.mid].pid = -1;
  s.mid = -1;
}

void endPhase(std::uint64_t at) {
  if (phase == traceGCOff) return;
  say(R"({"ph":"X","pid":3,"tid":0,"ts":)", ns{phaseSince}, R"(,"dur":)", ns{at - phaseSince}, R"(,"name":")",
      phase < sizeof kPhases / sizeof *kPhases ? kPhases[phase] : "?", R"(","cat":"gc"})");
  phase = traceGCOff;
}

void endGC(std::uint64_t at) {
  if (!inGC) return;
  inGC = false;
  say(R"({"ph":"X","pid":3,"tid":0,"ts":)", ns{gcSince}, R"(,"dur":)", ns{at - gcSince}, R"(,"name":"GC )",
      std::uint64_t{gcNumber}, R"(","cat":"gc"})");
}

void endStop(std::uint64_t at) {
  if (!stopped) return;
  stopped = false;
  const char* why = stwReason != 0 ? traceText + static_cast<std::int32_t>(stwReason) : "?";
  say(R"({"ph":"X","pid":3,"tid":1,"ts":)", ns{stwSince}, R"(,"dur":)", ns{at - stwSince},
      R"(,"name":"world stopped: )", why, R"(","cat":"gc"})");
}

void instant(std::int32_t pid, const traceRec& r, std::uint64_t at, const char* what, const char* arg) {
  say(R"({"ph":"i","s":"t","pid":)", std::uint64_t{pid >= 0 ? 1u : 2u}, R"(,"tid":)",
      pid >= 0 ? static_cast<std::uint64_t>(pid) : std::uint64_t{r.mid}, R"(,"ts":)", ns{at}, R"(,"name":")", what,
      R"(","cat":"sched","args":{"g":)", std::uint64_t{r.goid}, R"(,"m":)", std::uint64_t{r.mid}, R"(,")", arg, R"(":)",
      std::uint64_t{r.arg}, "}}");
}

void write(std::int32_t pid, const traceRec& r, std::uint64_t at) {
  std::uint32_t mid = r.mid;
  if (pid >= static_cast<std::int32_t>(kTracks) || mid >= kTracks) return;
  nameTracks(pid, mid);
  auto p = static_cast<std::uint32_t>(pid);
  bool onP = pid >= 0;
  switch (r.ev) {
    case traceEvGoCreate:
      runnable++;
      say(R"({"ph":"i","s":"t","pid":)", std::uint64_t{onP ? 1u : 2u}, R"(,"tid":)", std::uint64_t{onP ? p : mid},
          R"(,"ts":)", ns{at}, R"(,"name":"go g)", std::uint64_t{r.goid}, R"(","cat":"sched","args":{"g":)",
          std::uint64_t{r.goid}, R"(,"by":)", std::uint64_t{onP ? ps[p].goid : 0}, R"(,"at":")", placeOf(r.arg),
          R"("}})");
      break;
    case traceEvGoStart:
      if (onP) startSlice(p, r, at);
      break;
    case traceEvGoEnd:
      if (onP) endSlice(p, mid, at, "end");
      break;
    case traceEvGoPark:
      if (onP) endSlice(p, mid, at, r.arg < waitReasonCount && r.arg != 0 ? waitReasonStrings[r.arg] : "park");
      break;
    case traceEvGoSched:
    case traceEvGoPreempt:
      runnable++;
      if (onP) endSlice(p, mid, at, r.ev == traceEvGoSched ? "yield" : "preempted");
      break;
    case traceEvGoUnblock:
      runnable++;
      instant(pid, r, at, "unblock", "by");
      if (onP && ps[p].goid != 0) {
        arrow& a = arrows[r.goid % 4096];
        a = {r.goid, ++narrows};
        say(R"({"ph":"s","pid":1,"tid":)", std::uint64_t{p}, R"(,"ts":)", ns{at}, R"(,"id":)", std::uint64_t{a.id},
            R"(,"name":"unblock","cat":"unblock"})");
      }
      break;
    case traceEvGoSysCall:
      if (onP) endSlice(p, mid, at, "syscall");
      endSyscall(mid, at);
      ms[mid].goid = r.goid;
      ms[mid].since = at;
      insyscall[r.goid % 4096] = {r.goid, mid};
      break;
    case traceEvGoSysExit:
      if (onP) startSlice(p, r, at);
      break;
    case traceEvProcStart:
      if (!onP) break;
      // What was taken from an M in a system call, by sysmon or by who stops the world, ends without a word from the M.
      endHold(p, at);
      if (ms[mid].pid >= 0) endHold(static_cast<std::uint32_t>(ms[mid].pid), at);
      ps[p].mid = static_cast<std::int32_t>(mid);
      ms[mid].pid = pid;
      ps[p].heldSince = at;
      break;
    case traceEvProcStop:
      if (onP) endHold(p, at);
      break;
    case traceEvSysRetake:
      instant(pid, r, at, "retake P", "p");
      if (r.arg < kTracks) endHold(r.arg, at);
      break;
    case traceEvSteal:
      instant(pid, r, at, "steal", "from");
      break;
    case traceEvGCStart:
      nameCollector();
      endPhase(at);  // its sweep was ended by who begins this one
      endGC(at);
      inGC = true;
      gcNumber = r.arg;
      gcSince = at;
      break;
    case traceEvGCDone:
      if (r.arg != gcNumber) break;  // the sweep of one before was seen to be over late
      endPhase(at);
      endGC(at);
      break;
    case traceEvGCPhase:
      nameCollector();
      endPhase(at);
      phase = r.arg;
      phaseSince = at;
      break;
    case traceEvHeapLive:
      say(R"({"ph":"C","pid":3,"ts":)", ns{at}, R"(,"name":"heap","args":{"KB":)", std::uint64_t{r.arg}, "}}");
      break;
    case traceEvGCSTWStart:
      nameCollector();
      stopped = true;
      stwReason = r.arg;
      stwSince = at;
      break;
    case traceEvGCSTWDone:
      endStop(at);
      break;
    default:
      break;
  }
  count(at);
}

// ---- the merge ----

BIGTABLE traceCursor cursors[kTracks + 1];
std::uint32_t ncursors;

// One chain of buffers a P. Returns how many chains there are; what is damaged at the end is left out.
std::uint32_t chains(char* raw, uintptr size) {
  static traceBuf* last[kTracks + 1];
  std::uint32_t n = 0;
  for (uintptr at = 0; at + traceBuf::size(0) <= size;) {
    auto* b = reinterpret_cast<traceBuf*>(raw + at);
    if (b->n == 0 || b->n > traceBuf::kWords) break;
    at += traceBuf::size(b->n);
    if (at > size) break;
    if (b->pid < -1 || b->pid >= static_cast<std::int32_t>(kTracks)) continue;
    b->link = nullptr;
    traceBuf*& l = last[b->pid + 1];
    if (l != nullptr)
      l->link = b;
    else
      cursors[n++] = traceCursor(b);
    l = b;
  }
  for (std::uint32_t i = 0; i < n;) {
    if (cursors[i].next())
      i++;
    else
      cursors[i] = cursors[--n];
  }
  return n;
}

}  // namespace

std::int32_t traceWriteJSON(std::int32_t fd_, char* raw, uintptr size, const traceClock& clock, std::uint64_t dropped) {
  constexpr int kSysLseek = 8, kSeekCur = 1;
  fd = fd_;
  begin = syscall6(kSysLseek, fd, 0, kSeekCur);
  w = text;
  *w++ = '[';
  first = true;
  for (auto& s : ps) s.mid = -1;
  for (auto& s : ms) s.pid = -1;
  say(R"({"ph":"M","pid":1,"name":"process_name","args":{"name":"Ps: what runs"}})");
  say(R"({"ph":"M","pid":2,"name":"process_name","args":{"name":"Ms: threads"}})");
  say(R"({"ph":"M","pid":3,"name":"process_name","args":{"name":"collector"}})");
  ncursors = chains(raw, size);
  std::uint64_t now = 0;
  while (ncursors != 0) {
    // The earliest P goes on until another one has something earlier.
    std::uint32_t k = 0;
    std::uint64_t least = ~std::uint64_t{0}, second = ~std::uint64_t{0};
    for (std::uint32_t i = 0; i < ncursors; i++) {
      std::uint64_t t = cursors[i].rec.tsc;
      if (t < least) {
        second = least;
        least = t;
        k = i;
      } else if (t < second) {
        second = t;
      }
    }
    traceCursor& c = cursors[k];
    for (;;) {
      std::uint64_t t = c.rec.tsc;
      if (t > second) break;
      std::uint64_t ticks = t > clock.tsc0 ? t - clock.tsc0 : 0;
      auto at = static_cast<std::uint64_t>(static_cast<unsigned __int128>(ticks) * clock.nsPerTick >> 32);
      if (at > now) now = at;
      write(c.b->pid, c.rec, now);
      if (!c.next()) {
        c = cursors[--ncursors];
        break;
      }
    }
  }
  // What was not over.
  for (std::uint32_t i = 0; i < kTracks; i++) {
    endSlice(i, static_cast<std::uint32_t>(ps[i].mid), now, "the trace ends");
    endHold(i, now);
    endSyscall(i, now);
  }
  endPhase(now);
  endGC(now);
  endStop(now);
  if (dropped != 0)
    say(R"({"ph":"i","s":"g","pid":1,"tid":0,"ts":)", ns{now}, R"(,"name":"events dropped: )", dropped, R"("})");
  out("\n]\n");
  flush();
  return failed;
}

}  // namespace runtime
