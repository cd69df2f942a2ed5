// Finalizers: functions that run when an object can no longer be reached. (Go's mfinal.go.)
//
// Owns: the table of objects with finalizers, the queue of those to be run, and the goroutine that runs them.
//
// Two kinds: what the program sets (SetFinalizer), and destructors of what New<T> made. An object with both is finalized
// first, and destroyed in a later cycle. After marking, what is due of those still white goes to the queue, which keeps
// it for one more cycle.
//
// A finalizer may make its object reachable again. So what the object refers to is kept as if the object were alive, but
// not the object itself: of two objects of which one refers to the other, the referring one goes first, and a circle of
// them is never finalized.
//
// Destructors are due all at once (mfinalorder.cpp), a circle's too: in C++ every type with a string in it has one, and
// circles of such objects are garbage like any other. An object that one with a finalizer refers to is not due yet; one
// with a finalizer that an object to be destroyed refers to is kept until that is done.
//
// Invariants
//   - The table is no root, the queue is (its entries are scanned), and so are the closures, which are manual memory.
//   - Small objects without pointers share a block, and live and die with it: an entry is known by the object's own
//     address, and all that are due of a block go to the queue in one cycle.
// Way not taken: Go's records hung on spans. A table apart leaves spans and sweeping alone.
#pragma GCC optimize("Os")
#include "runtime/gc/mfinalorder.h"
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/malloc.h"
#include "runtime/sync/chan.h"

namespace runtime {

struct finalizer {
  uintptr key;  // keyOf(object, kind); 0: never used, 1: removed
  void (*fn)(void* obj, void* closure);
  void* closure;
};

namespace {

enum finKind : uintptr { kindFinalizer, kindDestructor };
constexpr uintptr kRemoved = 1;
constexpr std::uint32_t kFinJob = 512;

uintptr keyOf(uintptr obj, finKind kind) { return obj << 1 | kind; }
uintptr objOf(uintptr key) { return key >> 1; }

struct queued {
  queued* next;
  void* obj;
  void (*fn)(void* obj, void* closure);
  void* closure;
};

struct {
  mutex lock{0, lockRankFin};
  finalizer* table;     // lock, or STW
  std::uint64_t cap;    // lock: a power of two
  std::uint64_t used;   // lock: entries that are not 0
  std::uint64_t n;      // lock: entries in force
  queued *head, *tail;  // lock
  g* gp;
  std::uint32_t created;  // atomic
  bool wait;              // lock
} fin GOSYM("runtime.fin") = {};

std::uint64_t hash(uintptr key) { return key * 0x9e3779b97f4a7c15ull >> 20; }

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
    // While it runs what the program gave it, it is one of the program's: tracebacks show where it waits, and a deadlock
    // counts it. NumGoroutine does not.
    g* gp = getg();
    gp->isSystem = false;
    fn(obj, closure);
    gp->isSystem = true;
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
    uintptr key = fin.table[i].key;
    if (key <= kRemoved || (key & 1) != kindFinalizer) continue;
    mspan* s;
    uintptr obj = findObject(objOf(key), &s);
    if (obj == 0 || (s->spanclass & 1) != 0) continue;
    // A pointer into itself, as a short std::string has, does not keep an object alive.
    for (auto *q = reinterpret_cast<const uintptr*>(obj), *end = q + s->elemsize / 8; q < end; q++)
      if (*q - obj >= s->elemsize) greyobject(*q, w);
  }
}

// The entry goes from the table to the front of *list.
static void toQueue(finalizer* f, queued** list) {
  // On a P that is ours while the world is stopped: its cache may be used.
  auto* q = static_cast<queued*>(mallocgc(sizeof(queued), kManual));
  *q = {*list, reinterpret_cast<void*>(objOf(f->key)), f->fn, f->closure};
  *list = q;
  f->key = kRemoved;
  fin.n--;
}

static void append(queued* list) {
  if (list == nullptr) return;
  if (fin.tail != nullptr)
    fin.tail->next = list;
  else
    fin.head = list;
  while (list->next != nullptr) list = list->next;
  fin.tail = list;
}

static queued* dead;  // STW: those to be destroyed, the first of them first

// The block at obj is dead; what it refers to has been here before.
static void deadObject(uintptr obj, const mspan* s) {
  uintptr n = s->spanclass == tinySpanClass ? tinySize : 1;  // addresses at which an object may begin
  for (uintptr p = obj; p < obj + n; p++)
    if (finalizer* f = lookup(keyOf(p, kindDestructor)); f != nullptr && lookup(keyOf(p, kindFinalizer)) == nullptr)
      toQueue(f, &dead);
}

void finQueue(gcWork* w) {
  if (fin.n == 0) return;
  dead = nullptr;
  finOrder order(w, deadObject);
  for (std::uint64_t i = 0; i < fin.cap; i++) {
    uintptr key = fin.table[i].key, obj = objOf(key);
    if (key <= kRemoved || (key & 1) != kindDestructor || isMarked(obj)) continue;
    if (lookup(keyOf(obj, kindFinalizer)) == nullptr) order.from(obj);
  }
  append(dead);
  dead = nullptr;
  queued* due = nullptr;
  for (std::uint64_t i = 0; i < fin.cap; i++) {
    uintptr key = fin.table[i].key;
    if (key > kRemoved && (key & 1) == kindFinalizer && !isMarked(objOf(key))) toQueue(&fin.table[i], &due);
  }
  // Marked when all are known, for the mark is the block's.
  for (queued* q = due; q != nullptr; q = q->next) greyobject(reinterpret_cast<uintptr>(q->obj), w);
  append(due);
}

void chanSetFinalizer(void* obj, void (*f)(void*)) {
  add(
      keyOf(reinterpret_cast<uintptr>(obj), kindDestructor),
      [](void* o, void* c) { reinterpret_cast<void (*)(void*)>(c)(o); }, reinterpret_cast<void*>(f));
}

// boot/mem.h. tiny: the object has no pointers and less than a block, and may share one with others; it may also be a
// part of a larger object then, as in Go.
bool setfinalizer(void* obj, void (*fn)(void*, void*), void* closure, bool tiny) GOSYM("runtime.SetFinalizer");
bool setfinalizer(void* obj, void (*fn)(void*, void*), void* closure, bool tiny) {
  if (obj == nullptr) throw_("runtime.SetFinalizer: first argument is nil");
  auto p = reinterpret_cast<uintptr>(obj);
  if (obj == &zerobase) return false;
  mspan* s;
  uintptr base = findObject(p, &s);
  if (base == 0) throw_("runtime.SetFinalizer: pointer not in heap");
  if (base != p && !tiny) throw_("runtime.SetFinalizer: pointer not at beginning of allocated block");
  if (fn == nullptr) {
    lock(&fin.lock);
    finalizer old{};
    if (finalizer* f = lookup(keyOf(p, kindFinalizer)); f != nullptr) {
      old = *f;
      f->key = kRemoved;
      fin.n--;
    }
    unlock(&fin.lock);
    if (old.fn != nullptr) old.fn(nullptr, old.closure);  // only frees the closure
    return old.fn != nullptr;
  }
  if (!add(keyOf(p, kindFinalizer), fn, closure)) throw_("runtime.SetFinalizer: finalizer already set");
  return true;
}

void setdestructor(void* obj, void (*fn)(void*, void*)) GOSYM("runtime.setdestructor");
void setdestructor(void* obj, void (*fn)(void*, void*)) {
  if (!add(keyOf(reinterpret_cast<uintptr>(obj), kindDestructor), fn, nullptr))
    throw_("runtime.setdestructor: object has one already");
}

}  // namespace runtime
