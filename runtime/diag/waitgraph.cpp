// The wait graph; see waitgraph.h. scripts/gdbext/waitgraph.py draws the same for a live process or a core.
//
// A channel or a mutex does not say who will use it next. But who has no pointer to it can't: an object is "known to" the
// goroutines whose stacks mention it, or to everybody if a global variable does. From a goroutine there is an edge to
// each that knows what it waits for and does not wait for the same; a circle of edges is a set of goroutines that wait
// for each other.
//
// Invariants
//   - It runs when all goroutines are asleep, on g0, in a process that is about to die: nothing moves, and nothing is
//     allocated.
//   - Words on a stack that are left over from a frame gone by count as mentions, too: the graph may show an edge too
//     many, never one too few, but for objects that only the heap points to.
#include "runtime/diag/waitgraph.h"

#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/print.h"
#include "runtime/base/symtab.h"
#include "runtime/mem/stack.h"
#include "runtime/sched/proc.h"
#include "runtime/sync/chan_inl.h"
#include "runtime/sync/semaroot.h"

namespace runtime {

namespace {

constexpr int kMaxNodes = 64;  // a mask is one word; who has more goroutines has the debugger's wait-graph
constexpr int kMaxObjects = 8;
// A Mutex's semaphore lies 4 bytes into it, a Once's and a WaitGroup's 8, an RWMutex's 8, 12 and 16.
constexpr uintptr kSemaReach = 16;

struct object {
  uintptr addr;
  bool chan, send;
  bool everybody;
  std::uint64_t known;  // bit i: node i
};

struct node {
  g* gp;
  int nobj;
  object obj[kMaxObjects];
  std::uint64_t edges;
};

BIGTABLE node nodes[kMaxNodes];
int nnodes;

// The semaphore that gp waits on: the trees are small, and searched as a whole.
uintptr semaphoreOf(const sudog* s, const g* gp) {
  if (s == nullptr) return 0;
  for (const sudog* w = s; w != nullptr; w = w->waitlink)
    if (w->g == gp) return reinterpret_cast<uintptr>(s->elem);
  if (uintptr a = semaphoreOf(s->prev, gp)) return a;
  return semaphoreOf(s->next, gp);
}

bool queuedIn(const waitq& q, const sudog* sg) {
  for (const sudog* s = q.first; s != nullptr; s = s->next)
    if (s == sg) return true;
  return false;
}

void collect(node& n) {
  n.nobj = 0;
  n.edges = 0;
  for (sudog* s = n.gp->waiting; s != nullptr && n.nobj < kMaxObjects; s = s->waitlink)
    if (s->c != nullptr) n.obj[n.nobj++] = {reinterpret_cast<uintptr>(s->c), true, queuedIn(s->c->sendq, s), false, 0};
  if (n.nobj != 0) return;
  for (const semaRoot& root : semtable)
    if (uintptr a = semaphoreOf(root.treap, n.gp)) {
      n.obj[n.nobj++] = {a, false, false, false, 0};
      return;
    }
}

bool mentions(uintptr lo, uintptr hi, const object& o) {
  uintptr reach = o.chan ? 0 : kSemaReach;
  for (uintptr p = lo & ~uintptr{7}; p + 8 <= hi; p += 8)
    if (o.addr - *reinterpret_cast<const uintptr*>(p) <= reach) return true;
  return false;
}

bool knows(const g* gp, const object& o) {
  bool found = false;
  eachStackRange(gp, gp->sched.sp, [&](uintptr lo, uintptr hi) { found = found || (lo != 0 && mentions(lo, hi, o)); });
  return found;
}

bool global(const object& o) {
  const moduledata& md = firstmoduledata;
  if (o.addr >= md.data && o.addr < md.edata) return true;
  // Semaphores in use are in the runtime's own table; who mentions those in a global, does so by a larger struct's.
  // (Our own list of nodes is a global variable, too.)
  uintptr own = reinterpret_cast<uintptr>(nodes), ownEnd = reinterpret_cast<uintptr>(nodes + kMaxNodes);
  return o.chan && (mentions(md.data, own, o) || mentions(ownEnd, md.edata, o));
}

bool sameWait(const node& n, const object& o) {
  for (int i = 0; i < n.nobj; i++)
    if (n.obj[i].addr == o.addr && n.obj[i].send == o.send) return true;
  return false;
}

void connect() {
  for (int i = 0; i < nnodes; i++)
    for (int k = 0; k < nodes[i].nobj; k++) {
      object& o = nodes[i].obj[k];
      o.everybody = global(o);
      for (int j = 0; j < nnodes; j++) {
        if (j == i || sameWait(nodes[j], o) || !knows(nodes[j].gp, o)) continue;
        o.known |= std::uint64_t{1} << j;
        nodes[i].edges |= std::uint64_t{1} << j;
      }
    }
}

void print(const node& n) {
  char line[kPrintBuf];
  if (n.nobj == 0) {
    printf("goroutine {} [{}] waits for nothing that anybody could do\n", n.gp->goid,
           waitReasonStrings[n.gp->waitreason]);
    return;
  }
  for (int k = 0; k < n.nobj; k++) {
    const object& o = n.obj[k];
    std::size_t len =
        snprint(line, sizeof line, "goroutine {} [{}] waits to ", n.gp->goid, waitReasonStrings[n.gp->waitreason]);
    if (o.chan) {
      auto* c = reinterpret_cast<const hchan*>(o.addr);
      len += snprint(line + len, sizeof line - len, "{} chan {:#x} ({} of {})", o.send ? "send on" : "receive on",
                     o.addr, c->qcount, c->dataqsiz);
    } else {
      len += snprint(line + len, sizeof line - len, "acquire semaphore {:#x}", o.addr);
    }
    if (o.everybody) {
      len += snprint(line + len, sizeof line - len, ", known to everybody");
    } else if (o.known == 0) {
      len += snprint(line + len, sizeof line - len, ", known to nobody else");
    } else {
      len += snprint(line + len, sizeof line - len, ", known to");
      const char* comma = "";
      for (int j = 0; j < nnodes && len < sizeof line - 60; j++)
        if (o.known >> j & 1) {
          len += snprint(line + len, sizeof line - len, "{} goroutine {}", comma, nodes[j].gp->goid);
          comma = ",";
        }
    }
    line[len++] = '\n';
    writeErr(line, len);
  }
}

// The shortest way from start along the edges back to start; false if there is none.
bool circleFrom(int start, std::uint64_t within) {
  std::int8_t came[kMaxNodes];
  int todo[kMaxNodes], head = 0, tail = 0;
  std::uint64_t seen = std::uint64_t{1} << start;
  todo[tail++] = start;
  came[start] = -1;
  while (head < tail) {
    int a = todo[head++];
    for (int b = 0; b < nnodes; b++) {
      if (!((nodes[a].edges & within) >> b & 1)) continue;
      if (b == start) {
        // Back along the way, then print it forward.
        int path[kMaxNodes], n = 0;
        for (int x = a; x >= 0; x = came[x]) path[n++] = x;
        char line[kPrintBuf];
        std::size_t len = snprint(line, sizeof line, "circle:");
        while (n > 0 && len < sizeof line - 80)
          len += snprint(line + len, sizeof line - len, " goroutine {} ->", nodes[path[--n]].gp->goid);
        len += snprint(line + len, sizeof line - len, " goroutine {}\n", nodes[start].gp->goid);
        writeErr(line, len);
        return true;
      }
      if (seen >> b & 1) continue;
      seen |= std::uint64_t{1} << b;
      came[b] = static_cast<std::int8_t>(a);
      todo[tail++] = b;
    }
  }
  return false;
}

}  // namespace

void printwaitgraph() {
  std::int64_t more = 0;
  nnodes = 0;
  std::uint64_t n = atomic::Load(&allglen);
  for (std::uint64_t i = 0; i < n; i++) {
    g* gp = allgptr[i];
    if (readgstatus(gp) != _Gwaiting || gp->isSystem) continue;
    if (nnodes == kMaxNodes) {
      more++;
      continue;
    }
    nodes[nnodes].gp = gp;
    collect(nodes[nnodes++]);
  }
  connect();
  printf("wait graph:\n");
  for (int i = 0; i < nnodes; i++) print(nodes[i]);
  if (more != 0) printf("...and {} goroutines more\n", more);
  // Each circle once: a goroutine that was in one is left out afterwards.
  std::uint64_t within = nnodes == kMaxNodes ? ~std::uint64_t{0} : (std::uint64_t{1} << nnodes) - 1;
  for (int i = 0; i < nnodes; i++)
    if (circleFrom(i, within)) within &= ~(std::uint64_t{1} << i);
  printf("\n");
}

void waitgraphinit() { hooks.deadlockGraph = printwaitgraph; }

}  // namespace runtime
