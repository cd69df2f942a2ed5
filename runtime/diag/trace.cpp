// The execution trace: recording; see trace.h, base/traceevents.h for the events, trace_raw.h for their form.
//
// How it works (C56): each P has a buffer of its own, into which the M that holds the P writes without locks. A full
// buffer goes on a queue; the trace reader, a goroutine of the runtime, writes it to a file as it is. When there is
// something to read the scheduler runs the reader before anybody else, so that the queue stays short. At the program's
// end, a crash too, the raw file is turned into JSON (trace_json.cpp). It has no name, so it leaves nothing behind.
//
// Invariants
//   - traceEvent may run anywhere in the scheduler, with any of its locks held: it takes no ranked lock, never parks and
//     allocates from the kernel only.
//   - A buffer's events are all of one P (or of no P at all), in the order in which they happened.
//   - The reader's own waiting and running are events like others. They can't feed themselves: a buffer holds thousands.
//
// Ways not taken: a shared ring (one cache line for all Ps); nanotime for the time stamps (three times the cost of a
// whole event); a fence before RDTSC (it costs more than the rest, and keeps apart what is nanoseconds apart); JSON by
// the reader while the program runs (a microsecond an event, and the worth of a tick is not known well until the end:
// slices that ended before they began); Go's own trace format (it needs Go's viewer).
#include "runtime/diag/trace.h"

#include <sys/stat.h>

#include "runtime/base/print.h"
#include "runtime/base/syscall.h"
#include "runtime/diag/trace_raw.h"
#include "runtime/sched/proc.h"

namespace runtime {

namespace {

constexpr int kReadWrite = 3, kPrivate = 2, kAnonymous = 0x20, kPopulate = 0x8000;  // mmap's

constexpr std::uint32_t kMaxBufs = 1024;  // 64 MB that wait to be written: events beyond are dropped, and counted

constexpr std::int32_t kEEXIST = 17, kENOSPC = 28, kELOOP = 40;

enum : std::uint32_t { kOff, kOn, kWriting, kDone };

struct {
  std::uint32_t lock;         // a spin lock: see the head of the file
  traceBuf *full, *fullTail;  // lock
  traceBuf* free;             // lock
  traceBuf* bufs;             // lock: all there are
  std::uint32_t nbufs;        // lock
  traceBuf* noP;              // lock: events of Ms without a P
  traceBuf* writing;          // whoever drains: on its way to the file
  uintptr off;                // whoever drains: the raw file's length
  std::uint64_t dropped;      // atomic
  g* reader;                  // atomic: the reader, while it is parked
  std::uint32_t state;        // atomic: below
  std::uint32_t stopping;     // atomic: somebody is in traceStop
  std::uint32_t by;           // the thread that turns the raw file into JSON
  std::int32_t rawError;      // whoever drains: why the raw file is not complete; 0 if it is
  bool failed;                // by: the trace is not complete
  std::uint32_t pid;          // init
  std::int32_t fd, rawfd;     // init
  std::uint64_t tsc0;
  std::int64_t ns0;
} tr;

void spin() {
  while (!atomic::Cas(&tr.lock, 0u, 1u)) procyield(10);
}
void unspin() { atomic::StoreRel(&tr.lock, 0u); }

// For the reader. Spin lock held.
void queue(traceBuf* b) {
  b->link = nullptr;
  b->queued = true;
  if (tr.fullTail != nullptr)
    tr.fullTail->link = b;
  else
    atomic::StoreRel(&tr.full, b);
  tr.fullTail = b;
  atomic::StoreRel(&tracePending, 1u);
}

// Queues b, if it is not null, and gives an empty buffer for a P; null when there are too many. Spin lock held.
traceBuf* nextbuf(traceBuf* b, std::int32_t pid) {
  if (b != nullptr) queue(b);
  traceBuf* f = tr.free;
  if (f != nullptr) {
    tr.free = f->link;
  } else {
    if (tr.nbufs == kMaxBufs) return nullptr;
    // With its pages: they come during what is being measured.
    int err = 0;
    void* p = mmap(nullptr, kTraceBufBytes, kReadWrite, kPrivate | kAnonymous | kPopulate, -1, 0, &err);
    if (err != 0) return nullptr;
    f = static_cast<traceBuf*>(p);
    tr.nbufs++;
    f->all = tr.bufs;
    tr.bufs = f;
  }
  f->base = f->last = __builtin_ia32_rdtsc();
  f->pid = pid;
  f->mid = ~0u;  // the first record says
  f->who = 0;
  return f;
}

ALWAYS_INLINE bool full(const traceBuf* b, std::uint32_t words = kTraceMaxWords) {
  return b == nullptr || b->n + words > traceBuf::kWords;
}

// Once in the program, not at each of its four calls: every program carries this code.
[[gnu::noinline]] void put(traceBuf* b, std::uint64_t now, int ev, const g* gp, uintptr arg, const m* mp) {
  traceAppend(b, now, static_cast<std::uint32_t>(mp->id) & 0xffff, ev,
              gp != nullptr ? static_cast<std::uint32_t>(gp->goid) : 0, static_cast<std::uint32_t>(arg));
}

// The rare ways: a new buffer, or no P.
[[gnu::noinline]] void putSlow(p* pp, int ev, g* gp, uintptr arg, const m* mp) {
  spin();
  traceBuf* b = nullptr;
  if (tr.state == kOn) {
    if (pp != nullptr) {
      b = nextbuf(static_cast<traceBuf*>(pp->tracebuf), pp->id);
      pp->tracebuf = b;
    } else {
      if (full(tr.noP)) tr.noP = nextbuf(tr.noP, -1);
      b = tr.noP;
    }
    if (b != nullptr)
      put(b, __builtin_ia32_rdtsc(), ev, gp, arg, mp);
    else
      atomic::Xadd(&tr.dropped, std::uint64_t{1});
  }
  unspin();
}

void traceEvent(int ev, g* gp, uintptr arg) {
  const m* mp = getg()->m;
  p* pp = mp->p;
  if (traceStarts(ev)) arg = gp->gopc;  // what the goroutine is called by
  if (traceStarts(ev) || ev == traceEvGoCreate || ev == traceEvGCSTWStart)
    arg = arg != 0 ? arg - reinterpret_cast<uintptr>(traceText) : 0;
  if (LIKELY(pp != nullptr)) {
    auto* b = static_cast<traceBuf*>(pp->tracebuf);
    if (LIKELY(!full(b))) return put(b, __builtin_ia32_rdtsc(), ev, gp, arg, mp);
  }
  putSlow(pp, ev, gp, arg, mp);
}

// Both events for one look at the clock, which is half of an event's price.
void traceSwitch(int ev, g* gp, uintptr arg, g* next) {
  const m* mp = getg()->m;
  auto* b = static_cast<traceBuf*>(mp->p->tracebuf);
  if (UNLIKELY(full(b, 2 * kTraceMaxWords))) {
    traceEvent(ev, gp, arg);
    return traceEvent(traceEvGoStart, next, 0);
  }
  std::uint64_t now = __builtin_ia32_rdtsc();
  put(b, now, ev, gp, arg, mp);
  put(b, now, traceEvGoStart, next, next->gopc != 0 ? next->gopc - reinterpret_cast<uintptr>(traceText) : 0, mp);
}

// Run by findRunnable before it looks for anything else.
g* traceReader() {
  if (atomic::LoadAcq(&tr.full) == nullptr || atomic::Load(&tr.reader) == nullptr) return nullptr;
  return atomic::Xchg(&tr.reader, static_cast<g*>(nullptr));
}

// Appends a buffer to the raw file. What does not fit on the disk is counted as dropped, and the end will tell.
void writeRaw(traceBuf* b) {
  constexpr int kSysPwrite64 = 18;
  uintptr size = traceBuf::size(b->n);
  for (uintptr at = 0; at < size;) {
    long n = syscall6(kSysPwrite64, tr.rawfd, reinterpret_cast<long>(b) + static_cast<long>(at),
                      static_cast<long>(size - at), static_cast<long>(tr.off + at));
    if (n == -4) continue;  // EINTR
    if (n <= 0) {
      tr.rawError = n < 0 ? static_cast<std::int32_t>(-n) : kENOSPC;
      for (traceCursor c(b); c.step();) atomic::Xadd(&tr.dropped, std::uint64_t{1});
      return;
    }
    at += static_cast<uintptr>(n);
  }
  tr.off += size;
}

// Writes what is queued. One goroutine at a time: the reader, or traceStop when the reader is parked.
void drain() {
  for (;;) {
    spin();
    traceBuf* b = tr.full;
    if (b != nullptr) {
      tr.full = b->link;
      if (tr.full == nullptr) tr.fullTail = nullptr;
      tr.writing = b;
    } else {
      atomic::StoreRel(&tracePending, 0u);
    }
    unspin();
    if (b == nullptr) return;
    entersyscall();
    writeRaw(b);
    exitsyscall();
    spin();
    tr.writing = nullptr;
    b->n = 0;
    b->queued = false;
    b->link = tr.free;
    tr.free = b;
    unspin();
  }
}

void readerMain(void*) {
  for (;;) {
    drain();
    gopark(
        [](g* gp, void*) {
          atomic::Store(&tr.reader, gp);
          // A buffer may have come before anybody could see us waiting; whoever takes us out of tr.reader readies us.
          return atomic::LoadAcq(&tr.full) == nullptr || atomic::Xchg(&tr.reader, static_cast<g*>(nullptr)) == nullptr;
        },
        nullptr, waitReasonTraceReaderBlocked);
  }
}

// The two clocks at one moment, as near as can be: a thread that is stopped between the looks tries again.
void bothClocks(std::uint64_t* tsc, std::int64_t* ns) {
  std::uint64_t best = ~std::uint64_t{0};
  for (int i = 0; i < 8; i++) {
    std::uint64_t a = cputicks();
    std::int64_t t = nanotime();
    std::uint64_t b = cputicks();
    if (b - a >= best) continue;
    best = b - a;
    *tsc = a + (b - a) / 2;
    *ns = t;
  }
}

// From the raw file to JSON. Nobody writes to the raw file any more.
void convert() {
  std::uint64_t tsc;
  std::int64_t ns;
  bothClocks(&tsc, &ns);
  if (tsc <= tr.tsc0 || ns <= tr.ns0) tsc = tr.tsc0 + 1, ns = tr.ns0 + 1;
  traceClock clock{tr.tsc0,
                   static_cast<std::uint64_t>((static_cast<unsigned __int128>(ns - tr.ns0) << 32) / (tsc - tr.tsc0))};
  int err = 0;
  void* raw = nullptr;
  if (tr.off != 0) raw = mmap(nullptr, tr.off, kReadWrite, kPrivate | kPopulate, tr.rawfd, 0, &err);
  if (err != 0) printf("runtime: GODEBUG=exectrace: cannot read what was recorded: error {}\n", err);
  if (tr.rawError != 0)
    printf("runtime: GODEBUG=exectrace: no room to record: error {}, {} events are missing\n", tr.rawError, tr.dropped);
  std::int32_t e = traceWriteJSON(tr.fd, static_cast<char*>(raw), err != 0 ? 0 : tr.off, clock, tr.dropped);
  if (e != 0) printf("runtime: GODEBUG=exectrace: cannot write {}: error {}\n", debug.exectrace, e);
  tr.failed = err != 0 || tr.rawError != 0 || e != 0;
  closefd(tr.fd);
  closefd(tr.rawfd);
}

// Who may: a signal to the process often comes more than once, to several threads, and each is about to end it.
bool beginWriting() {
  std::uint32_t me = gettid();
  if (atomic::Cas(&tr.state, std::uint32_t{kOn}, std::uint32_t{kWriting})) {
    tr.by = me;
    return true;
  }
  // Unless we are the one who writes, and have crashed over it.
  while (atomic::Load(&tr.state) == kWriting && tr.by != me) usleep(1000);
  return false;
}

// The program ends by a crash or a signal: on whatever stack, with others perhaps still running. All that is recorded so
// far is written, and no lock waited for that the crashed code may hold.
bool traceCrash() {
  if (getpid() != tr.pid) return true;  // a forked child: the trace is its parent's
  if (!beginWriting()) return !tr.failed;
  hooks.traceEvent = nullptr;
  for (int i = 0; i < 1000 && !atomic::Cas(&tr.lock, 0u, 1u); i++) procyield(100);
  if (traceBuf* b = tr.writing; b != nullptr && b->n != 0) writeRaw(b);
  for (traceBuf* b = tr.full; b != nullptr; b = b->link) writeRaw(b);
  for (traceBuf* b = tr.bufs; b != nullptr; b = b->all)
    if (b->n != 0 && !b->queued) writeRaw(b);
  convert();
  atomic::Store(&tr.state, std::uint32_t{kDone});
  return !tr.failed;
}

// ---- the file ----

constexpr int kWrite = 1, kRdWr = 2, kCreate = 0100, kExcl = 0200, kNofollow = 0400000, kCloexec = 02000000;

// The number in /dev/fd/N and its other names, which are links to what a descriptor of ours has open; -1: another name.
std::int32_t ownDescriptor(std::string_view name) {
  if (name == "/dev/stdout") return 1;
  if (name == "/dev/stderr") return 2;
  for (std::string_view dir : {"/dev/fd/", "/proc/self/fd/"})
    if (std::int32_t n; name.starts_with(dir) && atoi32(name.substr(dir.size()), &n) && n >= 0) return n;
  return -1;
}

// What a program leaves that never comes to its end is JSON too.
long begun(long fd) {
  constexpr int kSysPwrite64 = 18;
  syscall6(kSysPwrite64, fd, reinterpret_cast<long>(kTraceEmpty), static_cast<long>(__builtin_strlen(kTraceEmpty)), 0);
  return fd;
}

// A descriptor to write the trace to, or -errno. The file may be an older trace of the same name, a pipe, a device; but
// in a directory where others may write its name may be a link that they have put there, to what is not theirs to change.
long openTrace(const char* name) {
  constexpr int kSysFcntl = 72, kDupCloexec = 1030, kSysFstat = 5, kSysFtruncate = 77;
  if (std::int32_t own = ownDescriptor(name); own >= 0) return syscall6(kSysFcntl, own, kDupCloexec, 3);
  long fd = open(name, kWrite | kCreate | kExcl | kNofollow | kCloexec, 0644);
  if (fd >= 0) return begun(fd);
  if (fd != -kEEXIST) return fd;
  fd = open(name, kWrite | kNofollow | kCloexec, 0);
  if (fd < 0) return fd;
  struct stat st;
  long r = syscall6(kSysFstat, fd, reinterpret_cast<long>(&st));
  if (r == 0 && S_ISREG(st.st_mode)) r = st.st_nlink > 1 ? -kELOOP : syscall6(kSysFtruncate, fd, 0);
  if (r == 0) return begun(fd);
  closefd(static_cast<std::int32_t>(fd));
  return r;
}

}  // namespace

void traceStart() {
  if (debug.exectrace == nullptr || tr.state != kOff) return;
  constexpr int kSysUnlink = 87, kSysMemfdCreate = 319;
  long fd = openTrace(debug.exectrace);
  if (fd < 0) {
    if (fd == -kELOOP)
      printf("runtime: GODEBUG=exectrace: {} is a link, which is not followed\n", debug.exectrace);
    else
      printf("runtime: GODEBUG=exectrace: cannot open {}: error {}\n", debug.exectrace, -fd);
    return;
  }
  // The raw file lies beside it, without a name. Beside a pipe or a device it lies in memory.
  char name[1100];
  name[snprint(name, sizeof name - 1, "{}.{}", debug.exectrace, getpid())] = '\0';
  long raw = open(name, kRdWr | kCreate | kExcl | kNofollow | kCloexec, 0600);
  if (raw >= 0)
    syscall6(kSysUnlink, reinterpret_cast<long>(name));
  else
    raw = syscall6(kSysMemfdCreate, reinterpret_cast<long>("exectrace"), 1 /* MFD_CLOEXEC */);
  if (raw < 0) {
    printf("runtime: GODEBUG=exectrace: no room to record in: error {}\n", -raw);
    closefd(static_cast<std::int32_t>(fd));
    return;
  }
  tr.fd = static_cast<std::int32_t>(fd);
  tr.rawfd = static_cast<std::int32_t>(raw);
  bothClocks(&tr.tsc0, &tr.ns0);
  void* block;
  g* reader = newproc_begin(readerMain, 0, 1, reinterpret_cast<uintptr>(&traceStart) + 1, &block);
  reader->isSystem = true;
  atomic::Xadd(&sched.ngsys, 1u);
  tr.pid = getpid();
  hooks.traceStop = traceStop;
  hooks.traceCrash = traceCrash;
  stopTheWorld("exectrace");
  tr.state = kOn;
  hooks.traceReader = traceReader;
  hooks.traceSwitch = traceSwitch;
  hooks.traceEvent = traceEvent;
  m* mp = acquirem();
  traceEvent(traceEvProcStart, nullptr, static_cast<uintptr>(mp->p->id));
  traceEvent(traceEvGoStart, getg(), 0);
  releasem(mp);
  startTheWorld();
  newproc_commit(reader);
}

bool traceStop() {
  if (getpid() != tr.pid) return true;
  g* gp = getg();
  if (gp == nullptr || gp != gp->m->curg || gp->m->p == nullptr || gp->m->locks != 0 || gp->syscallsp != 0)
    return traceCrash();
  if (!atomic::Cas(&tr.stopping, 0u, 1u)) {
    while (atomic::Load(&tr.state) != kDone) Gosched();
    return !tr.failed;
  }
  stopTheWorld("exectrace ends");
  hooks.traceEvent = nullptr;
  hooks.traceReader = nullptr;
  spin();
  for (traceBuf* b = tr.bufs; b != nullptr; b = b->all)
    if (b->n != 0 && !b->queued) queue(b);
  tr.noP = nullptr;
  unspin();
  for (std::int64_t i = 0; i < allp.len; i++) allp.array[i]->tracebuf = nullptr;
  startTheWorld();
  // Take the reader out, as the scheduler would, when it has parked; nobody readies it any more.
  while (atomic::Xchg(&tr.reader, static_cast<g*>(nullptr)) == nullptr) Gosched();
  drain();
  if (beginWriting()) {
    convert();
    atomic::Store(&tr.state, std::uint32_t{kDone});
  }
  return !tr.failed;
}

}  // namespace runtime
