// The record of the boot (bootstep.h): taking it down, telling the time in it, printing it.
//
// Invariants
//   - A record's desc is stored last, with release; a reader that sees it sees the rest.
//   - A line is printed once, by whoever moves `printed` past it. Lines of records made at the same moment on two
//     threads may swap places on the terminal; their numbers and times are right.
#include "runtime/base/bootstep.h"

#include "runtime/base/print.h"

namespace runtime {

constinit bootrec bootrecs[kBootRecs]{};
constinit std::uint32_t nbootrecs = 0;
constinit std::uint32_t bootrecording = 1;
constinit bool boottrace = false;

namespace {

constinit std::uint32_t printed = 0;  // atomic: records before it have been printed
std::int64_t (*clockfn)() = nullptr;
constinit std::uint64_t tsc0 = 0;  // the reading that args makes
constinit std::int64_t ns0 = 0;
constinit double nsPerTick = 0;   // atomic: the rate as last measured,
constinit std::int64_t span = 0;  // atomic: over so many nanoseconds

struct reading {
  std::uint64_t tsc;
  std::int64_t ns;
};

// Both clocks at one moment: the narrowest of a few tries, so that a page fault or an interrupt in between costs
// nothing.
reading readClocks(int tries) {
  reading best{0, 0};
  std::uint64_t width = ~std::uint64_t{0};
  for (int i = 0; i < tries; i++) {
    std::uint64_t a = cputicks();
    std::int64_t ns = clockfn();
    std::uint64_t b = cputicks();
    if (b - a < width) {
      width = b - a;
      best = {a + (b - a) / 2, ns};
    }
  }
  return best;
}

// GODEBUG=boottrace prints all records up to the first that is missing or being written.
void printNew() {
  for (;;) {
    std::uint32_t i = atomic::Load(&printed);
    std::uint32_t n = atomic::Load(&nbootrecs);
    if (i >= n || i >= kBootRecs || atomic::LoadAcq(&bootrecs[i].desc) == nullptr) return;
    if (!atomic::Cas(&printed, i, i + 1)) continue;
    char line[kPrintBuf];
    std::size_t len = bootformat(i, line, sizeof line - 1);
    line[len++] = '\n';
    writeErr(line, len);
  }
}

}  // namespace

void bootclock(std::int64_t (*nanotime)()) {
  clockfn = nanotime;
  reading r = readClocks(2);  // the first touches the vDSO's pages
  tsc0 = r.tsc;
  ns0 = r.ns;
}

std::int64_t bootns(std::uint64_t tsc) {
  if (clockfn == nullptr) return 0;
  // Clock readings are some 20 ns apart, so a rate taken over less than this is not worth printing.
  constexpr std::int64_t kMinSpan = 20'000;
  reading r;
  do r = readClocks(4);
  while (r.ns - ns0 < kMinSpan);
  // A new rate only where it is much better than the old one: the lines of one table shall share theirs.
  double rate;
  __atomic_load(&nsPerTick, &rate, __ATOMIC_RELAXED);
  if (r.ns - ns0 > 4 * atomic::LoadRelaxed(&span)) {
    rate = static_cast<double>(r.ns - ns0) / static_cast<double>(r.tsc - tsc0);
    __atomic_store(&nsPerTick, &rate, __ATOMIC_RELAXED);
    atomic::StoreRelaxed(&span, r.ns - ns0);
  }
  auto ticks = static_cast<std::int64_t>(tsc - bootrecs[0].tsc);
  return static_cast<std::int64_t>(static_cast<double>(ticks) * rate);
}

void bootrecord(const bootdesc* d, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t e) {
  std::uint64_t tsc = cputicks();
  std::uint32_t i = atomic::Xadd(&nbootrecs, 1) - 1;
  if (i >= kBootRecs) return;
  bootrec* r = &bootrecs[i];
  const g* gp = getg();
  const m* mp = gp != nullptr ? gp->m : nullptr;
  r->tsc = tsc;
  r->gp = gp;
  r->goid = gp != nullptr ? gp->goid : 0;
  r->mid = mp != nullptr ? static_cast<std::int32_t>(mp->id) : -1;
  r->pid = mp != nullptr && mp->p != nullptr ? mp->p->id : -1;
  r->tid = mp != nullptr ? static_cast<std::uint32_t>(mp->id) + 1 : 1;
  r->depth = 0;
  r->val[0] = a;
  r->val[1] = b;
  r->val[2] = c;
  r->val[3] = e;
  atomic::StoreRel(&r->desc, d);
  if (UNLIKELY(boottrace)) printNew();
}

void bootflush() { printNew(); }

std::size_t bootformat(std::uint32_t i, char* buf, std::size_t n) {
  const bootrec& r = bootrecs[i];
  const bootdesc* d = r.desc;
  char pid[12] = "-";
  if (r.pid >= 0) snprint(pid, sizeof pid, "{}", r.pid);
  std::size_t len = snprint(buf, n, "boot {:3} {:>9}ns m{} p{:1} g{:<2} {:<28}", i + 1, bootns(r.tsc),
                            r.mid < 0 ? 0 : r.mid, static_cast<const char*>(pid), r.goid, d->symbol);
  const char* f = d->fields;
  for (int k = 0; k < 4 && *f != '\0'; k++) {
    const char* end = f;
    while (*end != '\0' && *end != ',') end++;
    bool hex = *f == '#';
    if (hex) f++;
    std::string_view name(f, static_cast<std::size_t>(end - f));
    if (hex)
      len += snprint(buf + len, n - len, " {}={:#x}", name, r.val[k]);
    else
      len += snprint(buf + len, n - len, " {}={}", name, static_cast<std::int64_t>(r.val[k]));
    f = *end == ',' ? end + 1 : end;
  }
  while (len > 0 && buf[len - 1] == ' ') len--;  // a step without values ends at its name
  return len;
}

}  // namespace runtime
