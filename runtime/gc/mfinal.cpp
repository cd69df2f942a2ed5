// Finalizers: functions that run when an object can no longer be reached. (Go's mfinal.go.)
//
// Owns: the table of objects with finalizers, the queue of those to be run, and the goroutine that runs them.
//
// What an object with a finalizer refers to is kept as if the object were alive, but the object itself is not marked by
// that. After marking, those still white go to the queue, which keeps them for one more cycle; the finalizer may even
// make them reachable again. So of two objects of which one refers to the other, the referring one goes first, and a
// circle of them is never finalized.
//
// Two kinds: what the program sets (SetFinalizer), and destructors of what New<T> made. The program's goes first, the
// destructor in a later cycle.
//
// Invariant: the table is no root, the queue is (its entries are scanned), and so are the closures, which are manual
// memory. Way not taken: Go's records hung on spans. A table apart leaves spans and sweeping alone.
#pragma GCC optimize("Os")
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/malloc.h"
#include "runtime/sync/chan.h"

namespace runtime {

struct finalizer {
  uintptr key;  // object | kind; 0: never used, 1: removed
  void (*fn)(void* obj, void* closure);
  void* closure;
};

namespace {

constexpr uintptr kRemoved = 1, kKind = 1;
constexpr std::uint32_t kFinJob = 512;

struct queued {
  queued* next;
  void* obj;
  void (*fn)(void* obj, void* closure);
  void* closure;
};

struct {
  mutex lock;
  finalizer* table;     // lock, or STW
  std::uint64_t cap;    // lock: a power of two
  std::uint64_t used;   // lock: entries that are not 0
  std::uint64_t n;      // lock: entries in force
  queued *head, *tail;  // lock
  g* gp;
  std::uint32_t created;  // atomic
  bool wait;              // lock
} fin GOSYM("runtime.fin");

std::uint64_t hash(uintptr key) { return (key >> 1) * 0x9e3779b97f4a7c15ull >> 20; }

finalizer* lookup(uintptr key) {
  if (fin.cap == 0) return nullptr;
  for (std::uint64_t i = hash(key);; i++) {
    finalizer* f = &fin.table[i & (fin.cap - 1)];
    if (f->key == key) return f;
    if (f->key == 0) return nullptr;
  }
}

void grow() {
  std::uint64_t cap = fin.cap == 0 ? 512 : fin.n * 4 > fin.cap ? fin.cap * 2 : fin.cap;
  auto* t = static_cast<finalizer*>(sysAlloc((cap * sizeof(finalizer) + 4095) & ~4095ull, &mheap_.stats.otherSys));
  if (t == nullptr) outOfMemory(cap * sizeof(finalizer));
  for (std::uint64_t i = 0; i < fin.cap; i++) {
    if (fin.table[i].key <= kRemoved) continue;
    std::uint64_t k = hash(fin.table[i].key);
    while (t[k & (cap - 1)].key != 0) k++;
    t[k & (cap - 1)] = fin.table[i];
  }
  if (fin.table != nullptr) {
    uintptr bytes = (fin.cap * sizeof(finalizer) + 4095) & ~4095ull;
    sysFreeOS(fin.table, bytes);
    atomic::Xadd(&mheap_.stats.otherSys, -bytes);
  }
  fin.table = t;
  fin.cap = cap;
  fin.used = fin.n;
}

bool add(uintptr key, void (*fn)(void*, void*), void* closure) {
  lock(&fin.lock);
  if (lookup(key) != nullptr) {
    unlock(&fin.lock);
    return false;
  }
  if ((fin.used + 1) * 4 > fin.cap * 3) grow();
  std::uint64_t i = hash(key);
  while (fin.table[i & (fin.cap - 1)].key > kRemoved) i++;
  finalizer* f = &fin.table[i & (fin.cap - 1)];
  if (f->key == 0) fin.used++;
  *f = {key, fn, closure};
  fin.n++;
  unlock(&fin.lock);
  createfing();
  return true;
}

bool finParked(g*, void*) {
  fin.wait = true;
  unlock(&fin.lock);
  return true;
}

}  // namespace

static void runfinq(void*) GOSYM("runtime.runfinq");
LANDMARK void runfinq(void*) {
  getg()->isSystem = true;
  atomic::Xadd(&sched.ngsys, 1u);
  fin.gp = getg();
  for (;;) {
    lock(&fin.lock);
    queued* q = fin.head;
    if (q == nullptr) {
      gopark(finParked, nullptr, waitReasonFinalizerWait);
      continue;
    }
    fin.head = q->next;
    if (fin.head == nullptr) fin.tail = nullptr;
    unlock(&fin.lock);
    void *obj = q->obj, *closure = q->closure;
    auto* fn = q->fn;
    freeManual(q);
    fn(obj, closure);
  }
}

LANDMARK void createfing() {
  if (atomic::Load(&fin.created) != 0 || !atomic::Cas(&fin.created, 0u, 1u)) return;
  static funcval fv{runfinq};
  newproc(&fv);
}

LANDMARK void wakefing() {
  lock(&fin.lock);
  bool wake = fin.wait && fin.head != nullptr;
  if (wake) fin.wait = false;
  unlock(&fin.lock);
  if (wake) systemstack([] { ready(fin.gp, false); });
}

std::uint32_t finRoots() { return static_cast<std::uint32_t>((fin.cap + kFinJob - 1) / kFinJob); }

void finScan(gcWork* w, std::uint32_t job) {
  std::uint64_t i = std::uint64_t{job} * kFinJob, e = i + kFinJob;
  for (; i < e && i < fin.cap; i++) {
    if (fin.table[i].key <= kRemoved) continue;
    mspan* s;
    uintptr obj = findObject(fin.table[i].key & ~kKind, &s);
    if (obj == 0 || (s->spanclass & 1) != 0) continue;
    // A pointer into itself, as a short std::string has, does not keep an object alive.
    for (auto *q = reinterpret_cast<const uintptr*>(obj), *end = q + s->elemsize / 8; q < end; q++)
      if (*q - obj >= s->elemsize) greyobject(*q, w);
  }
}

bool finQueue(gcWork* w) {
  bool any = false;
  for (int kind = 0; kind < 2; kind++)
    for (std::uint64_t i = 0; i < fin.cap; i++) {
      finalizer* f = &fin.table[i];
      if (f->key <= kRemoved || (f->key & kKind) != static_cast<uintptr>(kind)) continue;
      uintptr obj = f->key & ~kKind;
      if (isMarked(obj)) continue;
      any = true;
      greyobject(obj, w);
      // On a P that is ours while the world is stopped: its cache may be used.
      auto* q = static_cast<queued*>(mallocgc(sizeof(queued), kManual));
      *q = {nullptr, reinterpret_cast<void*>(obj), f->fn, f->closure};
      f->key = kRemoved;
      fin.n--;
      if (fin.tail != nullptr)
        fin.tail->next = q;
      else
        fin.head = q;
      fin.tail = q;
    }
  return any;
}

void chanSetFinalizer(void* obj, void (*f)(void*)) {
  add(
      reinterpret_cast<uintptr>(obj) | kKind, [](void* o, void* c) { reinterpret_cast<void (*)(void*)>(c)(o); },
      reinterpret_cast<void*>(f));
}

// boot/mem.h.
bool setfinalizer(void* obj, void (*fn)(void*, void*), void* closure) GOSYM("runtime.SetFinalizer");
bool setfinalizer(void* obj, void (*fn)(void*, void*), void* closure) {
  if (obj == nullptr) throw_("runtime.SetFinalizer: first argument is nil");
  auto p = reinterpret_cast<uintptr>(obj);
  if (obj == &zerobase) return false;
  mspan* s;
  uintptr base = findObject(p, &s);
  if (base == 0) throw_("runtime.SetFinalizer: pointer not in heap");
  if (base != p) throw_("runtime.SetFinalizer: pointer not at beginning of allocated block");
  if (fn == nullptr) {
    lock(&fin.lock);
    finalizer old{};
    if (finalizer* f = lookup(p); f != nullptr) {
      old = *f;
      f->key = kRemoved;
      fin.n--;
    }
    unlock(&fin.lock);
    if (old.fn != nullptr) old.fn(nullptr, old.closure);  // only frees the closure
    return old.fn != nullptr;
  }
  if (!add(p, fn, closure)) throw_("runtime.SetFinalizer: finalizer already set");
  return true;
}

void setdestructor(void* obj, void (*fn)(void*, void*)) GOSYM("runtime.setdestructor");
void setdestructor(void* obj, void (*fn)(void*, void*)) { add(reinterpret_cast<uintptr>(obj) | kKind, fn, nullptr); }

}  // namespace runtime
