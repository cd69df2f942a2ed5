// New goroutines, seen from inside: where the argument block lies, what newproc1 writes, dead Gs and goids.
// CLAIMS: [C26] [C31] [C32] [C33] [C34] [C35]
// PROCS: 1
// ENV: GODEBUG=asyncpreemptoff=1,tracebackancestors=3
// STDOUT-NOT: ^FAILED
// STDOUT-MATCH: ^26 checks$
#include "claims.h"

using claims::check;
using namespace runtime;

namespace {

boot::chan<int> done = boot::make_chan<int>();

void fn(void*) { done.send(1); }

g* begin(std::size_t narg, void** data, uintptr pc = 0x1234) { return newproc_begin(fn, narg, 8, pc, data); }

p* thisP() { return getg()->m->p; }

void blocks() {
  for (std::size_t narg : {std::size_t{1}, std::size_t{5}, std::size_t{8}, std::size_t{13}, std::size_t{400}}) {
    void* data;
    g* newg = begin(narg, &data);
    auto at = reinterpret_cast<uintptr>(data);
    uintptr rounded = (narg + 7) & ~uintptr{7};
    check("C31", "the block is narg rounded up to 8, below stack.hi, aligned to 16",
          at == ((newg->stack.hi - rounded) & ~uintptr{15}));
    newproc_abort(newg);
  }
}

void fields() {
  void* data;
  g* newg = begin(8, &data);
  auto* sp = reinterpret_cast<uintptr*>(newg->sched.sp);
  check("C26", "an ordinary goroutine starts with 2048 bytes", newg->stack.hi - newg->stack.lo == 2048);
  check("C26", "runtime.g0 has 64 KB less 104 bytes and the 8 words of rt0_go",
        g0.stack.hi - g0.stack.lo == 64 * 1024 - 104);
  check("C31", "until it is committed the new G is _Gdead", readgstatus(newg) == _Gdead);
  check("C34", "sched.pc is the function", newg->sched.pc == reinterpret_cast<uintptr>(fn));
  check("C34", "the return address is goexit + PCQuantum", *sp == reinterpret_cast<uintptr>(&goexit) + PCQuantum);
  check("C34", "sp is 8 modulo 16, as after a call", newg->sched.sp % 16 == 8);
  check("C34", "the rest of sched is cleared",
        newg->sched.ret == 0 && newg->sched.lr == 0 && newg->sched.bp == 0 && newg->sched.g == newg);
  check("C35", "gopc is the go statement", newg->gopc == 0x1234);
  check("C35", "startpc is the function", newg->startpc == reinterpret_cast<uintptr>(fn));
  check("C35", "ancestors: main made it",
        newg->ancestors != nullptr && newg->ancestors->len == 1 && newg->ancestors->array[0].goid == getg()->goid);
  m* mp = acquirem();  // nobody may run it before it is looked at
  newproc_commit(newg);
  bool runnable = readgstatus(newg) == _Grunnable;
  releasem(mp);
  check("C35", "committed it is _Grunnable", runnable);
  done.recv();
  while (readgstatus(newg) != _Gdead) Gosched();
  check("C31", "the next go statement takes the dead G", begin(8, &data) == newg);
  newproc_abort(newg);
}

void ancestors() {
  std::int64_t chain[4] = {};
  boot::go([&] {
    chain[0] = getg()->goid;
    boot::go([&] {
      chain[1] = getg()->goid;
      boot::go([&] {
        chain[2] = getg()->goid;
        boot::go([&] {
          auto* a = getg()->ancestors;
          chain[3] = a->len == 3 && a->array[0].goid == chain[2] && a->array[1].goid == chain[1] &&
                     a->array[2].goid == chain[0];
          done.send(1);
        });
      });
    });
  });
  done.recv();
  check("C35", "the three youngest ancestors are kept, under tracebackancestors=3", chain[3] == 1);
}

void goids() {
  void* data;
  g* a = begin(0, &data);
  std::int64_t first = a->goid;
  newproc_abort(a);
  bool consecutive = true, batches = true;
  for (int i = 1; i <= 40; i++) {
    std::uint64_t before = sched.goidgen;
    bool empty = thisP()->goidcache == thisP()->goidcacheend;
    a = begin(0, &data);
    consecutive &= a->goid == first + i;
    batches &= sched.goidgen == before + (empty ? 16 : 0);
    newproc_abort(a);
  }
  check("C35", "goids count up", consecutive);
  check("C35", "and come in batches of 16 from sched.goidgen", batches);
}

// Dead Gs: more than 64 on a P go to the global list by halves; an empty P takes 32 from there.
void freelists() {
  constexpr int n = 200;
  for (int i = 0; i < n; i++) boot::go([] { done.send(1); });
  for (int i = 0; i < n; i++) done.recv();
  while (NumGoroutine() > 1) Gosched();
  p* pp = thisP();
  check("C32", "a P keeps fewer than 64 dead Gs", pp->gFreeN < 64);
  check("C32", "the others are on the global list", sched.gFree.n >= n - 64);
  g* taken[64];
  int k = 0;
  void* data;
  while (pp->gFreeN > 0) taken[k++] = begin(0, &data);
  std::int32_t global = sched.gFree.n;
  g* last = begin(0, &data);
  check("C32", "an empty list is filled with 32 from the global one", pp->gFreeN == 31 && sched.gFree.n == global - 32);
  newproc_abort(last);
  while (k > 0) newproc_abort(taken[--k]);
}

void stacks() {
  std::uint64_t made = allglen;
  void* data;
  g* all[2000];
  int k = 0;
  while (allglen == made) all[k++] = begin(0, &data);
  check("C31", "with no dead G left, malg makes one and allgadd notes it",
        allgptr[allglen - 1] == all[k - 1] && readgstatus(all[k - 1]) == _Gdead);
  while (k > 0) newproc_abort(all[--k]);
  bool rounded = false, idle = false;
  systemstack([&] {
    g* x = malg(5000);
    rounded = x->stack.hi - x->stack.lo == 8192;
    idle = readgstatus(x) == _Gidle;
    gfreestack(x);
  });
  check("C33", "malg rounds up to a power of two", rounded);
  check("C33", "what malg makes is _Gidle", idle);
}

}  // namespace

void main_main() {
  blocks();
  fields();
  ancestors();
  goids();
  freelists();
  stacks();
  claims::done();
}
