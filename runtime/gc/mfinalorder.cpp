// Which of the objects that are dead together is destroyed first.
//
// Owns: the walk through dead objects that finds their circles.
//
// An object shall be destroyed before those that it refers to, which its destructor may want to use; of a circle no member
// can claim that. So the circles (strongly connected components, most of them single objects) are ordered, by Gabow's
// way of finding them in one walk: a member that is reached again joins all that lie between on the path into one circle.
// They come out with those that are referred to first, and the caller turns that around.
//
// What it costs: objects that refer to nothing that is dead, as most that have a destructor, are marked and said at once.
// The others are in open_ and in a hash table while what they refer to is walked through: a list of a million takes 80 MB
// for a moment. The walk is by one thread with the world stopped, as queueing its results is.
//
// Ways not taken
//   - The order of Go's finalizers, one layer in each cycle: a list of 100,000 would take as many collections.
//   - No order at all, as in Java: destructors do use what their objects point to.
#pragma GCC optimize("Os")
#include "runtime/gc/mfinalorder.h"

namespace runtime {

template <class T>
void finOrder::array<T>::grow() {
  std::uint64_t more = cap == 0 ? 4096 / sizeof(T) : cap * 2;
  uintptr bytes = (more * sizeof(T) + 4095) & ~uintptr{4095};
  auto* nw = static_cast<T*>(sysAlloc(bytes, &mheap_.stats.otherSys));
  if (nw == nullptr) outOfMemory(bytes);
  if (n != 0) __builtin_memcpy(static_cast<void*>(nw), v, n * sizeof(T));
  std::uint64_t keep = n;
  drop();
  v = nw;
  n = keep;
  cap = more;
}

template <class T>
void finOrder::array<T>::drop() {
  if (cap == 0) return;
  uintptr bytes = (cap * sizeof(T) + 4095) & ~uintptr{4095};
  sysFreeOS(v, bytes);
  atomic::Xadd(&mheap_.stats.otherSys, -bytes);
  v = nullptr;
  n = cap = 0;
}

finOrder::~finOrder() {
  open_.drop();
  roots_.drop();
  path_.drop();
  where_.drop();
}

// Where obj is in the table, or where it would be.
std::uint64_t finOrder::slotOf(uintptr obj) const {
  std::uint64_t i = obj * 0x9e3779b97f4a7c15ull >> 24;
  for (;; i++) {
    std::uint64_t place = where_.v[i & (where_.cap - 1)];
    if (place == 0 || open_.v[place - 1] == obj) return i & (where_.cap - 1);
  }
}

// Twice as large. All are entered in the order of open_ again, for close relies on it.
void finOrder::rehash() {
  where_.grow();
  __builtin_memset(where_.v, 0, where_.cap * sizeof *where_.v);
  for (std::uint64_t i = 0; i < open_.n; i++) where_.v[slotOf(open_.v[i])] = i + 1;
}

// The next word that points to a white object, or to one whose circle is not complete.
finOrder::edge finOrder::nextEdge(const uintptr* at, const uintptr* end) const {
  for (; at < end; at++) {
    mspan* s;
    uintptr obj = findObject(*at, &s);
    if (obj == 0) continue;
    if (!isMarked(obj)) return {at, obj, s, 0};
    if (open_.n == 0) continue;
    if (std::uint64_t place = where_.v[slotOf(obj)]; place != 0) return {at, obj, s, place};
  }
  return {nullptr, 0, nullptr, 0};
}

static const uintptr* words(uintptr obj) { return reinterpret_cast<const uintptr*>(obj); }

// obj is white.
void finOrder::enter(uintptr obj, mspan* s) {
  std::uint32_t i = objIndex(s, obj);
  s->gcmarkBits[i / 64] |= std::uint64_t{1} << (i % 64);
  w_->bytesMarked += s->elemsize;
  if ((s->spanclass & 1) != 0) return found_(obj, s);
  w_->scanWork += s->elemsize;
  edge e = nextEdge(words(obj), words(obj + s->elemsize));
  if (e.at == nullptr) return found_(obj, s);
  std::uint64_t at = open_.n;
  if ((at + 1) * 2 > where_.cap) rehash();
  where_.v[slotOf(obj)] = at + 1;
  open_.push(obj);
  roots_.push(at);
  path_.push({at, e.at});
}

// What is open from the place at on is a circle, or a single object. Taken out of the table last in first out, an entry
// leaves no gap in front of another.
void finOrder::close(std::uint64_t at) {
  while (open_.n > at) {
    uintptr obj = open_.top();
    where_.v[slotOf(obj)] = 0;
    open_.n--;
    found_(obj, spanOf(obj));
  }
}

void finOrder::from(uintptr p) {
  mspan* s;
  uintptr obj = findObject(p, &s);
  if (obj == 0 || isMarked(obj)) return;
  enter(obj, s);
  while (path_.n != 0) {
    frame* f = &path_.top();
    uintptr self = open_.v[f->at];
    edge e = nextEdge(f->next, words(self + spanOf(self)->elemsize));
    if (e.at == nullptr) {
      std::uint64_t at = f->at;
      path_.n--;
      if (roots_.top() != at) continue;
      roots_.n--;
      close(at);
    } else if (f->next = e.at + 1; e.place != 0) {
      while (roots_.top() > e.place - 1) roots_.n--;
    } else {
      enter(e.obj, e.s);
    }
  }
}

}  // namespace runtime
