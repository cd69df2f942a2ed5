// The states of M, P and G and their transitions, seen from inside; a transition that is not allowed is a throw.
// CLAIMS: [C55]
// PROCS: 2 4
// REPEAT: 3
// STDOUT-NOT: ^FAILED
// STDOUT-MATCH: ^17 checks$
#include "claims.h"

#include <atomic>
#include <string_view>

using claims::check;
using namespace runtime;

namespace {

template <class F>
bool within(F f) {  // true once f is, in a second at most
  for (std::int64_t end = nanotime() + 1'000'000'000; nanotime() < end; Gosched())
    if (f()) return true;
  return false;
}

// Whether some P is in a state.
bool anyP(std::uint32_t status) {
  for (std::int64_t i = 0; i < allp.len; i++)
    if (atomic::Load(&allp.array[i]->status) == status) return true;
  return false;
}

void goroutines() {
  check("C55", "G: the running goroutine is _Grunning", readgstatus(getg()) == _Grunning);
  auto c = boot::make_chan<int>();
  std::atomic<g*> other{nullptr};
  boot::go([&, c] {
    other = getg();
    c.recv();
  });
  check("C55", "G: one that waits for a channel is _Gwaiting",
        within([&] { return other != nullptr && readgstatus(other) == _Gwaiting; }));
  check("C55", "G: and says so in waitreason", other.load()->waitreason == waitReasonChanReceive);
  m* mp = acquirem();
  void* data;
  g* fresh = newproc_begin([](void*) {}, 0, 8, 0, &data);
  bool dead = readgstatus(fresh) == _Gdead;
  releasem(mp);
  newproc_commit(fresh);
  check("C55", "G: before its go statement is complete it is _Gdead", dead);
  c.send(1);
  check("C55", "G: at its end it is _Gdead", within([&] { return readgstatus(other) == _Gdead; }));

  auto [r, w] = boot::os::Pipe();
  int rfd = r, wfd = w;
  other = nullptr;
  boot::go([&, rfd] {
    other = getg();
    char x;
    boot::os::Read(rfd, &x, 1);
  });
  check("C55", "G: one in a system call is _Gsyscall",
        within([&] { return other != nullptr && readgstatus(other) == _Gsyscall; }));
  // Its P is in _Psyscall until sysmon takes it: try often.
  bool seen = false;
  boot::os::Write(wfd, "x", 1);
  within([&] { return readgstatus(other) == _Gdead; });
  seen = within([&] {
    std::atomic<bool> stop{false};
    std::atomic<bool> ended{false};
    boot::go([&, rfd] {
      char x;
      boot::os::Read(rfd, &x, 1);
      ended = true;
    });
    bool hit = false;
    for (int i = 0; i < 100000 && !hit; i++) hit = anyP(_Psyscall);
    boot::os::Write(wfd, "x", 1);
    within([&] { return ended.load(); });
    return hit;
  });
  check("C55", "P: that of a system call is _Psyscall", seen);
  boot::os::Close(rfd);
  boot::os::Close(wfd);
}

void processors() {
  check("C55", "P: the one that runs this is _Prunning", anyP(_Prunning));
  check("C55", "P: with nothing to do it becomes _Pidle", within([] { return anyP(_Pidle); }));
  std::int32_t n = GOMAXPROCS(0);
  p* last = allp.array[n - 1];
  GOMAXPROCS(n - 1);
  check("C55", "P: one that GOMAXPROCS takes away is _Pdead", atomic::Load(&last->status) == _Pdead);
  GOMAXPROCS(n);
  check("C55", "P: and it comes back from the dead", atomic::Load(&last->status) != _Pdead);
  stopTheWorld("claim C55");
  bool stopped = true, self = false;
  for (std::int64_t i = 0; i < allp.len; i++) {
    if (allp.array[i] == getg()->m->p) self = true;
    stopped &= atomic::Load(&allp.array[i]->status) == _Pgcstop;
  }
  startTheWorld();
  check("C55", "P: all are _Pgcstop while the world is stopped, the stopper's too", stopped && self);
  check("C55", "P: and not afterwards", !anyP(_Pgcstop));
}

void threads() {
  m* mp = getg()->m;
  check("C55", "M: one that runs a goroutine has curg and p", mp->curg == getg() && mp->p != nullptr && mp->p->m == mp);
  check("C55", "M: and does not spin", !mp->spinning);
  check("C55", "M: idle ones are on sched.midle, blocked on their note", within([] {
          lock(&sched.lock);
          bool ok = sched.midle != nullptr && sched.midle->p == nullptr && sched.midle->blocked;
          unlock(&sched.lock);
          return ok;
        }));
  bool sysmonFound = false;
  for (m* x = atomic::Load(&allm); x != nullptr; x = x->alllink)
    sysmonFound |= x->mstartfn == sysmon && x->p == nullptr && x->curg == nullptr;
  check("C46", "M: sysmon's has neither P nor goroutine", sysmonFound);
}

}  // namespace

void main_main() {
  auto args = boot::os::Args();
  std::string_view what = args.size() > 1 ? args[1] : "";
  if (what == "g") {
    systemstack([gp = getg()] { casgstatus(gp, _Grunning, _Gidle); });
  } else if (what == "wrong") {
    systemstack([gp = getg()] { casgstatus(gp, _Gwaiting, _Grunnable); });
  } else if (what == "p") {
    systemstack([] { wirep(getg()->m->p); });
  } else if (what == "release") {
    systemstack([] {
      getg()->m->p->status = _Pidle;
      releasep();
    });
  } else {
    goroutines();
    processors();
    threads();
    claims::done();
  }
}
