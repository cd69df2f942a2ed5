// The hash table of (interface, type) pairs.
//
// Invariants
//   - Open addressing, its size a power of two, at most three quarters full, entries are never removed: a reader needs no
//     lock. It loads the table's address once; a table that grew is a new one, and the old stays valid.
//   - Adding is under itabLock.
// The first table is static: itabsinit runs before much of the heap, and most programs never need a second.
#include "runtime/sched/iface.h"

#include "runtime/base/bootstep.h"
#include "runtime/base/panic.h"
#include "runtime/mem/malloc.h"
#include "runtime/os/os_linux.h"

// The linker's bounds of the two sections; weak, for a program that has none.
extern "C" {
extern const runtime::itab* const __start_boot_itabs[] __attribute__((weak));
extern const runtime::itab* const __stop_boot_itabs[] __attribute__((weak));
extern const runtime::uncommontype* const __start_boot_methods[] __attribute__((weak));
extern const runtime::uncommontype* const __stop_boot_methods[] __attribute__((weak));
}

namespace runtime {

namespace {

constexpr std::uint64_t kInitSize = 128;

struct itabTableType {
  std::uint64_t size;   // a power of two
  std::uint64_t count;  // itabLock
  const itab** entries;
};

const itab* initEntries[kInitSize];
itabTableType itabTableInit = {kInitSize, 0, initEntries};
itabTableType* itabTable GOSYM("runtime.itabTable") = &itabTableInit;  // atomic
mutex itabLock GOSYM("runtime.itabLock");

std::uint64_t itabHash(const interfacetype* inter, const rtype* typ) { return inter->hash ^ typ->hash; }

// Where a pair is or would be. Steps of 1, 2, 3, … visit every slot of a table whose size is a power of two.
const itab** slot(itabTableType* t, const interfacetype* inter, const rtype* typ) {
  std::uint64_t mask = t->size - 1, h = itabHash(inter, typ) & mask;
  for (std::uint64_t i = 1;; i++) {
    const itab** e = &t->entries[h];
    const itab* m = atomic::LoadAcq(e);
    if (m == nullptr || (m->inter == inter && m->typ == typ)) return e;
    h = (h + i) & mask;
  }
}

void add(itabTableType* t, const itab* m) {
  const itab** e = slot(t, m->inter, m->typ);
  if (*e != nullptr) return;  // several object files converted the same pair
  atomic::StoreRel(e, m);
  t->count++;
}

int compare(const char* a, const char* b) { return __builtin_strcmp(a, b); }

const uncommontype* methodsOf(const rtype* typ) {
  for (auto* u = __start_boot_methods; u != __stop_boot_methods; u++)
    if ((*u)->typ == typ) return *u;
  return nullptr;
}

// Fills fun, if it is there, with typ's methods in inter's order. Returns the alphabetically first name that is missing,
// or null.
const char* bind(const interfacetype* inter, const rtype* typ, void (**fun)()) {
  const uncommontype* u = methodsOf(typ);
  const char* missing = nullptr;
  for (std::uint32_t i = 0; i < inter->nmethods; i++) {
    const imethod& want = inter->methods[i];
    void (*found)() = nullptr;
    for (std::uint64_t j = 0; u != nullptr && j < u->nmethods; j++)
      if (u->methods[j].sig == want.sig && compare(u->methods[j].name, want.name) == 0) found = u->methods[j].fn;
    if (found == nullptr && (missing == nullptr || compare(want.name, missing) < 0)) missing = want.name;
    if (fun != nullptr) fun[i] = found;
  }
  return missing;
}

}  // namespace

LANDMARK void itabAdd(const itab* m) {
  itabTableType* t = itabTable;
  if (t->count >= t->size / 4 * 3) {
    auto* nt = static_cast<itabTableType*>(persistentalloc(sizeof(itabTableType), 8));
    nt->size = t->size * 2;
    nt->entries = static_cast<const itab**>(persistentalloc(nt->size * sizeof(itab*), 64));
    for (std::uint64_t i = 0; i < t->size; i++)
      if (t->entries[i] != nullptr) add(nt, t->entries[i]);
    if (nt->count != t->count) throw_("mismatched count during itab table copy");
    atomic::Store(&itabTable, nt);
    t = nt;
  }
  add(t, m);
}

LANDMARK const itab* getitab(const interfacetype* inter, const rtype* typ, const char** missing) {
  const itab* m = *slot(atomic::LoadAcq(&itabTable), inter, typ);
  if (m == nullptr) {
    // Made before the lock is taken: allocating may want locks of its own. If another thread is first, this one is lost.
    auto* fresh = static_cast<itab*>(persistentalloc(sizeof(itab) + inter->nmethods * sizeof(void (*)()), 8));
    auto* fun = reinterpret_cast<void (**)()>(fresh + 1);
    *fresh = {inter, typ, typ->hash, bind(inter, typ, fun) != nullptr, fun};
    lock(&itabLock);
    itabAdd(fresh);
    m = *slot(itabTable, inter, typ);
    unlock(&itabLock);
  }
  if (LIKELY(!m->bad)) return m;
  if (missing != nullptr) *missing = bind(inter, typ, nullptr);
  return nullptr;
}

BOOTMARK void itabsinit() {
  lockInit(&itabLock, lockRankItab);
  for (auto* m = __start_boot_itabs; m != __stop_boot_itabs; m++) itabAdd(*m);
  BOOTSTEP("runtime.itabsinit", "itabs,size", itabTable->count, itabTable->size);
}

std::uint64_t itabcount() { return itabTable->count; }

}  // namespace runtime
